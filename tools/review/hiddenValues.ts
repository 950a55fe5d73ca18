import { isObject } from "./plan.ts";

/** A value that a preview does not show, and why. */
export interface HiddenValue {
  /** Path inside the object, such as `spec.egress[4].to`. */
  readonly path: string;
  readonly kind: "unknown" | "secret";
}

/** What the engine writes for a value that only an update will know (`pulumi:sdk/go/common/resource/plugin/rpc.go`, 2026-08). */
const UNKNOWN: ReadonlySet<unknown> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** The key, and its value for a secret, of an encoded value that is more than JSON can say. */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** Every unknown or secret value in an object, in its order; the object itself has the path `root`. */
export function hiddenValues(value: unknown, root: string): HiddenValue[] {
  if (UNKNOWN.has(value)) {
    return [{ path: root, kind: "unknown" }];
  }
  if (value === "[secret]" || (isObject(value) && value[SIGNATURE_KEY] === SECRET_SIGNATURE)) {
    return [{ path: root, kind: "secret" }];
  }
  if (Array.isArray(value)) {
    return value.flatMap((member, index) => hiddenValues(member, `${root}[${index}]`));
  }
  return isObject(value)
    ? Object.entries(value).flatMap(([key, member]) => hiddenValues(member, root === "" ? key : `${root}.${key}`))
    : [];
}

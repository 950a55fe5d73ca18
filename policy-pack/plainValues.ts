import { UnknownValueError } from "@pulumi/policy";

/** Properties of a resource as plain data. */
export interface PlainValues {
  /** A copy without the values that are unknown. */
  readonly value: unknown;
  /** Where those are, such as `spec.egress[0].to[0].ipBlock.cidr`. */
  readonly unknownPaths: readonly string[];
}

/**
 * Copies the properties that a policy is given. Reading an unknown one throws, upon which the SDK would report that the
 * policy can't run, as advice even where the policy is mandatory; so every unknown is found here instead.
 */
export function plainValues(properties: unknown): PlainValues {
  const unknownPaths: string[] = [];
  const copy = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) {
      return Array.from({ length: value.length }, (_, index) => member(value, index, `${path}[${index}]`));
    }
    if (typeof value !== "object" || value === null) {
      return value;
    }
    return Object.fromEntries(
      Object.keys(value).flatMap((key) => {
        const copied = member(value, key, path === "" ? key : `${path}.${key}`);
        return copied === undefined ? [] : [[key, copied]];
      }),
    );
  };
  const member = (holder: object, key: string | number, path: string): unknown => {
    let value: unknown;
    try {
      value = (holder as Record<string | number, unknown>)[key];
    } catch (error) {
      if (!(error instanceof UnknownValueError)) {
        throw error;
      }
      unknownPaths.push(path);
      return undefined;
    }
    return copy(value, path);
  };
  return { value: copy(properties, ""), unknownPaths };
}

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { membersOf } from "../guardrails/plainObject.ts";
import { canonicalJson } from "../runner/canonicalJson.ts";

/** What to call the config where it is not known which file it came from. */
export const SOME_CONFIG = "the pack's config";

/**
 * The file that somebody changes to change a declaration, such as `policy-pack/config.staging.json`. The engine does not
 * say from which file it read the config, so the stack's own is named only if it holds exactly this declaration.
 *
 * @param declaration the config of the policy `declaration`, as the engine gives it
 * @param urn of any resource of the stack
 * @param folder of the files
 */
export function configFileOf(
  declaration: Readonly<Record<string, unknown>>,
  urn: string | undefined,
  folder: string = import.meta.dirname,
): string {
  const stack = /^urn:pulumi:([^:/\\]+)::/.exec(urn ?? "")?.[1];
  if (stack === undefined) {
    return SOME_CONFIG;
  }
  const name = `config.${stack}.json`;
  try {
    const held = membersOf(JSON.parse(readFileSync(join(folder, name), "utf8"))).declaration;
    const { enforcementLevel, ...members } = membersOf(held);
    return canonicalJson(members) === canonicalJson(declaration) ? `${basename(folder)}/${name}` : SOME_CONFIG;
  } catch {
    // Another team's stack may have its config anywhere, or in another form.
    return SOME_CONFIG;
  }
}

import type { PackConfig, Plain } from "./policyPack.ts";

/** A change that a message tells somebody to make to the pack's config. */
export interface ToldEdit {
  readonly action: "add" | "remove";
  readonly values: readonly string[];
  /** Names of the members, from the declaration down. */
  readonly path: readonly string[];
  readonly file: string;
}

const EDIT =
  /\b(?<action>add|remove) (?<values>"[^"]+"(?:, "[^"]+")*) (?:to|from) declaration\.(?<path>[\w.-]+) in (?<file>\S+\.json|the pack's config)/g;

/** The changes that a text tells somebody to make, read from its words as a person would. */
export function toldEdits(text: string): ToldEdit[] {
  return [...text.replace(/\s+/g, " ").matchAll(EDIT)].map(({ groups = {} }) => ({
    action: groups.action as ToldEdit["action"],
    values: JSON.parse(`[${groups.values}]`),
    path: groups.path?.split(".") ?? [],
    file: groups.file ?? "",
  }));
}

/** Makes those changes, in place. */
export function applyEdits(config: PackConfig, edits: readonly ToldEdit[]): void {
  for (const { action, values, path } of edits) {
    const list: Plain = path.reduce((holder, name) => holder[name], config.declaration);
    for (const value of values) {
      if (action === "add") {
        list.push(value);
      } else {
        const index = list.indexOf(value);
        if (index < 0) {
          throw new Error(`${path.join(".")} has no ${value} to remove`);
        }
        list.splice(index, 1);
      }
    }
  }
}

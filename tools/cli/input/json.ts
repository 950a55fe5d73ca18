import { UsageError } from "../errors.ts";

/** A string, a bracket or a comma between members; all else of JSON is left to the real parser. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * Every document of a JSON text, one or several after each other (JSON lines, the output of `jq`), as kubectl reads them.
 *
 * @throws {UsageError} for a key that is used twice in one object, which the API server refuses too; a reader that took
 * the last one would judge another policy than a reviewer sees.
 * @throws {SyntaxError} if it is not JSON.
 */
export function parseJson(text: string, file: string): unknown[] {
  const documents: unknown[] = [];
  // For each open object the keys so far; `undefined` for a list.
  const open: (Set<string> | undefined)[] = [];
  let start = 0;
  let last = "";
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : undefined);
    } else if (token === "}" || token === "]") {
      open.pop();
      if (open.length === 0) {
        documents.push(JSON.parse(text.slice(start, index + 1)));
        start = index + 1;
      }
    } else if (token === ":" && last.startsWith('"')) {
      const keys = open.at(-1);
      const key = JSON.parse(last) as string;
      if (keys?.has(key)) {
        throw new UsageError(
          `${file}:${lineAt(text, index)}: not JSON that kubectl reads: the key ${last} is used twice`,
        );
      }
      keys?.add(key);
    }
    last = token;
  }
  const rest = text.slice(start);
  if (rest.trim() !== "" || documents.length === 0) {
    documents.push(JSON.parse(rest));
  }
  return documents;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

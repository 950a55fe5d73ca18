import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { egress, parseExample } from "./cli.ts";
import { ROOT } from "./fixtureProject.ts";
import { fencedBlocks, readDocument } from "./markdown.ts";

/** A command in a document's console block, and what the document says that it prints. */
export interface DocumentedCommand {
  readonly line: string;
  readonly output: string;
}

/**
 * The commands of a document: lines that start with `$ `, each with the lines after it, in the console blocks of Markdown or
 * in the whole of a text file.
 */
export function commandsOf(document: string): DocumentedCommand[] {
  return transcriptsOf(document).flatMap(commandsIn);
}

function transcriptsOf(document: string): string[] {
  return document.endsWith(".md")
    ? fencedBlocks(document, "console").map(({ text }) => text)
    : [readDocument(document)];
}

function commandsIn(block: string): DocumentedCommand[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { line: part.slice(0, end), output: part.slice(end + 1) };
    });
}

/** Runs a documented command: what it really prints on stdout, and whether it ended as the document says. */
export async function runDocumented(line: string): Promise<{ output: string; code: number | null; expected: number }> {
  const file = /^cat (\S+)$/.exec(line)?.[1];
  if (file !== undefined) {
    return { output: readFileSync(join(ROOT, file), "utf8"), code: 0, expected: 0 };
  }
  const { args, stdin, code: expected } = parseExample(line);
  const { stdout, code } = await egress(args, { stdin });
  return { output: stdout, code, expected };
}

/** Writes what every command really prints into its document. */
export async function updateDocument(document: string): Promise<void> {
  const path = join(ROOT, document);
  let text = readDocument(document);
  for (const transcript of transcriptsOf(document)) {
    const parts: string[] = [];
    for (const { line } of commandsIn(transcript)) {
      parts.push(`$ ${line}\n${(await runDocumented(line)).output}`);
    }
    text = text.replace(transcript, () => parts.join(""));
  }
  writeFileSync(path, text);
}

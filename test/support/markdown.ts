import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./fixtureProject.ts";

/** A fenced block of a document. */
export interface FencedBlock {
  /** The word after the fence, such as `sh`. */
  readonly language: string;
  /** Number of the opening fence's line. */
  readonly line: number;
  /** What is inside, without the indentation that a list gives it. */
  readonly text: string;
}

/** The text of a document, which is named from the repository's root. */
export function readDocument(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

/** The fenced blocks of a document, all or those of a language, in their order. */
export function fencedBlocks(document: string, language?: string): FencedBlock[] {
  const text = readDocument(document);
  return [...text.matchAll(/^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```$/gm)]
    .map(({ index, 1: indent = "", 2: name = "", 3: inner = "" }) => ({
      language: name,
      line: text.slice(0, index).split("\n").length,
      text: inner.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }))
    .filter((block) => language === undefined || block.language === language);
}

/** Programs that a reader can run; a code span that starts with one and goes on is a command. */
const PROGRAMS = "npm|npx|node|pulumi|kubectl|aws|git|runner-egress|egress";

/** Commands in code spans of a document's text, sorted, each once. */
export function inlineCommands(document: string): string[] {
  const text = readDocument(document).replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "");
  const spans = [...text.matchAll(/`([^`\n]+(?:\n[^`\n]+)?)`/g)].map(([, span = ""]) => span.replaceAll(/\s+/g, " "));
  return [...new Set(spans.filter((span) => new RegExp(`^(?:[A-Z_]+=\\S+ )*(?:${PROGRAMS}) \\S`).test(span)))].sort();
}

import { codeSpan } from "../markdown.ts";

/** A piece of a sentence: words of ours, without anything to escape, or something quoted from the input. */
export type Phrase = readonly (string | { readonly code: string })[];

/** A quoted piece. */
export function code(text: string): { readonly code: string } {
  return { code: text };
}

/** Joins pieces of sentences with words between them. */
export function joinPhrases(phrases: readonly Phrase[], separator: string): Phrase {
  return phrases.flatMap((phrase, index) => (index === 0 ? phrase : [separator, ...phrase]));
}

/** The sentence with its quotations as code spans. */
export function markdownPhrase(phrase: Phrase): string {
  return phrase.map((piece) => (typeof piece === "string" ? piece : codeSpan(piece.code))).join("");
}

/** The sentence without any marks. */
export function plainPhrase(phrase: Phrase): string {
  return phrase.map((piece) => (typeof piece === "string" ? piece : piece.code)).join("");
}

import type { Phrase } from "./phrase.ts";

/** Characters that turn the direction of what follows, so that it reads as something else. */
const BIDI = /[\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/**
 * Quotes a text so that GitHub shows it as it is: no emphasis, link, HTML, mention or issue reference comes of it. Line
 * breaks become spaces.
 */
export function escapeText(text: string): string {
  return (
    text
      .replace(/\s+/g, " ")
      // GitHub looks for mentions, references and addresses in the rendered text, where only another character helps.
      .replace(/[@#](?=\w)|:(?=\/\/)|\bwww(?=\.)/gi, "$&\u200B")
      .replace(BIDI, "\uFFFD")
      .replace(/[\\`*_[\]~]/g, "\\$&")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll("|", "&#124;")
      // Between two of them GitHub would set formulas.
      .replaceAll("$", "&#36;")
  );
}

/** A text as a code span. Line breaks become spaces; a table cell needs {@link table} around it. */
export function codeSpan(text: string): string {
  const line = text.replace(/\s+/g, " ").replace(BIDI, "\uFFFD").trim();
  if (line === "") {
    return "` `";
  }
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A text of several lines as a code block. */
export function codeBlock(text: string, language = "text"): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\r/g, "")}\n${fence}`;
}

/** A sentence with its quotations as code spans. */
export function markdownPhrase(phrase: Phrase): string {
  return phrase.map((piece) => (typeof piece === "string" ? piece : codeSpan(piece.code))).join("");
}

/** A table; cells are Markdown without line breaks. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), `|${" --- |".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

/** A bar inside a code span would end the cell; {@link escapeText} leaves none elsewhere. */
function cell(markdown: string): string {
  return markdown.replaceAll("|", "\\|").trim();
}

/** A part that is folded away until the reader clicks on its summary. */
export function details(summary: string, body: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A text cut to a length, with an ellipsis where something is missing. */
export function shorten(text: string, length: number): string {
  const line = text.trim();
  return line.length <= length
    ? line
    : `${[...line]
        .slice(0, length - 1)
        .join("")
        .trimEnd()}…`;
}

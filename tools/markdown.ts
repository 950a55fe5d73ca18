/**
 * The one writer of Markdown as GitHub shows it. What is quoted here stays what it is: `test/tools/markdown.test.ts` reads it back
 * through a parser of that Markdown.
 */

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
      // An index, as in `to[0]`, makes no link.
      .replace(/\[\d+\](?![([:])|[\\`*_[\]~]/g, (match) => (match.length > 1 ? match : `\\${match}`))
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

/** A table; cells are Markdown, in which a line break stays one. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), `|${" --- |".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

/** A bar inside a code span would end the cell; {@link escapeText} leaves none elsewhere. */
function cell(markdown: string): string {
  return markdown.replaceAll("|", "\\|").trim().replaceAll("\n", "<br>");
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

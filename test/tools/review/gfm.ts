import DOMPurify from "dompurify";
import fc from "fast-check";
import mermaid from "mermaid";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

/** Renders as GitHub does before it cleans the HTML. */
export function renderGfm(markdown: string): string {
  return micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true });
}

/** The cells of every table in rendered HTML, row by row, as text. */
export function tablesOf(html: string): string[][][] {
  return [...html.matchAll(/<table>([\s\S]*?)<\/table>/g)].map(([, table = ""]) =>
    [...table.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = ""]) =>
      [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(([, cell = ""]) => textOf(cell)),
    ),
  );
}

/** The text that a reader sees, without the invisible characters that keep mentions from being links. */
export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("\u200B", "");
}

/** The diagrams of a comment. */
export function diagramsOf(markdown: string): string[] {
  return [...markdown.matchAll(/```mermaid\n([\s\S]*?)\n```/g)].map(([, diagram = ""]) => diagram);
}

// Mermaid cleans labels with DOMPurify, which needs a browser's DOM; its parser needs none. test/browser draws for real.
DOMPurify.addHook = () => {};
DOMPurify.sanitize = ((text: string) => text) as typeof DOMPurify.sanitize;

/** Parses a diagram with the real parser; rejects with its message. */
export async function parseMermaid(diagram: string): Promise<string> {
  return (await mermaid.parse(diagram)).diagramType;
}

/** Texts with everything that Markdown, HTML, GitHub and Mermaid give a meaning. */
export const nastyText = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom(
        "|",
        "\\",
        "`",
        "``",
        "*",
        "_",
        "~~",
        "[x](y)",
        "[1]",
        "[2](y)",
        "[3]: y",
        "<b>",
        "</details>",
        "<!--",
        "@team",
        "#1",
        "&amp;",
      ),
      fc.constantFrom("http://a.b", "www.a.b", "\n", "```", '"', "end", "]", "%%", "--", "#quot;", "é", "🔥"),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(" "));

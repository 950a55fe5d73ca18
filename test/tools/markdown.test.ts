import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeBlock, codeSpan, escapeText, table } from "../../tools/markdown.ts";
import { nastyText, renderGfm, tablesOf, textOf } from "./review/gfm.ts";

const squeezed = (text: string) => text.replace(/\s+/g, " ").trim();
const isPlain = (text: string) => squeezed(text) !== "" && !/\p{Cc}|\u200B/u.test(squeezed(text));

describe("quoting", () => {
  it("of a text in a table cell shows exactly the text", () => {
    fc.assert(
      fc.property(nastyText.filter(isPlain), (text) => {
        const html = renderGfm(table(["a", "b"], [[`x${escapeText(text)}x`, "end"]]));
        expect(tablesOf(html)).toEqual([
          [
            ["a", "b"],
            [`x${text.replace(/\s+/g, " ")}x`, "end"],
          ],
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it("of a code span in a table cell shows exactly the text as code", () => {
    fc.assert(
      fc.property(
        // A backslash before a bar can't be written in a code span of a table; no name or path has one.
        nastyText.filter((text) => isPlain(text) && !/\\\s*$|\\\|/.test(text)),
        (text) => {
          const html = renderGfm(table(["a", "b"], [[codeSpan(text), "end"]]));
          expect(tablesOf(html)).toEqual([
            [
              ["a", "b"],
              [squeezed(text), "end"],
            ],
          ]);
          expect(html).toContain("<code>");
        },
      ),
      { numRuns: 500 },
    );
  });

  it("makes no mention, reference, link, emphasis or HTML", () => {
    const text = "$x$ @octocat #12 https://evil.example www.evil.example **x** <img src=x> [a](b) `c`";
    const html = renderGfm(escapeText(text));
    expect(html).not.toMatch(/<(a|strong|em|img|code)\b/);
    // GitHub looks for mentions and references in the text, where only another character stops it.
    expect(html).not.toMatch(/@octocat|#12/);
    expect(escapeText(text)).not.toContain("$");
    expect(textOf(html)).toBe(text);
  });

  it("shows characters that would turn the direction of the text", () => {
    for (const quote of [escapeText, codeSpan]) {
      expect(quote("evil\u202Egpj")).toContain("evil\uFFFDgpj");
    }
  });

  it("of a block can't be left", () => {
    const html = renderGfm(`${codeBlock("a\n````\n<b>@x</b>")}\n\nafter`);
    expect(html.match(/<pre>/g)).toHaveLength(1);
    expect(html).toContain("<p>after</p>");
  });
});

it("keeps the lines of a table's cell, and leaves an index alone", () => {
  const html = renderGfm(table(["a"], [[["to[0]|", "<b>"].map(escapeText).join("\n")]]));
  expect(html).toContain("<td>to[0]|<br>&lt;b&gt;</td>");
  expect(escapeText("spec.egress[4].to[0]")).toBe("spec.egress[4].to[0]");
});

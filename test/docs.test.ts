import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./support/fixtureProject.ts";
import { fencedBlocks, inlineCommands, readDocument } from "./support/markdown.ts";
import { BLOCK_TESTS, NOT_RUN, TEXT_TESTS } from "./support/runDocuments.ts";
import { parseMermaid } from "./tools/review/gfm.ts";

const DOCUMENTS = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: ROOT })].sort();
const scripts = Object.keys((JSON.parse(readDocument("package.json")) as { scripts: Record<string, string> }).scripts);

const firstLine = (text: string) => text.split("\n", 1)[0] ?? "";

/** Words of a command; the ways to call `runner-egress` are one. */
function words(command: string): string[] {
  return command
    .replace(/^(npm run (--silent )?egress --|egress(?= ))/, "runner-egress")
    .trim()
    .split(/\s+/);
}

/** Whether a command is a longer one with arguments left out. */
function isWithin(command: string, longer: string): boolean {
  const [program, ...rest] = words(command);
  let left = words(longer);
  return (
    left[0] === program &&
    rest.every((word) => {
      const at = left.indexOf(word, 1);
      left = left.slice(Math.max(at, 0));
      return at > 0;
    })
  );
}

const commandsInBlocks = DOCUMENTS.flatMap((document) => fencedBlocks(document))
  .filter(({ language }) => language === "sh" || language === "console")
  .flatMap(({ text }) => text.split("\n"))
  .map((line) => line.replace(/^\$ /, ""));
const textTests = TEXT_TESTS.map(readDocument);

describe.each(DOCUMENTS)("%s", (document) => {
  const text = readDocument(document);

  it("links only to files that are there", () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target ?? "");
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(document), target)))).toEqual([]);
  });

  it("links only to headings that are there", () => {
    const broken = [...text.matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)].filter(([, target = "", anchor]) => {
      const headings =
        readDocument(target === "" ? document : join(dirname(document), target)).match(/^#+ .*$/gm) ?? [];
      return !headings.some((heading) => slug(heading) === anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it("names only npm scripts that are there", () => {
    const found = [...text.matchAll(/npm run (?:--silent )?([a-z][\w:]*)/g)].map(([, name]) => name ?? "");
    expect(found.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it("has only blocks that a test takes, or that are listed with the reason why not", () => {
    const left = fencedBlocks(document).filter(({ language, text: block }) => {
      const tests = BLOCK_TESTS.filter((one) => one.document === document && one.language === language);
      const isTaken = tests.some(
        ({ takes, test }) => takes === "each" || readDocument(test).includes(firstLine(block)),
      );
      return !isTaken && !(firstLine(block) in NOT_RUN);
    });
    expect(left).toEqual([]);
  });

  it("has only commands in its text that a test runs, or that are listed with the reason why not", () => {
    const left = inlineCommands(document).filter(
      (command) =>
        !commandsInBlocks.some((line) => isWithin(command, line)) &&
        !textTests.some((test) => test.includes(command)) &&
        !(command in NOT_RUN),
    );
    expect(left).toEqual([]);
  });
});

describe("the lists of what is run", () => {
  it("name only blocks that are there, and tests that read their document", () => {
    const wrong = BLOCK_TESTS.filter(
      ({ document, language, test }) =>
        fencedBlocks(document, language).length === 0 ||
        !(test === "test/docs.test.ts" || readDocument(test).includes(document)),
    );
    expect(wrong).toEqual([]);
  });

  it("excuse nothing that is not there", () => {
    const there = DOCUMENTS.flatMap((document) => [
      ...fencedBlocks(document).map(({ text }) => firstLine(text)),
      ...inlineCommands(document),
    ]);
    expect(Object.keys(NOT_RUN).filter((command) => !there.includes(command))).toEqual([]);
  });
});

it("shows in the README a comment that a real preview gave", () => {
  const golden = readDocument("test/tools/review/golden/added-destination.md");
  // The README's tables are aligned for those who read its source.
  const plain = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
  const comment = plain(golden);
  const quoted = [...readDocument("README.md").matchAll(/^> (.+)$/gm)].map(([, line = ""]) => line);
  expect(quoted.length).toBeGreaterThan(10);
  expect(quoted.filter((line) => !comment.includes(plain(line)))).toEqual([]);
  for (const { text } of fencedBlocks("README.md", "mermaid")) {
    expect(golden).toContain(text);
  }
});

it("draws in the architecture what Mermaid can read", async () => {
  for (const { text } of fencedBlocks("docs/architecture.md", "mermaid")) {
    expect(await parseMermaid(text)).toMatch(/^flowchart/);
  }
});

it("says in troubleshooting only what the code says", () => {
  const code = globSync("{analysis,runner,program,components,guardrails,policy-pack,tools,ci}/**/*.{ts,js}", {
    cwd: ROOT,
  })
    .map(readDocument)
    .join("\n");
  const quoted = [...readDocument("docs/troubleshooting.md").matchAll(/^\| `([^`]+)`/gm)];
  expect(quoted.length).toBeGreaterThan(8);
  // What the engine, Node.js and AWS say themselves.
  const ofOthers = [
    "protected",
    'Unknown file extension ".ts"',
    "the stack is currently locked",
    "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    "NotFoundException: Alias",
  ];
  const said = quoted.map(([, message]) => message ?? "").filter((message) => !ofOthers.includes(message));
  expect(said.filter((message) => !code.includes(message))).toEqual([]);
});

/** The anchor that GitHub gives a heading. */
function slug(heading: string): string {
  return heading
    .replace(/^#+ /, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

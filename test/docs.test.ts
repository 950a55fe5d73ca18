import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: ROOT })].sort();
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> }).scripts,
);

describe.each(DOCUMENTS)("%s", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");

  it("links only to files that are there", () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target ?? "");
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(document), target)))).toEqual([]);
  });

  it("names only npm scripts that are there", () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z][\w:]*)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

it("says in troubleshooting only what the code says", () => {
  const code = globSync("{analysis,rules,config,lookups,components,guardrails,policy-pack,review}/**/*.{ts,js}", {
    cwd: ROOT,
  })
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .join("\n");
  const quoted = [...readFileSync(join(ROOT, "docs/troubleshooting.md"), "utf8").matchAll(/^\| `([^`]+)`/gm)];
  expect(quoted.length).toBeGreaterThan(8);
  // The engine itself says `protected`.
  const said = quoted.map(([, message]) => message ?? "").filter((message) => message !== "protected");
  expect(said.filter((message) => !code.includes(message))).toEqual([]);
});

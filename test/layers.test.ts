import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./support/fixtureProject.ts";

/** The layers of docs/architecture.md, lowest first: a file imports from its own row and from the rows before it. */
const ROWS: readonly (readonly string[])[] = [
  ["analysis"],
  ["runner"],
  ["guardrails"],
  ["kube"],
  ["program", "components", "index.ts"],
  ["policy-pack"],
  [
    "tools/exitCodes.ts",
    "tools/junit.ts",
    "tools/layout.ts",
    "tools/markdown.ts",
    "tools/words.ts",
    "tools/refusal.ts",
    "tools/command.ts",
    "tools/github.ts",
  ],
  ["tools/review"],
  ["tools/report"],
  ["tools/verify"],
  ["tools/show"],
  ["tools/record"],
  ["tools/setup"],
  ["tools/cli"],
  ["ci"],
  ["dev"],
];

/** Pure folders name no package, so no Pulumi, no I/O and no clock. */
const PURE: readonly string[] = ["analysis", "runner", "guardrails"];

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|(?:^|[^.\w])import\("([^"]+)"\)/g;

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(IMPORT)].map(([, from, dynamic]) => from ?? dynamic ?? "");
}

const isIn = (folder: string) => (file: string) => file === folder || file.startsWith(`${folder}/`);
const rowOf = (file: string) => ROWS.findIndex((folders) => folders.some((folder) => isIn(folder)(file)));

const FILES = globSync("**/*.ts", {
  cwd: ROOT,
  exclude: (name) => ["node_modules", "test", "coverage"].includes(name) || /^vitest\./.test(name),
});

it("every file has a row", () => {
  expect(FILES.filter((file) => rowOf(file) < 0)).toEqual([]);
  expect(FILES.filter(isIn("analysis")).length).toBeGreaterThan(20);
  expect(importsOf("analysis/cidr.ts")).toContain("./address.ts");
});

it.each(ROWS.map((folders, row) => [folders.join(", "), row] as const))("%s: imports from no row below", (_, row) => {
  const wrong = FILES.filter((file) => rowOf(file) === row).flatMap((file) =>
    importsOf(file)
      .filter((target) => /^\..*\.ts$/.test(target))
      .map((target) => relative(ROOT, join(ROOT, dirname(file), target)))
      // Development tools may reach into the tests, which have no row.
      .filter((target) => (row === ROWS.length - 1 ? false : rowOf(target) < 0 || rowOf(target) > row))
      .map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

it("what runs names only the dependencies of program/, which a job that deploys installs without the development packages", () => {
  const manifest = readFileSync(join(ROOT, "program", "package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: object };
  const packages = FILES.filter((file) => !isIn("dev")(file)).flatMap((file) =>
    importsOf(file)
      .filter((target) => !/^\.|^node:/.test(target))
      .map((target) => target.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? target),
  );
  expect([...new Set(packages)].sort()).toEqual(Object.keys(dependencies).sort());
});

describe.each(PURE)("%s/ is pure", (folder) => {
  const files = FILES.filter(isIn(folder));

  it("imports no package", () => {
    const foreign = files.flatMap((file) => importsOf(file).filter((target) => !/^\./.test(target)));
    expect(foreign).toEqual([]);
  });

  it("knows no clock, no environment and no chance", () => {
    const wrong = files.filter((file) =>
      /\bDate\b|\bprocess\.|\bMath\.random|\bfetch\(|performance\./.test(
        readFileSync(join(ROOT, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""),
      ),
    );
    expect(wrong).toEqual([]);
  });
});

it("no chain of imports in the analysis is longer than ten files, and none comes back to where it began", () => {
  const lengths = new Map<string, number>();
  const lengthFrom = (file: string, before: readonly string[] = []): number => {
    expect(before).not.toContain(file);
    const targets = importsOf(file).map((target) => relative(ROOT, join(ROOT, dirname(file), target)));
    const length =
      lengths.get(file) ?? 1 + Math.max(0, ...targets.map((target) => lengthFrom(target, [...before, file])));
    lengths.set(file, length);
    return length;
  };
  const files = FILES.filter((file) => isIn("analysis")(file) && file !== "analysis/index.ts");
  expect(Math.max(...files.map((file) => lengthFrom(file)))).toBeLessThanOrEqual(10);
});

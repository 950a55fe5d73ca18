import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/**
 * What a folder may import: other folders, and packages. Pure folders name no package but ip-num, so no Pulumi, no I/O
 * and no clock; the order of the rows is the one direction in which imports go.
 */
const PURE = ["ip-num"];
const LAYERS: Readonly<Record<string, { readonly folders: readonly string[]; readonly packages?: readonly string[] }>> =
  {
    analysis: { folders: [], packages: PURE },
    rules: { folders: ["analysis"], packages: PURE },
    guardrails: { folders: ["analysis", "rules"], packages: PURE },
  };

/** Folders that only entry points may be: nothing below may reach for them. */
const ENTRY_POINTS = ["cli", "offline", "policy-pack", "verify", "review", "report", "scripts", "bench", "test"];

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|(?:^|[^.\w])import\("([^"]+)"\)/g;

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(IMPORT)].map(([, from, dynamic]) => from ?? dynamic ?? "");
}

const folderOf = (file: string, target: string) =>
  relative(ROOT, join(ROOT, dirname(file), target)).split("/")[0] ?? "";

describe.each(Object.entries(LAYERS))("%s/", (folder, { folders, packages }) => {
  const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT });

  it("imports only what is below it", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) =>
          target.startsWith(".")
            ? ![folder, ...folders].includes(folderOf(file, target))
            : !(packages ?? []).includes(
                target
                  .split("/")
                  .slice(0, target.startsWith("@") ? 2 : 1)
                  .join("/"),
              ),
        )
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
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

it.each(["config", "lookups", "components"])("%s/ reaches for no entry point", (folder) => {
  const wrong = globSync(`${folder}/**/*.ts`, { cwd: ROOT }).flatMap((file) =>
    importsOf(file).filter((target) => target.startsWith(".") && ENTRY_POINTS.includes(folderOf(file, target))),
  );
  expect(wrong).toEqual([]);
});

it("knows its own folders", () => {
  expect(globSync("analysis/**/*.ts", { cwd: ROOT }).length).toBeGreaterThan(20);
  expect(importsOf("analysis/address.ts")).toEqual(["ip-num"]);
});

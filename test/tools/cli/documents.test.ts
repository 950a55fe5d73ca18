import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { commandsOf, runDocumented, updateDocument } from "../../support/documents.ts";
import { ROOT } from "../../support/fixtureProject.ts";

const DOCUMENTS = [
  ...["docs/cli.md", "docs/assertions.md", "docs/semantics.md", "docs/review.md", "docs/promotion.md", "README.md"],
  ...globSync("docs/examples/divergences/*.txt", { cwd: ROOT }).sort(),
];

// `UPDATE_DOCUMENTS=1 npx vitest run test/tools/cli/documents.test.ts` writes the real output into the documents; read the diff.
beforeAll(async () => {
  if (process.env.UPDATE_DOCUMENTS === "1") {
    for (const document of DOCUMENTS) {
      await updateDocument(document);
    }
  }
});

describe.each(DOCUMENTS)("%s", (document) => {
  it("shows what its commands print, and how they end", async () => {
    const commands = commandsOf(document);
    expect(commands).not.toHaveLength(0);
    for (const { line, output } of commands) {
      const run = await runDocumented(line);
      expect(run.output, line).toBe(output);
      expect(run.code, line).toBe(run.expected);
    }
  });
});

describe("docs/semantics.md", () => {
  const shapes = [
    ...(/export type DivergenceShape =([^;]*);/
      .exec(readFileSync(join(ROOT, "analysis/divergences.ts"), "utf8"))?.[1]
      ?.matchAll(/"([^"]+)"/g) ?? []),
  ]
    .map(([, shape]) => shape ?? "")
    .filter((shape) => shape !== "unclassified");

  it("has a row for each shape, and an example whose output names it", () => {
    const text = readFileSync(join(ROOT, "docs/semantics.md"), "utf8");
    const rows = [...text.matchAll(/^\| \[`([\w-]+)`\]\(examples\/divergences\/\1\.txt\)/gm)].map(([, shape]) => shape);
    expect(rows.sort()).toEqual(shapes.sort());
    for (const shape of shapes) {
      const [example] = commandsOf(`docs/examples/divergences/${shape}.txt`);
      expect(example?.line).toContain(`--policy docs/examples/divergences/${shape}.yaml`);
      expect(example?.output).toContain(`  ${shape}  `);
    }
  });
});

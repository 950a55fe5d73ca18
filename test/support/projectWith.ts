import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { FIXTURE_PROJECT } from "./fixtureProject.ts";

/** Runs the test in a copy of the fixture project, where some files are others or, with `undefined`, are not there. */
export function projectWith(files: Readonly<Record<string, string | undefined>>): void {
  const folder = mkdtempSync(join(tmpdir(), "project-"));
  cpSync(FIXTURE_PROJECT, folder, { recursive: true, filter: (path) => !path.endsWith("/docs") });
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) {
      rmSync(join(folder, name));
    } else {
      writeFileSync(join(folder, name), content);
    }
  }
  process.chdir(folder);
  onTestFinished(() => {
    process.chdir(FIXTURE_PROJECT);
    rmSync(folder, { recursive: true });
  });
}

import fs, { globSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { FIXTURE_PROJECT, ROOT, STACK_FILES } from "./fixtureProject.ts";

// Commands find their project from the working directory upward.
process.chdir(FIXTURE_PROJECT);

// A test that reads a file of a real stack would break when somebody changes what the runners may reach.
const LIVE = new Set(globSync(STACK_FILES, { cwd: ROOT }).map((file) => join(ROOT, file)));

const LOOKS_AT_LIVE = join(ROOT, "test", "liveStacks.test.ts");

function refuseLive(file: unknown): void {
  const path = file instanceof URL ? fileURLToPath(file) : typeof file === "string" ? resolve(file) : "";
  if (LIVE.has(path) && expect.getState().testPath !== LOOKS_AT_LIVE) {
    throw new Error(
      `${path} is a real stack's; tests rest on test/fixtures/project, apart from test/liveStacks.test.ts`,
    );
  }
}

const { readFileSync } = fs;
const { readFile } = fs.promises;
// Once in a process, which runs several files.
if (readFileSync.name !== "guarded") {
  fs.readFileSync = function guarded(...args: Parameters<typeof readFileSync>) {
    refuseLive(args[0]);
    return readFileSync(...args);
  } as typeof readFileSync;
  fs.promises.readFile = (async (...args: Parameters<typeof readFile>) => {
    refuseLive(args[0]);
    return readFile(...args);
  }) as typeof readFile;
  syncBuiltinESMExports();
}

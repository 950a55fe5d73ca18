import { cp, glob, rm } from "node:fs/promises";
import { join } from "node:path";

/** The repository. */
export const ROOT = join(import.meta.dirname, "..", "..");

/**
 * A project whose stacks are frozen copies of the real ones: every test, example and golden file rests on them, so that
 * changing what the runners may reach breaks no test. `test/liveStacks.test.ts` alone looks at the real ones.
 */
export const FIXTURE_PROJECT = join(ROOT, "test", "fixtures", "project");

/** What says something about a stack, in a project's folder. */
export const STACK_FILES = ["Pulumi.*.yaml", "facts/*.json", "verify.*.yaml"];

/** Gives a copy of the repository the stacks of the fixture project instead of its own. */
export async function useFixtureStacks(directory: string): Promise<void> {
  for await (const file of glob(STACK_FILES, { cwd: directory })) {
    await rm(join(directory, file));
  }
  for await (const file of glob(STACK_FILES, { cwd: FIXTURE_PROJECT })) {
    await cp(join(FIXTURE_PROJECT, file), join(directory, file));
  }
}

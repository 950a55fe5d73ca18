import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deployedCommit } from "../../ci/steps/commits.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "history-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A `pulumi` that prints a history, the newest update first, as the engine's does. */
function historyOf(updates: readonly object[], status = 0): void {
  const file = join(folder, "pulumi");
  writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(updates)}\nEND\nexit ${status}\n`);
  chmodSync(file, 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
}

const update = (head: string | undefined, kind = "update", result = "succeeded") => ({
  kind,
  result,
  environment: head === undefined ? {} : { "git.head": head },
});

describe("the deployed commit", () => {
  it.each<[string, object[], string | undefined]>([
    ["is the newest update's", [update("b"), update("a")], "b"],
    [
      "is not that of a refresh or of a failed update",
      [update("d", "refresh"), update("c", "update", "failed"), update("a")],
      "a",
    ],
    ["is not forgotten by an update from outside of a repository", [update(undefined), update("a")], "a"],
    ["is unknown where nothing was deployed", [], undefined],
  ])("%s", async (_, updates, commit) => {
    historyOf(updates);
    expect(await deployedCommit("prod")).toBe(commit);
  });

  it("is not taken for none where the history can't be read", async () => {
    historyOf([], 255);
    await expect(deployedCommit("prod")).rejects.toThrow("The history of prod can't be read:");
  });
});

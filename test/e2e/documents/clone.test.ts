import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, useFixtureStacks } from "../../support/fixtureProject.ts";
import { mustRun, run } from "../support/command.ts";
import { type Place, Walkthrough } from "./walkthrough.ts";

const why = "the dependencies are the repository's; .ci/run installs them and runs the whole suite on a clean clone";

describe("on a fresh clone of the last commit", () => {
  let clone: string;
  let place: Place;
  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), "runner-egress-clone-"));
    await mustRun("git", ["clone", "--quiet", ROOT, clone]);
    await useFixtureStacks(clone);
    await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
    place = { run: (command, args, options) => run(command, args, { cwd: clone, ...options }) };
  });
  afterAll(() => rm(clone, { recursive: true }));

  it("README.md: the two commands show both stacks, and lint, types and tests pass", async () => {
    const walk = new Walkthrough("README.md", place, {
      substitutions: [
        { of: "npm ci &&", by: "true &&", why },
        { of: "npm cit ", by: "npm test -- test/docs.test.ts test/program/config ", why },
      ],
    });
    const printed = await walk.run(
      "npm ci && npm start     # both stacks as the program would create them, from recorded facts",
    );
    expect(printed).toMatch(/staging[\s\S]*prod/);
    expect(printed).toMatch(/^\d+ passed, 0 failed/m);
    expect(walk.leftOver()).toEqual([]);
  });

  it("CONTRIBUTING.md: the analysis agrees with the slow models", async () => {
    const sets = { of: "--sets N", by: "--sets 20", why: "the reader's number" };
    const walk = new Walkthrough("CONTRIBUTING.md", place, { substitutions: [sets] });
    expect(await walk.runLine("npm run agreement -- --sets N")).toMatch(/20/);
  });

  it("docs/review.md: the report is one HTML file", async () => {
    const walk = new Walkthrough("docs/review.md", place);
    await walk.run(
      "npm run --silent egress -- report --policy docs/examples/runner-staging.yaml --before docs/examples/runner-2026-05.yaml",
    );
    expect(await readFile(join(clone, "egress-report.html"), "utf8")).toMatch(/^<!doctype html>/i);
    expect(walk.leftOver()).toEqual([]);
  });
});

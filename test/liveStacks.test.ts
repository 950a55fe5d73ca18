import { existsSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it, onTestFinished } from "vitest";
import { readConfig } from "../program/config/readConfig.ts";
import { readProject, readStackConfig, stacksOf } from "../program/project.ts";
import { readStackFiles } from "../program/stackFiles.ts";
import { runStack } from "../tools/show/runStack.ts";
import { readNamedTargets } from "../tools/verify/targetsFile.ts";
import { egressProcess } from "./support/cli.ts";
import { FIXTURE_PROJECT, ROOT } from "./support/fixtureProject.ts";
import { networkPolicy, runPack } from "./support/policyPack.ts";

// The only tests of the real stacks: a change to one of their files that makes sense passes them, whatever it says.

const project = await readProject(ROOT);
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const stacks = await stacksOf(project);

describe.each(stacks)("the stack %s", (stack) => {
  const facts = existsSync(join(ROOT, "facts", `${stack}.json`));

  it("has files that can be read", async () => {
    const values = await readStackConfig(project, stack);
    expect(readConfig({ project: project.name, stack, values }).stack).toBe(`${project.name}/${stack}`);
    const targets = `verify.${stack}.yaml`;
    if (existsSync(join(ROOT, targets))) {
      await readNamedTargets(load(read(targets)), async () => ["192.0.2.1"]);
    }
  });

  // A new stack has none until `npm run record` wrote them.
  it.runIf(facts)("has a policy, which the pack passes", async () => {
    const { policy } = await runStack(await readStackFiles(project, stack));
    process.chdir(ROOT);
    onTestFinished(() => process.chdir(FIXTURE_PROJECT));
    const { messages } = await runPack([networkPolicy(policy)], {}, { stackName: stack });
    expect(messages).toEqual({});
  });

  it.runIf(facts)("is what a command reads outside of any project, and says so", async () => {
    const { stderr } = await egressProcess(["explain", "169.254.169.254:80/tcp", "--stack", stack], { cwd: tmpdir() });
    const path = relative(realpathSync(tmpdir()), join(ROOT, "facts", `${stack}.json`));
    expect(stderr).toContain(`stack:${stack}: network from ${path}, recorded`);
  });
});

it("the project of the fixtures is the real one in all but its folder", () => {
  const { main, ...fixture } = load(readFileSync(join(FIXTURE_PROJECT, "Pulumi.yaml"), "utf8")) as { main: string };
  expect(fixture).toEqual(load(read("Pulumi.yaml")));
  expect(join(FIXTURE_PROJECT, main)).toBe(join(ROOT, "index.ts"));
});

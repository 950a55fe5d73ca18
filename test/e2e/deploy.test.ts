import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BothStacks, createBothStacks, STACK_NAMES, type StackName } from "./support/bothStacks.ts";
import { editPolicy, kubectl, livePolicy, POLICY_NAME, patchPolicy, requirePolicy } from "./support/cluster.ts";
import type { Outcome } from "./support/command.ts";
import type { Project } from "./support/stack.ts";

const STACKS = {
  staging: { name: "e2e-deploy-staging", prefix: "10.61" },
  prod: { name: "e2e-deploy-prod", prefix: "10.62" },
} as const;

const commitOf = async (project: Project) => (await project.mustRun("git", ["rev-parse", "HEAD"])).trim();

describe("the steps of the workflows", () => {
  let project: Project;
  let networks: BothStacks["networks"];

  const npm = (script: string, ...args: readonly string[]): Promise<Outcome> =>
    project.run("npm", ["run", "--silent", script, "--", ...args]);
  const preview = (stack: StackName) => npm("ci:preview", stack);
  const deploy = (stack: StackName, ...args: readonly string[]) => npm("ci:deploy", stack, ...args);
  const drift = (stack: StackName) => npm("ci:drift", stack);

  beforeAll(async () => {
    ({ project, networks } = await createBothStacks(STACKS));
    await project.commit("the project");
  });
  afterAll(() => project.remove());

  describe("from nothing", () => {
    it("refuse to deploy what nobody previewed", async () => {
      const { status, output } = await deploy("staging");
      expect(output).toContain("There is no previews/staging.approval.json");
      expect(status).toBe(2);
      expect(await livePolicy(STACKS.staging.name)).toBeUndefined();
    });

    it("preview both stacks with the pack, and one comment tells them together", async () => {
      for (const stack of STACK_NAMES) {
        const { status, output } = await preview(stack);
        expect(output).toContain(stack);
        expect(status, output).toBe(0);
      }
      const { output, status } = await npm("ci:comment", "pull-request", ...STACK_NAMES, "--print");
      expect(status).toBe(0);
      expect(output.split("\n")[0]).toBe("<!-- runner-egress:review -->");
      expect(output).toMatch(/\| `staging` \|/);
      expect(output).toMatch(/\| `prod` \|/);
      expect(output).toMatch(/`staging` .*✅ passed \|[\s\S]*`prod` .*✅ passed \|/);
    });

    it("do not touch prod before staging is there", async () => {
      const { status, output } = await deploy("prod", "--after", "staging");
      expect(output).toContain("staging comes first, and it was not deployed and verified");
      expect(status).toBe(1);
      expect(await livePolicy(STACKS.prod.name)).toBeUndefined();
    });

    it("stop prod where staging comes up and its verification fails", async () => {
      const staging = await deploy("staging", "--", "node", "-e", "process.exit(1)");
      expect(staging.output).toContain("staging is deployed, but node -e process.exit(1) ended with 1");
      expect(staging.status).toBe(1);
      expect(await livePolicy(STACKS.staging.name)).toBeDefined();
      const prod = await deploy("prod", "--after", "staging");
      expect(prod.status).toBe(1);
      expect(await livePolicy(STACKS.prod.name)).toBeUndefined();
    });

    it("deploy staging, verify it, and then prod, each as approved", async () => {
      const approval = JSON.parse(await readFile(join(project.directory, "previews/prod.approval.json"), "utf8"));
      expect(await deploy("staging", "--", "node", "-e", "")).toMatchObject({ status: 0 });
      const prod = await deploy("prod", "--after", "staging");
      expect(prod.status, prod.output).toBe(0);
      expect((await requirePolicy(STACKS.prod.name)).spec).toEqual(approval.policy.spec);
    });
  });

  describe("after the approval", () => {
    it("refuse another commit, and a tree that is no commit", async () => {
      await preview("prod");
      const file = join(project.directory, "README.md");
      const text = await readFile(file, "utf8");
      await writeFile(file, `${text}\nOne more line.\n`);
      const dirty = await deploy("prod");
      expect(dirty.output).toMatch(/The working tree is not the commit[\s\S]*README\.md/);
      expect(dirty.status).toBe(2);
      await project.commit("another commit");
      const other = await deploy("prod");
      expect(other.output).toMatch(
        /prod was not deployed:\n {2}- approved was commit [0-9a-f]{40}, this is [0-9a-f]{40}/,
      );
      expect(other.status).toBe(1);
    });

    it("refuse other facts, in words, until they are previewed and approved", async () => {
      for (const stack of STACK_NAMES) expect(await preview(stack)).toMatchObject({ status: 0 });
      const before = await requirePolicy(STACKS.prod.name);
      await networks.prod.addDatabaseSubnet(`${STACKS.prod.prefix}.103.0/24`);
      const refused = await deploy("prod");
      expect(refused.output).toContain("it is not what was approved");
      expect(refused.output).toContain(`${STACKS.prod.prefix}.103.0/24`);
      expect(refused.status).toBe(1);
      expect(await requirePolicy(STACKS.prod.name)).toEqual(before);
      await networks.prod.removeDatabaseSubnet(`${STACKS.prod.prefix}.103.0/24`);
    });

    it("refuse what was approved before another deploy, and an older commit unless it is named", async () => {
      const older = await commitOf(project);
      expect(await preview("prod")).toMatchObject({ status: 0 });
      const approval = await readFile(join(project.directory, "previews/prod.approval.json"), "utf8");
      // The newer commit is deployed while the older one waits for its approval.
      await project.commit("a newer commit");
      const newer = await commitOf(project);
      expect(await preview("prod")).toMatchObject({ status: 0 });
      expect(await deploy("prod")).toMatchObject({ status: 0 });
      const before = await requirePolicy(STACKS.prod.name);

      await project.mustRun("git", ["checkout", "--quiet", older]);
      await writeFile(join(project.directory, "previews/prod.approval.json"), approval);
      const late = await deploy("prod");
      expect(late.output).toContain(`commit ${older} is older than ${newer}, which is deployed`);
      expect(late.output).toMatch(/deployed from commit [0-9a-f]{40} when it was previewed, now from/);
      expect(late.status).toBe(1);
      expect(await requirePolicy(STACKS.prod.name)).toEqual(before);

      // As a re-run of the whole workflow of the older commit does.
      expect(await preview("prod")).toMatchObject({ status: 0 });
      const again = await deploy("prod");
      expect(again.output).toContain(`--rollback-from ${newer}`);
      expect(again.status).toBe(1);
      const other = await deploy("prod", "--rollback-from", older);
      expect(other.status).toBe(1);
      const meant = await deploy("prod", "--rollback-from", newer);
      expect(meant.status, meant.output).toBe(0);
      await project.mustRun("git", ["checkout", "--quiet", "-"]);
    });

    it("know the deployed commit behind more updates than a page of the history has", async () => {
      await project.commit("the newest commit");
      const deployed = await commitOf(project);
      expect(await preview("prod")).toMatchObject({ status: 0 });
      expect(await deploy("prod")).toMatchObject({ status: 0 });
      const refresh = ["refresh", "--yes", "--skip-preview", "--non-interactive", "--stack", "prod"];
      for (let count = 0; count < 11; count++) await project.mustRun("pulumi", refresh);
      await project.mustRun("git", ["checkout", "--quiet", "HEAD~1"]);
      expect(await preview("prod")).toMatchObject({ status: 0 });
      const older = await deploy("prod");
      expect(older.output).toContain(`is older than ${deployed}, which is deployed`);
      expect(older.status).toBe(1);
      await project.mustRun("git", ["checkout", "--quiet", "-"]);
    });

    it("refuse a live policy that somebody opened since the preview, in words", async () => {
      expect(await preview("prod")).toMatchObject({ status: 0 });
      const rule = { to: [{ ipBlock: { cidr: `${STACKS.prod.prefix}.7.7/32` } }] };
      await patchPolicy(STACKS.prod.name, [{ op: "add", path: "/spec/egress/-", value: rule }]);
      const refused = await deploy("prod");
      expect(refused.output).toContain("the live policy is not the one that was previewed");
      expect(refused.output).toContain("10.62.7.7/32");
      expect(refused.status).toBe(1);
      expect(await preview("prod")).toMatchObject({ status: 0 });
      expect(await deploy("prod")).toMatchObject({ status: 0 });
    });
  });

  it.each([
    ["by a process manager", "SIGTERM", false],
    // To whatever the terminal shows: an engine that got it twice would be killed, and leave its lock.
    ["by an interrupt at a terminal", "SIGINT", true],
  ] as const)(
    "that are stopped %s while they deploy stop the engine, and leave no lock behind",
    async (_, signal, isGroup) => {
      await project.commit("to be stopped");
      expect(await preview("staging")).toMatchObject({ status: 0 });
      const step = project.start("node", ["ci/deploy.ts", "staging"]);
      let output = "";
      for (const stream of [step.stdout, step.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => {
          // Once resources are shown: an engine that is stopped between its heading and its work does not unlock the stack.
          const isAtWork = () => /^Updating[\s\S]*pulumi:pulumi:Stack/m.test(output);
          const wasAtWork = isAtWork();
          output += text;
          if (!wasAtWork && isAtWork()) process.kill(isGroup ? -(step.pid as number) : (step.pid as number), signal);
        });
      }
      const [status] = await once(step, "close");
      expect(output).toMatch(new RegExp(`${signal} stopped this step; pulumi was told, and ended with \\d+\\.`));
      expect(status).toBe(2);
      const again = await preview("staging");
      expect(again.status, again.output).toBe(0);
      const deployed = await deploy("staging");
      expect(deployed.status, deployed.output).toBe(0);
    },
  );

  describe("where the guardrails did not judge", () => {
    const config = "policy-pack/config.staging.json";
    let violation: string;
    beforeAll(async () => {
      violation = await readFile(join(project.directory, "policy-pack/policies/index.ts"), "utf8");
    });
    afterEach(async () => {
      await rm(join(project.directory, config), { force: true });
      await writeFile(join(project.directory, "policy-pack/policies/index.ts"), violation);
      await project.commit("the config again");
    });

    async function comment(): Promise<string> {
      return (await npm("ci:comment", "pull-request", "staging", "--print")).output;
    }

    it.each([
      ["one of them is disabled", { "private-reach": "disabled" }, "`private-reach` disabled"],
      ["all of them are disabled", { all: "disabled" }, "all disabled"],
    ])("refuse: %s", async (_, change, told) => {
      await writeFile(join(project.directory, config), JSON.stringify(change));
      await project.commit("disable");
      const { status, output } = await preview("staging");
      expect(output).toContain(`the guardrails are ${told}, so nothing says that the plan is safe`);
      expect(status).toBe(2);
      expect((await deploy("staging")).output).toContain("There is no previews/staging.approval.json");
      expect(await comment()).toContain(`⚠️ ${told} |`);
    });

    it.each<[string, () => Promise<void>, RegExp]>([
      ["a broken config", () => writeFile(join(project.directory, config), "{"), /unexpected end of JSON input/],
      [
        "a pack that does not load",
        () => writeFile(join(project.directory, "policy-pack/policies/index.ts"), 'import "./nowhere.ts";\n'),
        /Cannot find module .*nowhere\.ts/,
      ],
    ])("tell the reason, which the engine says on stderr alone: %s", async (_, breakIt, told) => {
      await breakIt();
      await project.commit("break");
      const { status } = await preview("staging");
      expect(status).toBe(2);
      expect(await comment()).toMatch(told);
      const found = await drift("staging");
      expect(found.output).toMatch(told);
      expect(found.status).toBe(2);
    });
  });

  describe("when reality moves", () => {
    const namespace = STACKS.staging.name;

    beforeAll(async () => {
      expect(await preview("staging")).toMatchObject({ status: 0 });
      expect(await deploy("staging")).toMatchObject({ status: 0 });
    });
    beforeEach(async () => {
      await rm(join(project.directory, "drift"), { recursive: true, force: true });
    });

    /** Finds the drift, tells it, repairs it by a deploy and finds none any more. */
    async function expectFoundAndRepaired(told: readonly (string | RegExp)[]): Promise<void> {
      const found = await drift("staging");
      expect(found.status, found.output).toBe(1);
      const issue = await npm("ci:comment", "drift", "staging", "--print");
      expect(issue.output.split("\n")[0]).toBe("<!-- runner-egress:drift -->");
      expect(issue.output).toContain("### What was found");
      for (const text of told) expect(issue.output).toMatch(text);
      expect(await preview("staging")).toMatchObject({ status: 0 });
      const repaired = await deploy("staging");
      expect(repaired.status, repaired.output).toBe(0);
      const after = await drift("staging");
      expect(after.output).toContain("staging: same");
      expect(after.status).toBe(0);
    }

    it("find nothing where nothing moved", async () => {
      const { status, output } = await drift("staging");
      expect(status, output).toBe(0);
      expect(await npm("ci:comment", "drift", "staging", "--print")).toMatchObject({ status: 0, output: "" });
    });

    it("find and repair what kubectl edit changed", async () => {
      await editPolicy(namespace, "port: 5432", "port: 22");
      await expectFoundAndRepaired([/it allows 22\/TCP instead of 5432\/TCP/, /wider|both|allow/]);
    });

    it("find and repair an appended rule, which a refresh does not see", async () => {
      const rule = { to: [{ ipBlock: { cidr: `${STACKS.staging.prefix}.7.7/32` } }] };
      await patchPolicy(namespace, [{ op: "add", path: "/spec/egress/-", value: rule }]);
      await expectFoundAndRepaired([/it also allows 10\.61\.7\.7\/32 on every port/]);
    });

    it("find a new block of the VPC and deploy it", async () => {
      await networks.staging.associate("100.64.0.0/16");
      await expectFoundAndRepaired([/100\.64\.0\.0\/16/]);
    });

    it("find and repair a deleted policy", async () => {
      await kubectl(["-n", namespace, "delete", "networkpolicy", POLICY_NAME]);
      await expectFoundAndRepaired([/NetworkPolicy e2e-deploy-staging\/\S+ is gone/]);
    });

    it("say so where they cannot tell", async () => {
      await networks.staging.duplicate();
      const { status, output } = await drift("staging");
      expect(output).toContain("staging: unknown");
      expect(status).toBe(2);
      const issue = await npm("ci:comment", "drift", "staging", "--print");
      expect(issue.output).toContain("could not be checked");
    });
  });
});

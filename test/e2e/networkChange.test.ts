import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EgressPolicySpec } from "../../runner/networkPolicy.ts";
import { createNamespace, requirePolicy } from "./support/cluster.ts";
import type { Outcome } from "./support/command.ts";
import { Network } from "./support/network.ts";
import { configFor, Project, type Stack } from "./support/stack.ts";

const NAME = "e2e-network-change";
const PACK = ["--policy-pack", "policy-pack"];
const COMMAND = "npm run record -- --stack staging";

describe("a network that changes, with the policy pack", () => {
  let project: Project;
  let network: Network;
  let stack: Stack;

  const npm = (script: string, ...args: readonly string[]): Promise<Outcome> =>
    project.run("npm", ["run", "--silent", script, "--", ...args]);
  const commit = async (message: string) => {
    await project.mustRun("git", ["add", "--all", "--", "."]);
    const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    await project.mustRun("git", [...author, "commit", "--quiet", "--allow-empty", "-m", message]);
  };

  beforeAll(async () => {
    project = await Project.copy();
    [network] = await Promise.all([Network.create({ name: NAME, prefix: "10.63" }), createNamespace(NAME)]);
    await network.recordFacts(project, "staging");
    stack = await project.stack("staging", configFor(network, NAME));
    await project.mustRun("git", ["init", "--quiet"]);
    await writeFile(join(project.directory, ".git", "info", "exclude"), "node_modules\n");
    await commit("the project");
    expect(await stack.up(...PACK)).toMatchObject({ status: 0 });
  });
  afterAll(() => project.remove());

  const CHANGES: readonly {
    readonly name: string;
    readonly change: () => Promise<unknown>;
    /** The policy that refuses the plan, the only one. */
    readonly policy: string;
    /** What the program says of it. */
    readonly differences: readonly string[];
    /** What the live rules are about afterwards: the database's blocks, and whether 44.32.0.0/16 is excepted. */
    readonly database: readonly string[];
    readonly excepts: boolean;
  }[] = [
    {
      name: "a new database subnet",
      change: () => network.addDatabaseSubnet("10.63.103.0/24"),
      policy: "private-reach",
      differences: ["database subnet 10.63.103.0/24"],
      database: ["10.63.100.0/24", "10.63.101.0/24", "10.63.102.0/24", "10.63.103.0/24"],
      excepts: false,
    },
    {
      name: "a VPC block in a public range, with a database subnet in it",
      change: async () => {
        await network.associate("44.32.0.0/16");
        await network.addDatabaseSubnet("44.32.5.0/24");
      },
      policy: "required-destinations",
      differences: ["VPC block 44.32.0.0/16 is not recorded", "database subnet 44.32.5.0/24"],
      database: ["10.63.100.0/24", "10.63.101.0/24", "10.63.102.0/24", "10.63.103.0/24", "44.32.5.0/24"],
      excepts: true,
    },
    {
      name: "a database subnet that goes away",
      change: () => network.removeDatabaseSubnet("10.63.102.0/24"),
      policy: "required-destinations",
      differences: ["is recorded and not there any more"],
      database: ["10.63.100.0/24", "10.63.101.0/24", "10.63.103.0/24", "44.32.5.0/24"],
      excepts: true,
    },
  ];

  it.each(CHANGES)("by $name: refused with the one command that records it, which lets it through", async (step) => {
    const before = (await requirePolicy(NAME)).spec;
    await step.change();

    const refused = [await stack.preview(...PACK), await npm("ci:preview", "staging")];
    refused.push(await npm("ci:comment", "pull-request", "staging", "--print"));
    for (const { output } of refused) {
      expect(output.replace(/\s+/g, " ")).toContain(COMMAND);
    }
    for (const difference of step.differences) {
      expect(refused[0]?.output).toContain(difference);
    }
    expect(refused.map(({ status }) => status !== 0)).toEqual([true, true, true]);
    expect(refused[0]?.stdout.match(/\[mandatory\] .*? {2}([a-z-]+) {2}/g)).toEqual([
      expect.stringContaining(` ${step.policy} `),
    ]);
    expect(refused[2]?.output).toContain("❌ 1 violation");
    expect(await npm("ci:drift", "staging")).toMatchObject({ status: 1 });
    const issue = await npm("ci:comment", "drift", "staging", "--print");
    expect(issue.output).toContain(COMMAND);
    expect((await requirePolicy(NAME)).spec).toEqual(before);

    const recorded = await npm("record", "--stack", "staging");
    expect(recorded.output).toBe("facts/staging.json: written\n");
    await commit(step.name);

    const preview = await npm("ci:preview", "staging");
    expect(preview.status, preview.output).toBe(0);
    const up = await stack.up(...PACK);
    expect(up.status, up.output).toBe(0);
    const { spec } = await requirePolicy(NAME);
    expect(databaseBlocks(spec)).toEqual(step.database);
    expect(JSON.stringify(spec).includes('"44.32.0.0/16"')).toBe(step.excepts);
  });

  it("by a private VPC block: nothing to change, and the comment tells it", async () => {
    await network.associate("100.64.0.0/16");
    expect(await stack.preview(...PACK)).toMatchObject({ status: 0 });
    expect(await npm("ci:preview", "staging")).toMatchObject({ status: 0 });
    const { output } = await npm("ci:comment", "pull-request", "staging", "--print");
    expect(output).toContain("| VPC CIDR | (new) | `100.64.0.0/16` |");
    expect(output).toContain("✅ passed");
  });
});

/** The blocks that a spec allows on the database's port. */
function databaseBlocks({ egress }: EgressPolicySpec): string[] {
  const rules = egress.filter(({ ports }) => ports?.some(({ port }) => port === 5432));
  return rules.flatMap(({ to }) => to.flatMap((peer) => ("ipBlock" in peer ? [peer.ipBlock.cidr] : [])));
}

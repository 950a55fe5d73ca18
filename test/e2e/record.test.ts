import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Network } from "./support/network.ts";
import { configFor, Project, Stack } from "./support/stack.ts";

const NAME = "e2e-record";

describe("npm run record", () => {
  let project: Project;
  let network: Network;
  let stack: Stack;
  beforeAll(async () => {
    project = await Project.copy();
    network = await Network.create({ name: NAME, prefix: "10.80" });
    await network.associate("44.33.0.0/16");
    stack = new Stack(project, "staging");
    await stack.configure(configFor(network, NAME));
  });
  afterAll(() => project.remove());

  const record = () => project.run("npm", ["run", "--silent", "record", "--", "--stack", "staging"]);
  const recorded = () => readFile(join(project.directory, "facts/staging.json"), "utf8");

  it("writes what AWS says, without the cluster and without secrets", async () => {
    const { status, stdout, output } = await record();
    expect(output).toBe("facts/staging.json: written\n");
    expect(stdout).toBe(output);
    expect(status).toBe(0);
    const facts = JSON.parse(await recorded());
    expect(facts).toMatchObject({
      region: "us-east-1",
      vpc: { id: network.vpcId, name: NAME, ipv4Cidrs: ["10.80.0.0/16", "44.33.0.0/16"] },
      databaseSubnetGroup: `${NAME}-db`,
      cluster: { name: NAME, ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
      vpcCni: { version: "v1.21.1-eksbuild.1", networkPolicyEnabled: true },
    });
    const subnets = Object.values(facts.databaseSubnets as Record<string, { cidrs: string[] }>);
    expect(subnets.flatMap(({ cidrs }) => cidrs).sort()).toEqual([
      "10.80.100.0/24",
      "10.80.101.0/24",
      "10.80.102.0/24",
    ]);
    expect(await recorded()).not.toMatch(/https?:|certificate|arn:|123456789012/i);
  });

  it("tells that nothing changed but the time", async () => {
    const before = JSON.parse(await recorded());
    expect(await record()).toMatchObject({
      status: 0,
      stdout: "facts/staging.json: the same network, with the time of today\n",
    });
    const { recordedAt, ...after } = JSON.parse(await recorded());
    expect({ ...after, recordedAt: before.recordedAt }).toEqual(before);
    expect(Date.parse(recordedAt)).toBeGreaterThanOrEqual(Date.parse(before.recordedAt));
  });

  it("gives npm start what the stack's own preview finds", async () => {
    const json = await project.mustRun("npm", ["start", "--silent", "--", "--stack", "staging", "--output", "json"]);
    const [{ facts, policy }] = JSON.parse(json).stacks;
    expect(facts.vpc).toMatchObject({ id: network.vpcId, ipv4Cidrs: ["10.80.0.0/16", "44.33.0.0/16"] });
    expect(policy.spec.egress[4].to[0].ipBlock.except).toContain("44.33.0.0/16");
  });

  it("leaves the file as it is where the lookups find what the program would refuse", async () => {
    const before = await recorded();
    await stack.configure({ "runner-egress:vpc": { name: "e2e-nowhere" } });
    const { status, stdout, output } = await record();
    expect(output).toContain("no matching EC2 VPC found");
    expect(stdout).toBe("");
    expect(status).toBe(1);
    expect(await recorded()).toBe(before);
  });

  it("says of a config that can't be used what the program says, and no more", async () => {
    await stack.configure({ "runner-egress:vpc": { name: NAME }, "runner-egress:adopt": "perhaps" });
    expect(await record()).toEqual({
      status: 3,
      stdout: "",
      output:
        "The config of stack staging can't be used:\n" +
        '  - runner-egress:adopt is "perhaps": must be true or false\n',
    });
  });
});

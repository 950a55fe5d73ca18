import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LivePolicy, requirePolicy } from "./support/cluster.ts";
import { Network } from "./support/network.ts";
import { type ConfigEntries, configFor, Project, type Stack } from "./support/stack.ts";
import { createWorld, type World } from "./support/world.ts";

const NAME = "e2e-closed";

/** Networks on which no policy can be built, each with the name of its VPC, its cluster and its subnet group. */
const BROKEN = {
  inert: { networkPolicy: false },
  old: { vpcCni: "v1.20.0-eksbuild.1" },
  unmanaged: { vpcCni: "none" },
  twice: {},
  foreign: {},
  empty: { databaseCidrs: [] },
};

interface Case {
  readonly what: string;
  /** What the stack's config says instead. */
  readonly config: () => ConfigEntries;
  /** Default: true. False where the preview of `up` has to stop it: the engine keeps a provider's new config at once. */
  readonly skipPreview?: boolean;
  /** What the error says: the finding and what to do. */
  readonly says: readonly string[];
}

describe("a stack that has its policy", () => {
  let project: Project;
  let world: World;
  let stack: Stack;
  const networks = new Map<string, Network>();
  let policy: LivePolicy;
  let state: Awaited<ReturnType<Stack["state"]>>;
  beforeAll(async () => {
    project = await Project.copy();
    world = await createWorld(project, { name: NAME, prefix: "10.50" });
    stack = world.stack;
    for (const [index, [name, options]] of Object.entries(BROKEN).entries()) {
      const network = await Network.create({ name: `${NAME}-${name}`, prefix: `10.${60 + index}`, ...options });
      networks.set(name, network);
    }
    await networks.get("twice")?.duplicate();
    await networks.get("foreign")?.addForeignSubnet(await world.network.createSubnet("10.50.110.0/24"));
    expect(await stack.up()).toMatchObject({ status: 0 });
    [policy, state] = [await requirePolicy(NAME), await stack.state()];
  });
  afterAll(() => project.remove());

  const on = (name: keyof typeof BROKEN) => () => configFor(networks.get(name) as Network, NAME);
  const CASES: Case[] = [
    {
      what: "a VPC that is not there",
      config: () => ({ "runner-egress:vpc": { name: "e2e-nowhere" } }),
      says: ["runner-egress:vpc", "no matching EC2 VPC found", "Name tag"],
    },
    { what: "two VPCs of one name", config: on("twice"), says: ["multiple EC2 VPCs matched", "give vpc.id"] },
    {
      what: "a DB subnet group that is not there",
      config: on("empty"),
      says: ["runner-egress:databaseSubnets", "DBSubnetGroupNotFoundFault", "rds:DescribeDBSubnetGroups"],
    },
    {
      what: "tags that no subnet has",
      config: () => ({ "runner-egress:databaseSubnets": { tags: { Tier: "nothing" } } }),
      says: ["no subnet of vpc-", "the database would be cut off"],
    },
    { what: "a database subnet of another VPC", config: on("foreign"), says: ["the subnet is not in vpc-"] },
    {
      what: "a cluster in another VPC",
      config: () => ({ "runner-egress:cluster": { eks: `${NAME}-inert`, context: process.env.E2E_CONTEXT } }),
      says: ["but the cluster is in vpc-"],
    },
    {
      what: "a cluster that is not there",
      config: () => ({ "runner-egress:cluster": { eks: "e2e-nowhere", context: process.env.E2E_CONTEXT } }),
      says: ["runner-egress:cluster.eks", "eks:DescribeCluster"],
    },
    {
      what: "network policy switched off",
      config: on("inert"),
      says: ["network policy is off", "runner-egress:acknowledge.network-policy-disabled"],
    },
    {
      what: "an agent that opens every port of the database",
      config: on("old"),
      says: ["1.2.3", "runner-egress:acknowledge.agent-too-old"],
    },
    {
      what: "an add-on that EKS does not manage",
      config: on("unmanaged"),
      says: ["no managed vpc-cni add-on", "runner-egress:acknowledge.vpc-cni-not-managed"],
    },
    {
      what: "an account that is not allowed",
      config: () => ({ "aws:allowedAccountIds": ["999999999999"] }),
      skipPreview: false,
      says: ["AWS account ID not allowed"],
    },
    {
      what: "config that means nothing",
      config: () => ({ "runner-egress:vpc": { ofCluster: "maybe" }, "runner-egress:adopted": true }),
      says: ["runner-egress:vpc.ofCluster", "runner-egress:adopted", "did you mean adopt?"],
    },
    {
      what: "a destination that breaks a guardrail",
      config: () => ({
        "runner-egress:destinations": { cidrs: { imds: { cidrs: ["169.254.169.254/32"], ports: ["80/TCP"] } } },
      }),
      says: ["- runner-egress:destinations.cidrs.imds: it breaks the guardrail metadata-endpoints", "Fix: "],
    },
    {
      what: "a block that holds the private ranges",
      config: () => ({
        "runner-egress:destinations": { cidrs: { all: { cidrs: ["0.0.0.0/0"], ports: ["80/TCP"] } } },
      }),
      says: ["- runner-egress:destinations.cidrs.all is", "Name smaller blocks"],
    },
    {
      what: "another selector for the same policy",
      config: () => ({ "runner-egress:runner": { namespace: NAME, podLabels: { app: "runner" } } }),
      says: ["its podSelector changes", "runner-egress:acknowledge.policy-identity-change"],
    },
    {
      what: "another name for the policy",
      config: () => ({ "runner-egress:runner": { namespace: NAME, policyName: "runner" } }),
      says: ["runner-egress:acknowledge.policy-identity-change"],
    },
  ];

  it.each(CASES)("keeps it, untouched, before $what", async ({ config, skipPreview = true, says }) => {
    const good = configFor(world.network, NAME);
    const bad = config();
    await stack.configure({ ...good, ...bad });
    const { status, output } = await stack.up(...(skipPreview ? ["--skip-preview"] : []));
    const reset = Object.keys(bad).filter((key) => !(key in good));
    await stack.configure({ ...good, ...Object.fromEntries(reset.map((key) => [key, undefined])) });

    expect(output).toContain("error: ");
    for (const text of says) {
      expect(output).toContain(text);
    }
    // A list for its user, not a bug of the program.
    expect(output).not.toMatch(/\n\s*at |file:\/\/\/|unhandled exception|__pulumi/);
    expect(status).not.toBe(0);
    expect(await requirePolicy(NAME)).toEqual(policy);
    expect(await stack.state()).toEqual(state);
  });

  it("goes on where a finding is acknowledged, and says so in every run", async () => {
    await world.network.replaceAddOn({ networkPolicy: false });
    await stack.configure({ "runner-egress:acknowledge": { "network-policy-disabled": "a test cluster" } });
    for (const act of [() => stack.preview(), () => stack.up(), () => stack.preview()]) {
      const { status, output } = await act();
      expect(output).toMatch(
        /warning: .*network policy is off.*Acknowledged \(network-policy-disabled\): a test cluster/,
      );
      expect(status).toBe(0);
    }
    expect((await requirePolicy(NAME)).spec).toEqual(policy.spec);
  });
});

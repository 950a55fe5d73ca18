import { beforeAll, describe, expect, it, vi } from "vitest";
import { readRecordedFacts } from "../../program/facts/recordedFactsFile.ts";
import type { LivePolicy } from "../../program/lookups/livePolicy.ts";
import { COMPONENT, only, POLICY, type ProgramRun, runProgram } from "../support/program.ts";

const STACKS = [
  { stack: "staging", region: "us-east-1", network: "10.1", subnets: "1" },
  { stack: "prod", region: "us-east-2", network: "10.0", subnets: "2" },
];

const callsOf = ({ called }: ProgramRun) => called.map(({ token, args }) => `${token} ${JSON.stringify(args)}`).sort();

describe.each(STACKS)("the program for $stack", ({ stack, region, network, subnets }) => {
  let run: ProgramRun;
  beforeAll(async () => {
    run = await runProgram(stack);
  });

  it("registers two providers, the component and its one policy, the same in a preview and in an update", async () => {
    expect(run.error).toBe("");
    expect(run.registered.map(({ type }) => type)).toEqual([
      "pulumi:pulumi:Stack",
      "pulumi:providers:aws",
      "pulumi:providers:kubernetes",
      COMPONENT,
      POLICY,
    ]);
    const update = await runProgram(stack, { preview: false });
    expect(update.registered).toEqual(run.registered);
    expect(update.outputs).toEqual(run.outputs);
  });

  it("has nothing to say", () => {
    expect([run.warnings, run.notes]).toEqual(["", ""]);
  });

  it("names the provider of every resource and every lookup on AWS", () => {
    expect(only(run, POLICY).provider).toMatch(/\bpulumi:providers:kubernetes::kubernetes::/);
    const lookups = run.called.filter(({ token }) => token.startsWith("aws:"));
    expect(new Set(lookups.map(({ provider }) => provider?.replace(/^.*\$/, "")))).toEqual(
      new Set(["pulumi:providers:aws::aws::aws"]),
    );
  });

  it("looks up this network and no other", () => {
    expect(callsOf(run)).toEqual(
      [
        `aws:ec2/getVpc:getVpc {"tags":{"Name":"techops-${stack}"}}`,
        `aws:rds/getSubnetGroup:getSubnetGroup {"name":"techops-${stack}-db"}`,
        ...[0, 1, 2].map((n) => `aws:ec2/getSubnet:getSubnet {"id":"subnet-00000000000000${subnets}0${n}"}`),
        `aws:eks/getCluster:getCluster {"name":"techops-${stack}"}`,
        `aws:eks/getAddon:getAddon {"addonName":"vpc-cni","clusterName":"techops-${stack}"}`,
        `pulumi:pulumi:readStackOutputs {"name":"organization/runner-egress/${stack}"}`,
      ].sort(),
    );
  });

  it("protects the policy, waits for the AWS provider, and imports nothing", () => {
    const { protect, dependsOn, providers } = run.options.get(COMPONENT) as Record<string, unknown>;
    expect(protect).toBe(true);
    // So that a destroy that protection refuses leaves the provider alone.
    expect((dependsOn as { __name: string }[]).map(({ __name }) => __name)).toEqual(["aws"]);
    expect((providers as { __name: string }[]).map(({ __name }) => __name)).toEqual(["kubernetes"]);
    expect(only(run, POLICY).imported).toBeUndefined();
    const policyOptions = run.options.get(POLICY) ?? {};
    // By the component, whose protection holds for it.
    expect(Object.keys(policyOptions).sort()).toEqual(["aliases", "parent", "version"]);
  });

  it("configures the providers with plain values of this stack", () => {
    expect(only(run, "pulumi:providers:aws").inputs).toMatchObject({ region });
    const { inputs } = only(run, "pulumi:providers:kubernetes");
    expect(inputs.clusterIdentifier).toBe(`eks/${region}/techops-${stack}`);
    const kubeconfig = JSON.parse(inputs.kubeconfig);
    expect(kubeconfig.users[0].user.exec.command).toBe("aws");
    expect(kubeconfig.users[0].user.exec.args).toEqual(
      expect.arrayContaining(["get-token", "--region", region, "--cluster-name", `techops-${stack}`]),
    );
    expect(JSON.stringify(kubeconfig)).not.toContain('token":');
  });

  it("allows the database's subnets of this stack on 5432 only", () => {
    expect(only(run, POLICY).inputs).toMatchObject({
      metadata: { name: "workflow-runner-block-imds", namespace: "keeperhub" },
      spec: {
        podSelector: { matchLabels: { app: "workflow-runner" } },
        policyTypes: ["Egress"],
        egress: expect.arrayContaining([
          {
            ports: [{ port: 5432, protocol: "TCP" }],
            to: [100, 101, 102].map((n) => ({ ipBlock: { cidr: `${network}.${n}.0/24` } })),
          },
        ]),
      },
    });
  });

  it("puts the policy and the facts into the stack's outputs, and the facts into the component's inputs", () => {
    const facts = {
      vpc: { id: `vpc-0000000000000000${subnets}`, region, ipv4Cidrs: [`${network}.0.0/16`], ipv6Cidrs: [] },
      databaseSubnets: [0, 1, 2].map((n) => ({
        id: `subnet-00000000000000${subnets}0${n}`,
        cidrs: [`${network}.10${n}.0/24`],
      })),
      cluster: { name: `techops-${stack}`, ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
      addOn: { version: "v1.21.1-eksbuild.1", agentVersion: "1.3.1", networkPolicyEnabled: true, acknowledged: [] },
    };
    expect(run.outputs).toEqual({ policyName: "workflow-runner-block-imds", namespace: "keeperhub", facts });
    expect(only(run, COMPONENT).inputs).toMatchObject({ facts });
  });
});

it("leaves none of the Kubernetes provider's switches to the environment", async () => {
  const switches = { DELETE_UNREACHABLE: true, ENABLE_PATCH_FORCE: true, ENABLE_SERVER_SIDE_APPLY: false };
  const before = await runProgram("staging");
  for (const [name, value] of Object.entries({
    ...switches,
    SKIP_UPDATE_UNREACHABLE: true,
    UPSERT_EXISTING_OBJECTS: true,
  })) {
    vi.stubEnv(`PULUMI_K8S_${name}`, String(value));
  }
  const after = await runProgram("staging");
  vi.unstubAllEnvs();
  expect(after.registered).toEqual(before.registered);
});

describe("a policy that is there already", () => {
  const DEPLOYED = { policyName: "workflow-runner-block-imds", namespace: "keeperhub" };

  /** The policy that the clusters had before June 2026, applied with kubectl. */
  const EARLIER: LivePolicy = {
    resourceVersion: "41",
    writers: ["kubectl-client-side-apply"],
    annotations: {},
    spec: {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } }] }],
    },
  };

  /** The policy as the stack registers it, on the cluster. */
  async function applied(change: (spec: { egress: unknown[] }) => void = () => {}): Promise<LivePolicy> {
    const { inputs } = only(await runProgram("staging"), POLICY);
    const spec = structuredClone(inputs.spec);
    change(spec);
    return { resourceVersion: "41", writers: ["pulumi-kubernetes"], annotations: inputs.metadata.annotations, spec };
  }

  it("is taken over in place where the stack adopts it", async () => {
    const run = await runProgram("staging", { live: EARLIER, config: { "runner-egress:adopt": "true" } });
    expect(run.error).toBe("");
    expect(only(run, POLICY).imported).toBe("keeperhub/workflow-runner-block-imds");
    expect(only(run, POLICY).inputs.metadata.annotations).toMatchObject({ "pulumi.com/patchForce": "true" });
    expect(run.warnings).toContain("takes it over in place");
  });

  it("stops the stack otherwise, before the policy is registered, and says what to set", async () => {
    const run = await runProgram("staging", { live: EARLIER });
    expect(run.error).toContain("runner-egress:adopt");
    expect(run.registered.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack", "pulumi:providers:aws"]);
  });

  it("is left as it is where it is the stack's own", async () => {
    const run = await runProgram("staging", { live: await applied(), deployed: DEPLOYED });
    expect([run.error, run.warnings, run.notes]).toEqual(["", "", ""]);
    expect(only(run, POLICY)).toEqual(only(await runProgram("staging"), POLICY));
  });

  it("is repaired where somebody appended a rule to it, and the warning says what that lets through", async () => {
    const live = await applied(({ egress }) => egress.push({ to: [{ ipBlock: { cidr: "10.1.7.7/32" } }] }));
    const run = await runProgram("staging", { live, deployed: DEPLOYED });
    expect(run.error).toBe("");
    expect(run.warnings).toContain("10.1.7.7");
    expect(only(run, POLICY).inputs.metadata.annotations).not.toEqual(live.annotations);
  });

  it("loses its protection for once where another takes its place, which has to be acknowledged", async () => {
    const deployed = { ...DEPLOYED, policyName: "former" };
    expect((await runProgram("staging", { deployed })).error).toContain("policy-identity-change");
    const config = { "runner-egress:acknowledge": JSON.stringify({ "policy-identity-change": "a test" }) };
    const run = await runProgram("staging", { deployed, config });
    expect(run.error).toBe("");
    expect(run.options.get(COMPONENT)?.protect).toBe(false);
  });
});

describe("the network", () => {
  it("gives the same result, whatever the order in which AWS answers", async () => {
    const straight = await runProgram("prod");
    const recorded = await readRecordedFacts("facts/prod.json");
    const reversed = await runProgram("prod", {
      facts: { ...recorded, databaseSubnets: new Map([...recorded.databaseSubnets].reverse()) },
    });
    expect(JSON.stringify(reversed.registered)).toBe(JSON.stringify(straight.registered));
    expect(JSON.stringify(reversed.outputs)).toBe(JSON.stringify(straight.outputs));
  });

  it("stops the stack where the engine answers lookups with nothing, as it does for an unknown provider", async () => {
    const run = await runProgram("prod", { answer: () => ({}) });
    expect(run.registered.map(({ type }) => type)).not.toContain(POLICY);
    for (const where of [
      "runner-egress:vpc",
      "runner-egress:databaseSubnets",
      "runner-egress:cluster",
      "add-on vpc-cni",
    ]) {
      expect(run.error).toContain(where);
    }
  });

  it("stops the stack where the policy would be ignored, unless that is acknowledged", async () => {
    const recorded = await readRecordedFacts("facts/staging.json");
    const facts = {
      ...recorded,
      vpcCni: { version: "v1.21.1-eksbuild.1", networkPolicyEnabled: false, ipv4Egress: true },
    };
    expect((await runProgram("staging", { facts })).error).toContain(
      "runner-egress:acknowledge.network-policy-disabled",
    );

    const config = { "runner-egress:acknowledge": JSON.stringify({ "network-policy-disabled": "a test" }) };
    const accepted = await runProgram("staging", { facts, config });
    expect(accepted.error).toBe("");
    expect(accepted.warnings).toContain("Acknowledged (network-policy-disabled): a test");
    expect(accepted.outputs).toMatchObject({ facts: { addOn: { acknowledged: ["network-policy-disabled"] } } });
  });

  it("is not asked of EKS where the cluster is a kubeconfig context", async () => {
    const config = {
      "runner-egress:cluster": JSON.stringify({ context: "tunnel", ipFamily: "ipv4" }),
      "runner-egress:acknowledge": JSON.stringify({ "vpc-cni-not-managed": "a test" }),
    };
    const run = await runProgram("staging", { config });
    expect(run.error).toBe("");
    expect(callsOf(run).filter((call) => call.includes("eks"))).toEqual([]);
    // Not the path in KUBECONFIG, which is another one on each machine.
    expect(only(run, "pulumi:providers:kubernetes").inputs).toMatchObject({ context: "tunnel", kubeconfig: "" });
  });
});

it("reports every problem of the config at once, before anything is looked up", async () => {
  const run = await runProgram("staging", {
    config: {
      "runner-egress:vpc": JSON.stringify({ id: "vpc-1", name: "techops-staging" }),
      "runner-egress:adopt": "yes",
      "runner-egress:destinatons": "{}",
      "aws:allowedAccountIds": JSON.stringify(["12"]),
    },
  });
  for (const key of [
    "runner-egress:vpc",
    "runner-egress:adopt",
    "runner-egress:destinatons",
    "aws:allowedAccountIds",
  ]) {
    expect(run.error).toContain(key);
  }
  expect(run.error).toContain("did you mean destinations?");
  expect(run.called).toEqual([]);
  expect(run.registered.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
});

it("asks for no subnets and opens no database where a stack needs none", async () => {
  const run = await runProgram("staging", {
    config: {
      "runner-egress:databaseSubnets": undefined,
      "runner-egress:destinations": JSON.stringify({ database: null }),
    },
  });
  expect(run.error).toBe("");
  expect(run.called.filter(({ token }) => /subnet/i.test(token))).toEqual([]);
  expect(run.outputs.facts).toMatchObject({ databaseSubnets: [] });
  expect(JSON.stringify(only(run, POLICY).inputs)).not.toContain("5432");
});

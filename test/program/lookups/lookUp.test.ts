import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ProblemsError } from "../../../analysis/problems.ts";
import { lookUpNetwork } from "../../../program/lookups/lookUpNetwork.ts";
import { lookUpPolicy } from "../../../program/lookups/lookUpPolicy.ts";
import { APPLIED_ANNOTATION, fingerprint, STACK_ANNOTATION } from "../../../program/lookups/planTakeover.ts";
import { awsProvider } from "../../../program/lookups/providers.ts";
import { LIVE, type Surroundings } from "../../../program/lookups/surroundings.ts";
import { KEEPERHUB_CONTRACT } from "../../../runner/contract.ts";
import { buildRunnerPolicy } from "../../../runner/runnerPolicy.ts";
import { startApiServer, type TestApiServer } from "../../support/apiServer.ts";
import { stackConfig } from "../../support/awsAnswers.ts";

const config = stackConfig({ cluster: { eks: "techops-staging", context: "c" } });
const folder = mkdtempSync(join(tmpdir(), "lookup-"));
/** What the engine answers, by the function's name. */
let answers: Record<string, object> = {};
let live: [status: number, body: unknown] = [404, { kind: "Status" }];
let server: TestApiServer;
let provider: Provider;
const said: string[] = [];

beforeAll(async () => {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: name, state: inputs }),
      call: ({ token, inputs }) => {
        if (token === "pulumi:pulumi:readStackOutputs") {
          expect(inputs).toEqual({ name: "keeperhub/runner-egress/staging" });
        }
        return answers[token.split(":").at(-1) ?? ""] ?? {};
      },
    },
    "runner-egress",
    "staging",
    false,
    "keeperhub",
  );
  provider = awsProvider({ region: "us-east-1" });
  server = await startApiServer(() => live);
  writeFileSync(join(folder, "config"), JSON.stringify(server.kubeconfig));
  vi.stubEnv("KUBECONFIG", join(folder, "config"));
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

beforeEach(() => {
  live = [404, { kind: "Status" }];
  answers = {
    getCluster: {
      vpcConfig: { vpcId: "vpc-1" },
      kubernetesNetworkConfigs: [{ ipFamily: "ipv4", serviceIpv4Cidr: "172.20.0.0/16" }],
    },
    getAddon: { addonVersion: "v1.21.1-eksbuild.1", configurationValues: '{"enableNetworkPolicy":"true"}' },
    getVpc: {
      id: "vpc-1",
      cidrBlockAssociations: [{ cidrBlock: "10.1.0.0/16", state: "associated" }],
      ipv6CidrBlockAssociations: [],
    },
    getSubnetGroup: { vpcId: "vpc-1", subnetIds: ["subnet-a"] },
    getSubnet: { vpcId: "vpc-1", cidrBlock: "10.1.100.0/24" },
    readStackOutputs: { outputs: {} },
  };
  said.length = 0;
});

const say = (level: string) => async (text: string) => {
  said.push(`${level}: ${text}`);
};
const surroundings: Surroundings = {
  readLivePolicy: LIVE.readLivePolicy,
  log: { warn: say("warn"), info: say("info") },
};

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("lookUpNetwork", () => {
  it("gives the facts and the way to the cluster", async () => {
    const { facts, cluster } = await lookUpNetwork(config, provider, surroundings);
    expect(facts.databaseSubnets).toEqual([{ id: "subnet-a", cidrs: ["10.1.100.0/24"] }]);
    expect(cluster).toEqual({ context: "c" });
    expect(said).toEqual([]);
  });

  it("repeats what was acknowledged at every run", async () => {
    answers.getAddon = { addonVersion: "v1.21.1-eksbuild.1" };
    const acknowledged = { ...config, acknowledge: new Map([["network-policy-disabled", "soon"]] as const) };
    await lookUpNetwork(acknowledged, provider, surroundings);
    expect(said).toEqual([
      expect.stringMatching(/^warn: add-on vpc-cni.*Acknowledged \(network-policy-disabled\): soon$/),
    ]);
  });

  it("fails without a stack trace", async () => {
    answers.getVpc = {};
    const failure = await failureOf(lookUpNetwork(config, provider, surroundings));
    expect(failure).toBeInstanceOf(ProblemsError);
    expect((failure as Error).message).toMatch(
      /^The network can't be relied on; nothing was written:\n {2}- runner-egress:vpc/,
    );
  });
});

describe("lookUpPolicy", () => {
  const found = async () => lookUpPolicy(config, await lookUpNetwork(config, provider, surroundings), surroundings);
  const desired = async () =>
    buildRunnerPolicy(KEEPERHUB_CONTRACT, (await lookUpNetwork(config, provider, surroundings)).facts).policy;
  const own = async (spec: object) => ({
    kind: "NetworkPolicy",
    metadata: {
      resourceVersion: "7",
      annotations: { [STACK_ANNOTATION]: "runner-egress/staging", [APPLIED_ANNOTATION]: fingerprint(spec) },
    },
    spec,
  });

  it("finds nothing on a new cluster", async () => {
    expect(await found()).toMatchObject({ adopt: false, replaces: false, warnings: [], changes: [] });
  });

  it("says in words what an update of the live policy changes", async () => {
    const { spec } = await desired();
    answers.readStackOutputs = { outputs: { policyName: "workflow-runner-block-imds", namespace: "keeperhub" } };
    live = [200, await own({ ...spec, egress: spec.egress.slice(1) })];
    await found();
    expect(said).toEqual([
      "info: NetworkPolicy keeperhub/workflow-runner-block-imds: against the live policy, this changes:\n" +
        "  - it also allows pods k8s-app=kube-dns in namespace kube-system on 53/TCP, 53/UDP",
    ]);
  });

  it("warns of what somebody changed", async () => {
    const { spec } = await desired();
    answers.readStackOutputs = { outputs: { policyName: "workflow-runner-block-imds", namespace: "keeperhub" } };
    const applied = await own(spec);
    live = [200, { ...applied, spec: { ...spec, egress: [...spec.egress, {}] } }];
    await found();
    expect(said).toEqual([
      expect.stringMatching(/^warn: .*it also allows every destination on every port: everything is open/s),
    ]);
  });

  it("knows from the stack's outputs what it replaces", async () => {
    answers.readStackOutputs = { outputs: { policyName: "old", namespace: "keeperhub" } };
    const failure = await failureOf(found());
    expect(failure).toBeInstanceOf(ProblemsError);
    expect((failure as Error).message).toMatch(
      /^The policy can't be applied; nothing was written:\n.*it replaces keeperhub\/old, which this stack has now/,
    );
  });

  it("tells by its config key what can't be built in this network", async () => {
    const cidrs = [{ name: "imds", cidrs: ["fd00:ec2::254/128"], ports: [{ protocol: "TCP", port: 80 }] }] as const;
    const contract = { ...KEEPERHUB_CONTRACT, cidrs };
    const failure = await failureOf(
      lookUpPolicy({ ...config, contract }, await lookUpNetwork(config, provider, surroundings), surroundings),
    );
    expect(failure).toBeInstanceOf(ProblemsError);
    expect((failure as Error).message).toMatch(
      /^The policy can't be built; nothing was written:\n {2}- runner-egress:destinations\.cidrs\.imds is "fd00:ec2::254\/128": the cluster's pods have ipv4 addresses/,
    );
  });

  it("fails when the stack's outputs can't be read, together with the live policy and without a stack trace", async () => {
    answers.readStackOutputs = {};
    live = [401, { message: "who" }];
    const failure = await failureOf(found());
    expect(failure).toBeInstanceOf(ProblemsError);
    expect((failure as Error).message.split("\n").slice(1)).toEqual([
      expect.stringContaining("NetworkPolicy keeperhub/workflow-runner-block-imds: the API server answered 401: who"),
      "  - stack keeperhub/runner-egress/staging: its outputs can't be read: the engine answered none. Check the access " +
        "to Pulumi's state and try again",
    ]);
  });

  it("fails when the live policy can't be read, without a stack trace", async () => {
    live = [403, { message: "no" }];
    const failure = await failureOf(found());
    expect(failure).toBeInstanceOf(ProblemsError);
    expect((failure as Error).message).toMatch(/^What is there now can't be read; nothing was written:\n.*403: no/);
  });
});

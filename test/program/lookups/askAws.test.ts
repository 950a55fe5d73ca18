import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StackConfig } from "../../../program/config/stackConfig.ts";
import { foundIn } from "../../../program/lookups/awsAnswers.ts";
import { stackConfig } from "../../support/awsAnswers.ts";

interface Call {
  readonly token: string;
  readonly inputs: Record<string, unknown>;
}

const calls: Call[] = [];
/** What the engine answers, by the function's name; an error for text. */
let answers: Record<string, object | string> = {};
let provider: Provider;
let askAws: typeof import("../../../program/lookups/askAws.ts").askAws;

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: name, state: inputs }),
    call: ({ token, inputs, provider }) => {
      expect(provider, `${token} names its provider`).toContain("pulumi:providers:aws::aws");
      calls.push({ token: token.split(":").at(-1) ?? "", inputs });
      const answer = answers[token.split(":").at(-1) ?? ""];
      if (typeof answer === "object") {
        return answer;
      }
      // A plain error would lose its text on the way through the mock.
      throw Object.assign(new Error(answer), { details: answer });
    },
  });
  ({ askAws } = await import("../../../program/lookups/askAws.ts"));
  const { awsProvider } = await import("../../../program/lookups/providers.ts");
  provider = awsProvider({ region: "us-east-1", profile: "ops", allowedAccountIds: ["123456789012"] });
});

beforeEach(() => {
  calls.length = 0;
  answers = {
    getCluster: { vpcConfig: { vpcId: "vpc-9" } },
    getAddon: { addonVersion: "v1.21.1-eksbuild.1" },
    getVpc: { id: "vpc-1" },
    getSubnetGroup: { subnetIds: ["subnet-b", "subnet-a", "subnet-b"] },
    getSubnets: { ids: ["subnet-d", "subnet-c"] },
    getSubnet: { cidrBlock: "10.1.100.0/24" },
  };
});

async function ask(changes: Partial<StackConfig> = {}) {
  const result = await askAws(stackConfig(changes), provider);
  return { result, asked: calls.map(({ token, inputs }) => `${token} ${JSON.stringify(inputs)}`).sort() };
}

const EKS = [
  'getAddon {"addonName":"vpc-cni","clusterName":"techops-staging"}',
  'getCluster {"name":"techops-staging"}',
];

describe("asks AWS", () => {
  it("for the VPC by its name and for the subnets of the DB subnet group, each once", async () => {
    const { result, asked } = await ask();
    expect(asked).toEqual([
      ...EKS,
      'getSubnet {"id":"subnet-a"}',
      'getSubnet {"id":"subnet-b"}',
      'getSubnetGroup {"name":"techops-staging-db"}',
      'getVpc {"tags":{"Name":"techops-staging"}}',
    ]);
    expect(foundIn(result.vpc)).toMatchObject({ id: "vpc-1" });
    expect([...result.subnets.keys()]).toEqual(["subnet-a", "subnet-b"]);
  });

  it("for the cluster's own VPC, and for the subnets of that VPC that carry the tags", async () => {
    const { asked } = await ask({ vpc: { ofCluster: true }, databaseSubnets: { tags: { Tier: "database" } } });
    expect(asked).toEqual([
      ...EKS,
      'getSubnet {"id":"subnet-c"}',
      'getSubnet {"id":"subnet-d"}',
      'getSubnets {"filters":[{"name":"vpc-id","values":["vpc-1"]}],"tags":{"Tier":"database"}}',
      'getVpc {"id":"vpc-9"}',
    ]);
  });

  it("for ids as they are given, and nothing of EKS, where a context stands for the cluster", async () => {
    const { result, asked } = await ask({
      cluster: { context: "lab", ipFamily: "ipv4" },
      vpc: { id: "vpc-1" },
      databaseSubnets: { ids: ["subnet-x", "subnet-x"] },
    });
    expect(asked).toEqual(['getSubnet {"id":"subnet-x"}', 'getVpc {"id":"vpc-1"}']);
    expect(Object.keys(result).sort()).toEqual(["subnets", "vpc"]);
  });
});

describe("what fails", () => {
  it("is an answer too, in the provider's words, and holds up nothing else", async () => {
    answers.getCluster =
      "invocation of aws:eks/getCluster:getCluster returned an error: invoking aws:eks/getCluster:getCluster: 1 error " +
      "occurred:\n\t* reading EKS Cluster (x): operation error EKS: DescribeCluster, https response error StatusCode: 404, " +
      "RequestID: abc-1, ResourceNotFoundException: No cluster found for name: x.\n\n";
    const { result } = await ask();
    expect(result.cluster).toEqual({
      failure:
        "reading EKS Cluster (x): operation error EKS: DescribeCluster, ResourceNotFoundException: No cluster found for " +
        "name: x",
    });
    expect(foundIn(result.vpc)).toBeDefined();
  });

  it("stops the questions that build on it", async () => {
    answers.getCluster = "away";
    answers.getSubnetGroup = "away";
    const { result, asked } = await ask({ vpc: { ofCluster: true } });
    expect(asked.filter((call) => call.startsWith("getVpc") || call.startsWith("getSubnet "))).toEqual([]);
    expect(result.vpc).toBeUndefined();
    expect(result.subnets.size).toBe(0);
  });

  it("is not asked twice where an answer is empty", async () => {
    answers.getCluster = {};
    answers.getVpc = {};
    const { asked } = await ask({ databaseSubnets: { tags: { Tier: "database" } } });
    expect(asked.filter((call) => call.startsWith("getSubnet"))).toEqual([]);
  });
});

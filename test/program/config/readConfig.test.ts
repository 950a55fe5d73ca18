import { describe, expect, it } from "vitest";
import type { StackConfig } from "../../../program/config/stackConfig.ts";
import { KEEPERHUB_CONTRACT } from "../../../runner/contract.ts";
import { problemsOf, read, type Values } from "../../support/config.ts";

describe("a good config", () => {
  it("needs four keys and has KeeperHub's contract", () => {
    expect(read({})).toEqual({
      stack: "runner-egress/staging",
      aws: { region: "us-east-1" },
      cluster: { eks: "techops-staging" },
      vpc: { name: "techops-staging" },
      databaseSubnets: { subnetGroup: "techops-staging-db" },
      contract: KEEPERHUB_CONTRACT,
      mustReach: { endpoints: [] },
      adopt: false,
      acknowledge: new Map(),
      acknowledgedReach: [],
    });
  });

  it.each<[string, Values, Partial<StackConfig>]>([
    ["a VPC by id", { "runner-egress:vpc": { id: "vpc-1" } }, { vpc: { id: "vpc-1" } }],
    ["the cluster's VPC", { "runner-egress:vpc": { ofCluster: true } }, { vpc: { ofCluster: true } }],
    [
      "database subnets by tags",
      { "runner-egress:databaseSubnets": { tags: { Tier: "database" } } },
      { databaseSubnets: { tags: { Tier: "database" } } },
    ],
    [
      "database subnets by id",
      { "runner-egress:databaseSubnets": { ids: ["subnet-1"] } },
      { databaseSubnets: { ids: ["subnet-1"] } },
    ],
    [
      "a role for EKS",
      { "runner-egress:cluster": { eks: "a", roleArn: "arn:aws:iam::1:role/r" } },
      { cluster: { eks: "a", roleArn: "arn:aws:iam::1:role/r" } },
    ],
    [
      "EKS behind a tunnel",
      { "runner-egress:cluster": { eks: "a", context: "tunnel" } },
      { cluster: { eks: "a", context: "tunnel" } },
    ],
    [
      "a kubeconfig context",
      { "runner-egress:cluster": { context: "lab", ipFamily: "ipv6" } },
      { cluster: { context: "lab", ipFamily: "ipv6" } },
    ],
    [
      "account ids, as text or as the numbers that pulumi config set makes of them",
      { "aws:allowedAccountIds": ["012345678901", 123456789012], "aws:profile": "ops" },
      { aws: { region: "us-east-1", profile: "ops", allowedAccountIds: ["012345678901", "123456789012"] } },
    ],
    ["adoption", { "runner-egress:adopt": true }, { adopt: true }],
    ["no adoption", { "runner-egress:adopt": "false" }, { adopt: false }],
    [
      "acknowledgements",
      { "runner-egress:acknowledge": { "agent-too-old": "until Monday" } },
      { acknowledge: new Map([["agent-too-old", "until Monday"]]) },
    ],
  ])("may have %s", (_, changes, expected) => {
    expect(read(changes)).toMatchObject(expected);
  });

  it("needs no database subnets where the runners need no database", () => {
    const changes = { "runner-egress:databaseSubnets": undefined };
    const config = read({ ...changes, "runner-egress:destinations": { database: null } });
    expect(config.databaseSubnets).toBeUndefined();
    expect(config.contract.database).toBeUndefined();
    expect(problemsOf(changes)).toEqual([
      "runner-egress:databaseSubnets: missing; give {subnetGroup: NAME}, {tags: {KEY: VALUE}} or {ids: [ID]}",
    ]);
  });

  it("changes what it names of a destination and keeps the rest", () => {
    const { contract } = read({
      "runner-egress:runner": { policyName: "p", namespace: "n", podLabels: { app: "r" } },
      "runner-egress:destinations": {
        dns: { ports: ["53/UDP"] },
        sandbox: { podLabels: { app: "sandbox" } },
        executor: { namespace: "other" },
        database: { ports: ["5432-5433/TCP"] },
      },
    });
    const [dns, sandbox, executor] = KEEPERHUB_CONTRACT.services;
    expect(contract).toEqual({
      policyName: "p",
      namespace: "n",
      podLabels: { app: "r" },
      services: [
        { ...dns, ports: [{ protocol: "UDP", port: 53 }] },
        { ...sandbox, podLabels: { app: "sandbox" } },
        { ...executor, namespace: "other" },
      ],
      database: { ports: [{ protocol: "TCP", port: 5432, endPort: 5433 }] },
      cidrs: [],
      internet: {},
    });
  });

  it("adds services, in the runner's namespace by default, and blocks", () => {
    const { contract } = read({
      "runner-egress:destinations": {
        services: {
          web: { podLabels: { app: "web" }, ports: ["80/TCP"] },
          queue: { namespace: "mq", podLabels: { app: "q" }, ports: ["5672/TCP"] },
        },
        cidrs: { "node-local-dns": { cidrs: ["169.254.20.10/32"], ports: ["53/UDP", "53/TCP"] } },
      },
    });
    expect(contract.services.slice(3)).toEqual([
      { name: "queue", namespace: "mq", podLabels: { app: "q" }, ports: [{ protocol: "TCP", port: 5672 }] },
      { name: "web", namespace: "keeperhub", podLabels: { app: "web" }, ports: [{ protocol: "TCP", port: 80 }] },
    ]);
    expect(contract.cidrs).toEqual([
      {
        name: "node-local-dns",
        cidrs: ["169.254.20.10/32"],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import type { StackConfig } from "../../../program/config/stackConfig.ts";
import type { AwsAnswers } from "../../../program/lookups/awsAnswers.ts";
import { awsAnswers, subnets } from "../../support/awsAnswers.ts";
import { type Answers, addOn, judge, problemsOf } from "../../support/judging.ts";

const vpc = (found: Record<string, unknown>): AwsAnswers["vpc"] => ({
  found: {
    id: "vpc-1",
    cidrBlockAssociations: [{ cidrBlock: "10.1.0.0/16", state: "associated" }],
    ipv6CidrBlockAssociations: [],
    ...found,
  },
});
const cluster = (found: Record<string, unknown>): AwsAnswers["cluster"] => ({
  found: { ...(awsAnswers().cluster as { found: object }).found, ...found },
});
const unlike = (what: string) =>
  `the lookup answered ${what}; refusing to go on (an unknown provider argument does this)`;
const IN_VPC = 'runner-egress:vpc is {"name":"techops-staging"}';
const IN_SUBNETS = 'runner-egress:databaseSubnets is {"subnetGroup":"techops-staging-db"}';
const IN_CLUSTER = 'runner-egress:cluster.eks is "techops-staging"';

describe("good answers", () => {
  it("become facts", () => {
    expect(judge()).toEqual({
      facts: {
        vpc: { id: "vpc-1", region: "us-east-1", ipv4Cidrs: ["10.1.0.0/16"], ipv6Cidrs: [] },
        databaseSubnets: [{ id: "subnet-a", cidrs: ["10.1.100.0/24"] }],
        cluster: { name: "techops-staging", ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
        addOn: { version: "v1.21.1-eksbuild.1", agentVersion: "1.3.1", networkPolicyEnabled: true, acknowledged: [] },
      },
      warnings: [],
      ipv4Egress: true,
      apiServer: { name: "techops-staging", endpoint: "https://eks.example", certificateAuthority: "Q0E=" },
    });
  });

  it("keep every block that is or may be the VPC's, and none that is gone", () => {
    const { facts } = judge({
      vpc: vpc({
        cidrBlockAssociations: [
          { cidrBlock: "100.64.0.0/16", state: "associated" },
          { cidrBlock: "10.1.0.0/16", state: "associated" },
          { cidrBlock: "10.9.0.0/16", state: "disassociated" },
          { cidrBlock: "10.8.0.0/16", state: "failed" },
          { cidrBlock: "44.16.0.0/16", state: "associating" },
          { cidrBlock: "44.17.0.0/16" },
        ],
        ipv6CidrBlockAssociations: [
          { ipv6CidrBlock: "2600:1F18::/56", state: "associated" },
          { ipv6CidrBlock: "2600:1f19::/56", state: "disassociating" },
          { ipv6CidrBlock: "2600:1f20::/56", state: "disassociated" },
        ],
      }),
    });
    expect(facts.vpc.ipv4Cidrs).toEqual(["10.1.0.0/16", "44.16.0.0/16", "44.17.0.0/16", "100.64.0.0/16"]);
    expect(facts.vpc.ipv6Cidrs).toEqual(["2600:1f18::/56", "2600:1f19::/56"]);
  });

  it("list subnets by their blocks, whatever the order of the answer", () => {
    const { facts } = judge({
      subnets: subnets({
        "subnet-a": { cidrBlock: "10.1.101.0/24" },
        "subnet-b": { cidrBlock: "10.1.9.0/24" },
        "subnet-c": { cidrBlock: "10.1.100.0/24" },
      }),
    });
    expect(facts.databaseSubnets.map(({ id }) => id)).toEqual(["subnet-b", "subnet-c", "subnet-a"]);
  });

  it("lead to the context that config names instead of the cluster's endpoint", () => {
    const answers = { cluster: cluster({ endpoint: undefined, certificateAuthorities: undefined }) };
    expect(judge(answers, { cluster: { eks: "techops-staging", context: "tunnel" } }).apiServer).toEqual({
      context: "tunnel",
    });
  });

  it("of an IPv6 cluster bring its IPv6 blocks, and a warning about its IPv4 egress", () => {
    const answers: Answers = {
      cluster: cluster({ kubernetesNetworkConfigs: [{ ipFamily: "ipv6", serviceIpv6Cidr: "fd12::/108" }] }),
      vpc: vpc({ ipv6CidrBlockAssociations: [{ ipv6CidrBlock: "2600:1f18::/56", state: "associated" }] }),
      subnets: subnets({ "subnet-a": { cidrBlock: "10.1.100.0/24", ipv6CidrBlock: "2600:1f18:0:5::/64" } }),
    };
    const { facts, warnings } = judge(answers);
    expect(facts.cluster).toMatchObject({ ipFamily: "ipv6", serviceCidr: "fd12::/108" });
    expect(facts.databaseSubnets).toEqual([{ id: "subnet-a", cidrs: ["10.1.100.0/24", "2600:1f18:0:5::/64"] }]);
    expect(warnings).toEqual([
      "The cluster's pods also send IPv4 (ENABLE_V4_EGRESS of vpc-cni is not false), and no policy is enforced on that " +
        "path: the VPC's IPv4 addresses and 169.254.169.254 stay reachable. Set it to false",
    ]);
    const values = '{"enableNetworkPolicy":"true","env":{"ENABLE_V4_EGRESS":"false"}}';
    expect(judge({ ...answers, addOn: addOn("v1.21.1-eksbuild.1", values) }).warnings).toEqual([]);
  });

  it("are not needed where a kubeconfig context stands for the cluster, once that is acknowledged", () => {
    const config: Partial<StackConfig> = {
      cluster: { context: "lab", ipFamily: "ipv4" },
      acknowledge: new Map([["vpc-cni-not-managed", "a lab"]]),
    };
    const { facts, warnings, apiServer } = judge({ cluster: undefined, addOn: undefined }, config);
    expect(facts.cluster).toEqual({ name: "lab", ipFamily: "ipv4" });
    expect(facts.addOn).toEqual({ networkPolicyEnabled: "unknown", acknowledged: ["vpc-cni-not-managed"] });
    expect(apiServer).toEqual({ context: "lab" });
    expect(warnings).toEqual([
      "add-on vpc-cni of lab: the cluster is given by a kubeconfig context, so whether anything enforces the policy " +
        "can't be read. Acknowledged (vpc-cni-not-managed): a lab",
    ]);
  });
});

describe("refused", () => {
  it.each<[string, Answers, string[]]>([
    [
      "no VPC",
      { vpc: { failure: "no matching EC2 VPC found" } },
      [
        `${IN_VPC}: the lookup in us-east-1 failed: no matching EC2 VPC found. Nothing was found: check the id or Name ` +
          "tag, aws:region and the account",
      ],
    ],
    [
      "several VPCs",
      { vpc: { failure: "multiple EC2 VPCs matched; use additional constraints" } },
      [
        `${IN_VPC}: the lookup in us-east-1 failed: multiple EC2 VPCs matched; use additional constraints. Several were ` +
          "found: give vpc.id",
      ],
    ],
    [
      "no right to look for the VPC",
      { vpc: { failure: "UnauthorizedOperation" } },
      [
        `${IN_VPC}: the lookup in us-east-1 failed: UnauthorizedOperation. Check aws:region, the credentials and the ` +
          "right to ec2:DescribeVpcs (docs/permissions.md)",
      ],
    ],
    [
      "an empty answer for the VPC",
      { vpc: { found: {} } },
      [`${IN_VPC}: ${unlike("a VPC without an id or without its CIDR blocks")}`],
    ],
    [
      "a VPC without blocks",
      { vpc: vpc({ cidrBlockAssociations: undefined }) },
      [`${IN_VPC}: ${unlike("a VPC without an id or without its CIDR blocks")}`],
    ],
    [
      "a VPC whose only block is gone",
      { vpc: vpc({ cidrBlockAssociations: [{ cidrBlock: "10.1.0.0/16", state: "disassociated" }] }) },
      [
        `${IN_VPC}: VPC vpc-1 has no associated IPv4 CIDR block (found ["10.1.0.0/16 disassociated"]); without its ` +
          "blocks the policy would leave the VPC open",
      ],
    ],
    [
      "a block that is none",
      {
        vpc: vpc({ cidrBlockAssociations: [{ cidrBlock: "10.1.0.0", state: "associated" }, { state: "associated" }] }),
      },
      [
        'runner-egress:vpc is "10.1.0.0": AWS answered no CIDR block: "10.1.0.0" is not CIDR notation, which is ' +
          "ADDRESS/PREFIX-LENGTH such as 10.0.0.0/8 or fd00::/8",
        'runner-egress:vpc is "": AWS answered no CIDR block: "" is not CIDR notation, which is ADDRESS/PREFIX-LENGTH such as ' +
          "10.0.0.0/8 or fd00::/8",
      ],
    ],
    [
      "a cluster in another VPC",
      { cluster: cluster({ vpcConfig: { vpcId: "vpc-2" } }) },
      [`${IN_VPC}: found vpc-1, but the cluster is in vpc-2; give {ofCluster: true} or the right VPC`],
    ],
    [
      "a cluster that is not there",
      { cluster: { failure: "No cluster found for name: techops-staging" }, addOn: { failure: "No cluster found" } },
      [
        `${IN_CLUSTER}: the lookup failed: No cluster found for name: techops-staging. Check the name, aws:region, the ` +
          "account and the right to eks:DescribeCluster",
      ],
    ],
    [
      "an empty answer for the cluster",
      { cluster: { found: {} } },
      [`${IN_CLUSTER}: ${unlike("the IP family undefined")}`],
    ],
    [
      "a family that is none",
      { cluster: cluster({ kubernetesNetworkConfigs: [{ ipFamily: "dual" }] }) },
      [`${IN_CLUSTER}: ${unlike('the IP family "dual"')}`],
    ],
    [
      "a cluster without a VPC",
      { cluster: cluster({ vpcConfig: {} }) },
      [`${IN_CLUSTER}: ${unlike("a cluster without a VPC")}`],
    ],
    [
      "a cluster without an endpoint",
      { cluster: cluster({ endpoint: "" }) },
      [`${IN_CLUSTER}: ${unlike("a cluster without endpoint or certificate authority")}`],
    ],
    [
      "a cluster without a certificate",
      { cluster: cluster({ certificateAuthorities: [] }) },
      [`${IN_CLUSTER}: ${unlike("a cluster without endpoint or certificate authority")}`],
    ],
    [
      "an IPv6 cluster in a VPC without IPv6",
      { cluster: cluster({ kubernetesNetworkConfigs: [{ ipFamily: "ipv6" }] }) },
      [`${IN_VPC}: the cluster's pods have IPv6 addresses, but vpc-1 has no associated IPv6 CIDR block`],
    ],
    [
      "no DB subnet group",
      { subnetGroup: { failure: "Subnet Group techops-staging-db not found" }, subnets: new Map() },
      [
        `${IN_SUBNETS}: the lookup failed: Subnet Group techops-staging-db not found. Check the name, aws:region and the ` +
          "right to rds:DescribeDBSubnetGroups",
      ],
    ],
    [
      "a DB subnet group without subnets",
      { subnetGroup: { found: { vpcId: "vpc-1", subnetIds: [] } }, subnets: new Map() },
      [`${IN_SUBNETS}: ${unlike("a DB subnet group without subnets")}`],
    ],
    [
      "an empty answer for the DB subnet group",
      { subnetGroup: { found: {} }, subnets: new Map() },
      [`${IN_SUBNETS}: ${unlike("a DB subnet group without subnets")}`],
    ],
    [
      "a DB subnet group of another VPC",
      {
        subnetGroup: { found: { vpcId: "vpc-2", subnetIds: ["subnet-a"] } },
        subnets: subnets({ "subnet-a": { vpcId: "vpc-2", cidrBlock: "10.1.100.0/24" } }),
      },
      [
        `${IN_SUBNETS}: the DB subnet group belongs to vpc-2, but runner-egress:vpc is vpc-1`,
        'runner-egress:databaseSubnets subnet-a is "vpc-2": the subnet is not in vpc-1, the VPC of runner-egress:vpc',
      ],
    ],
    [
      "a subnet outside the VPC's blocks",
      { subnets: subnets({ "subnet-a": { cidrBlock: "10.2.100.0/24" } }) },
      [
        'runner-egress:databaseSubnets subnet-a is "10.2.100.0/24": the subnet lies in none of the VPC\'s blocks ' +
          "(10.1.0.0/16)",
      ],
    ],
    [
      "a subnet wider than the VPC",
      { subnets: subnets({ "subnet-a": { cidrBlock: "10.0.0.0/8" } }) },
      [
        'runner-egress:databaseSubnets subnet-a is "10.0.0.0/8": the subnet lies in none of the VPC\'s blocks ' +
          "(10.1.0.0/16)",
      ],
    ],
    [
      "a subnet that is gone",
      { subnets: new Map([["subnet-a", { failure: "no matching EC2 Subnet found" }]]) },
      [
        "runner-egress:databaseSubnets subnet-a: the lookup failed: no matching EC2 Subnet found. Check the id, aws:region " +
          "and the right to ec2:DescribeSubnets",
      ],
    ],
    [
      "a subnet without a block",
      { subnets: subnets({ "subnet-a": { cidrBlock: "" } }) },
      [`runner-egress:databaseSubnets subnet-a: ${unlike("a subnet without CIDR block")}`],
    ],
    [
      "an empty answer for the add-on",
      { addOn: { found: {} } },
      [`add-on vpc-cni of techops-staging: ${unlike("an add-on without a version")}`],
    ],
    [
      "an add-on that may not be read",
      { addOn: { failure: "AccessDeniedException" } },
      [
        "add-on vpc-cni of techops-staging: the lookup failed: AccessDeniedException. Check the credentials and the right " +
          "to eks:DescribeAddon",
      ],
    ],
    [
      "settings of the add-on that can't be read",
      { addOn: addOn("v1.21.1-eksbuild.1", "{") },
      [
        'add-on vpc-cni of techops-staging is "{": its configuration values are neither JSON nor YAML, so whether network ' +
          "policy is on can't be read",
      ],
    ],
    [
      "settings of the add-on that are no object",
      { addOn: addOn("v1.21.1-eksbuild.1", "[true]") },
      [
        'add-on vpc-cni of techops-staging is "[true]": its configuration values are neither JSON nor YAML, so whether ' +
          "network policy is on can't be read",
      ],
    ],
  ])("%s", (_, answers, problems) => {
    expect(problemsOf(answers)).toEqual(problems);
  });

  it("tags that match nothing", () => {
    const config: Partial<StackConfig> = { databaseSubnets: { tags: { Tier: "database" } } };
    const where = 'runner-egress:databaseSubnets is {"tags":{"Tier":"database"}}';
    const none = { subnetGroup: undefined, subnets: new Map() };
    expect(problemsOf({ ...none, taggedSubnets: { found: { ids: [] } } }, config)).toEqual([
      `${where}: no subnet of vpc-1 has these tags; without its subnets the database would be cut off`,
    ]);
    expect(problemsOf({ ...none, taggedSubnets: { found: {} } }, config)).toHaveLength(1);
    expect(problemsOf({ ...none, taggedSubnets: { failure: "Throttling" } }, config)).toEqual([
      `${where}: the lookup failed: Throttling. Check the credentials and the right to ec2:DescribeSubnets`,
    ]);
  });

  it("everything together", () => {
    expect(
      problemsOf({
        vpc: { failure: "no matching EC2 VPC found" },
        subnetGroup: { failure: "not found" },
        subnets: new Map(),
        addOn: addOn("v1.20.0-eksbuild.1", ""),
      }),
    ).toHaveLength(4);
  });
});

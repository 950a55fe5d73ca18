import { describe, expect, it } from "vitest";
import { awsAnswers, type LookupArgs } from "../../../program/facts/awsAnswers.ts";
import type { RecordedFacts } from "../../../program/facts/recordedFacts.ts";

const FACTS: RecordedFacts = {
  recordedAt: "2026-11-20T00:00:00Z",
  placeholders: [],
  source: "a test",
  region: "eu-west-1",
  vpc: { id: "vpc-1", name: "main", ipv4Cidrs: ["10.9.0.0/16"], ipv6Cidrs: ["2001:db8::/56"] },
  databaseSubnets: new Map([
    ["subnet-a", ["10.9.1.0/24"]],
    ["subnet-b", ["2001:db8:0:1::/64"]],
  ]),
  databaseSubnetGroup: "main-db",
  databaseSubnetTags: { Tier: "database" },
  cluster: { name: "main", ipFamily: "ipv6", serviceCidr: "fd00:10::/108" },
  vpcCni: { version: "v1.21.1-eksbuild.1", networkPolicyEnabled: true, ipv4Egress: false },
};

const ask = (token: string, args: LookupArgs, facts: RecordedFacts = FACTS) => awsAnswers(facts)(token, args);

const VPC = "aws:ec2/getVpc:getVpc";
const SUBNETS = "aws:ec2/getSubnets:getSubnets";
const SUBNET = "aws:ec2/getSubnet:getSubnet";
const GROUP = "aws:rds/getSubnetGroup:getSubnetGroup";
const CLUSTER = "aws:eks/getCluster:getCluster";
const ADD_ON = "aws:eks/getAddon:getAddon";
const inVpc = (id: string) => ({ name: "vpc-id", values: [id] });

describe("AWS as recorded", () => {
  it.each<[string, LookupArgs]>([
    ["by its id", { id: "vpc-1" }],
    ["by its name", { tags: { Name: "main" } }],
    ["by both", { id: "vpc-1", tags: { Name: "main" } }],
    ["by a filter", { filters: [{ name: "tag:Name", values: ["other", "main"] }] }],
  ])("finds the VPC %s", (_, args) => {
    expect(ask(VPC, args)).toMatchObject({
      id: "vpc-1",
      cidrBlockAssociations: [{ cidrBlock: "10.9.0.0/16", state: "associated" }],
      ipv6CidrBlockAssociations: [{ ipv6CidrBlock: "2001:db8::/56", state: "associated" }],
    });
  });

  it.each<[string, LookupArgs]>([
    [VPC, { id: "vpc-2" }],
    [VPC, { tags: { Name: "other" } }],
    [VPC, { id: "vpc-1", tags: { Name: "other" } }],
    [VPC, { id: "vpc-1", tags: { Environment: "any" } }],
    [SUBNET, { id: "subnet-c" }],
  ])("finds no %s %j", (token, args) => {
    expect(() => ask(token, args)).toThrow("no matching EC2");
  });

  it("finds subnets of the VPC by their tags, or none", () => {
    expect(ask(SUBNETS, { filters: [inVpc("vpc-1")], tags: { Tier: "database" } })).toEqual({
      ids: ["subnet-a", "subnet-b"],
    });
    expect(ask(SUBNETS, { filters: [inVpc("vpc-2")], tags: { Tier: "database" } })).toEqual({ ids: [] });
    expect(ask(SUBNETS, { filters: [inVpc("vpc-1")], tags: { Tier: "private" } })).toEqual({ ids: [] });
  });

  it("does not guess what it can't tell", () => {
    expect(() => ask(VPC, { cidrBlock: "10.9.0.0/16" })).toThrow("can't select by cidrBlock");
    expect(() => ask("aws:ec2/getVpcs:getVpcs", {})).toThrow("answer no such lookup");
  });

  it("gives a subnet's blocks by family", () => {
    expect(ask(SUBNET, { id: "subnet-a" })).toMatchObject({
      vpcId: "vpc-1",
      cidrBlock: "10.9.1.0/24",
      ipv6CidrBlock: "",
    });
    expect(ask(SUBNET, { id: "subnet-b" })).toMatchObject({ cidrBlock: "", ipv6CidrBlock: "2001:db8:0:1::/64" });
  });

  it.each([
    [GROUP, { name: "main-db" }, { vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b"] }],
    [
      CLUSTER,
      { name: "main" },
      {
        vpcConfig: { vpcId: "vpc-1" },
        kubernetesNetworkConfigs: [{ ipFamily: "ipv6", serviceIpv6Cidr: "fd00:10::/108" }],
      },
    ],
    [
      ADD_ON,
      { clusterName: "main", addonName: "vpc-cni" },
      {
        addonVersion: "v1.21.1-eksbuild.1",
        configurationValues: '{"enableNetworkPolicy":"true","env":{"ENABLE_V4_EGRESS":"false"}}',
      },
    ],
  ])("answers %s", (token, args, expected) => {
    expect(ask(token, args)).toMatchObject(expected);
  });

  it.each<[string, LookupArgs]>([
    [GROUP, { name: "other" }],
    [ADD_ON, { clusterName: "main", addonName: "coredns" }],
  ])("has no other %s %j", (token, args) => {
    expect(() => ask(token, args)).toThrow("couldn't find resource");
  });

  it.each<[keyof RecordedFacts, string, LookupArgs]>([
    ["databaseSubnetGroup", GROUP, { name: "main-db" }],
    ["cluster", CLUSTER, { name: "main" }],
    ["vpcCni", ADD_ON, { clusterName: "main", addonName: "vpc-cni" }],
  ])("has no %s where none is recorded", (member, token, args) => {
    const { [member]: _, ...facts } = FACTS;
    expect(() => ask(token, args, facts as RecordedFacts)).toThrow("couldn't find resource");
  });
});

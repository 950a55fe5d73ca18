import { describe, expect, it } from "vitest";
import type { RecordedFacts } from "../../../program/facts/recordedFacts.ts";
import { answerCall } from "../../../program/facts/recordedLookups.ts";

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

type LookupArgs = Readonly<Record<string, unknown>>;

const ask = (token: string, args: LookupArgs, facts: RecordedFacts = FACTS) => answerCall(facts, token, args);

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
  ])("finds the VPC %s", async (_, args) => {
    expect(await ask(VPC, args)).toMatchObject({
      id: "vpc-1",
      cidrBlockAssociations: [{ cidrBlock: "10.9.0.0/16", state: "associated" }],
      ipv6CidrBlockAssociations: [{ ipv6CidrBlock: "2001:db8::/56", state: "associated" }],
    });
  });

  it.each<[string, LookupArgs]>([
    [VPC, { id: "vpc-2" }],
    [VPC, { tags: { Name: "other" } }],
    [VPC, { tags: { Name: "main", Environment: "any" } }],
    [SUBNET, { id: "subnet-c" }],
  ])("finds no %s %j", async (token, args) => {
    await expect(ask(token, args)).rejects.toThrow("no matching EC2");
  });

  it("finds subnets of the VPC by their tags, or none", async () => {
    const subnets = (vpc: string, Tier: string) => ask(SUBNETS, { filters: [inVpc(vpc)], tags: { Tier } });
    expect(await subnets("vpc-1", "database")).toEqual({ ids: ["subnet-a", "subnet-b"] });
    expect(await subnets("vpc-2", "database")).toEqual({ ids: [] });
    expect(await subnets("vpc-1", "private")).toEqual({ ids: [] });
  });

  it("does not guess what it can't tell", async () => {
    const zone = { name: "availability-zone", values: ["eu-west-1a"] };
    expect(await ask(SUBNETS, { filters: [inVpc("vpc-1"), zone], tags: {} })).toEqual({ ids: [] });
    await expect(ask("aws:ec2/getVpcs:getVpcs", {})).rejects.toThrow("answer no such lookup");
  });

  it("gives a subnet's blocks by family", async () => {
    expect(await ask(SUBNET, { id: "subnet-a" })).toMatchObject({
      vpcId: "vpc-1",
      cidrBlock: "10.9.1.0/24",
      ipv6CidrBlock: "",
    });
    expect(await ask(SUBNET, { id: "subnet-b" })).toMatchObject({ cidrBlock: "", ipv6CidrBlock: "2001:db8:0:1::/64" });
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
  ])("answers %s", async (token, args, expected) => {
    expect(await ask(token, args)).toMatchObject(expected);
  });

  it.each<[string, LookupArgs]>([
    [GROUP, { name: "other" }],
    [ADD_ON, { clusterName: "main", addonName: "coredns" }],
  ])("has no other %s %j", async (token, args) => {
    await expect(ask(token, args)).rejects.toThrow("couldn't find resource");
  });

  it.each<[keyof RecordedFacts, string, LookupArgs]>([
    ["databaseSubnetGroup", GROUP, { name: "main-db" }],
    ["cluster", CLUSTER, { name: "main" }],
    ["vpcCni", ADD_ON, { clusterName: "main", addonName: "vpc-cni" }],
  ])("has no %s where none is recorded", async (member, token, args) => {
    const { [member]: _, ...facts } = FACTS;
    await expect(ask(token, args, facts as RecordedFacts)).rejects.toThrow("couldn't find resource");
  });
});

import type { RecordedFacts } from "./recordedFacts.ts";

/** The arguments of a lookup, or its answer. */
export type LookupArgs = Record<string, unknown>;

/** The address of the cluster in recorded facts, which keep none; the name never resolves (RFC 6761). */
const ENDPOINT = "https://kubernetes.invalid";

/**
 * Answers the program's lookups as AWS would, if it held nothing but the recorded facts: a lookup that names something
 * else finds nothing and fails as the AWS provider's would. Members that the program does not read are left out.
 */
export function awsAnswers(facts: RecordedFacts): (token: string, args: LookupArgs) => LookupArgs {
  return (token, args) => {
    const lookup = LOOKUPS[token];
    if (lookup === undefined) {
      throw new Error("the recorded facts answer no such lookup");
    }
    return lookup(facts, args);
  };
}

const LOOKUPS: Readonly<Record<string, (facts: RecordedFacts, args: LookupArgs) => LookupArgs>> = {
  "aws:ec2/getVpc:getVpc": ({ vpc }, args) => {
    const tags = vpc.name === undefined ? {} : { Name: vpc.name };
    if (!matches(args, { "vpc-id": vpc.id, ...byTag(tags) })) {
      throw new Error("no matching EC2 VPC found");
    }
    return {
      id: vpc.id,
      cidrBlock: vpc.ipv4Cidrs[0] ?? "",
      cidrBlockAssociations: vpc.ipv4Cidrs.map((cidrBlock) => ({ cidrBlock, state: "associated" })),
      ipv6CidrBlockAssociations: vpc.ipv6Cidrs.map((ipv6CidrBlock) => ({ ipv6CidrBlock, state: "associated" })),
      tags,
    };
  },

  "aws:ec2/getSubnets:getSubnets": ({ vpc, databaseSubnets, databaseSubnetTags = {} }, args) => ({
    ids: matches(args, { "vpc-id": vpc.id, ...byTag(databaseSubnetTags) }) ? [...databaseSubnets.keys()] : [],
  }),

  "aws:ec2/getSubnet:getSubnet": ({ vpc, databaseSubnets }, args) => {
    const id = String(args.id);
    const cidrs = databaseSubnets.get(id);
    if (cidrs === undefined) {
      throw new Error("no matching EC2 Subnet found");
    }
    const [ipv6CidrBlock = ""] = cidrs.filter((cidr) => cidr.includes(":"));
    const [cidrBlock = ""] = cidrs.filter((cidr) => !cidr.includes(":"));
    return { id, vpcId: vpc.id, cidrBlock, ipv6CidrBlock };
  },

  "aws:rds/getSubnetGroup:getSubnetGroup": ({ vpc, databaseSubnets, databaseSubnetGroup }, { name }) => {
    if (databaseSubnetGroup === undefined || name !== databaseSubnetGroup) {
      throw new Error(`reading RDS DB Subnet Group (${String(name)}): couldn't find resource`);
    }
    return { name: databaseSubnetGroup, vpcId: vpc.id, subnetIds: [...databaseSubnets.keys()] };
  },

  "aws:eks/getCluster:getCluster": ({ vpc, cluster }, { name }) => {
    // Recorded for a cluster of another name, which provenanceOf tells: what is recorded of it is all there is.
    if (cluster === undefined) {
      throw new Error(`reading EKS Cluster (${String(name)}): couldn't find resource`);
    }
    const service = cluster.ipFamily === "ipv4" ? "serviceIpv4Cidr" : "serviceIpv6Cidr";
    return {
      name,
      endpoint: ENDPOINT,
      certificateAuthorities: [{ data: "b2ZmbGluZQ==" }],
      vpcConfig: { vpcId: vpc.id },
      kubernetesNetworkConfigs: [{ ipFamily: cluster.ipFamily, [service]: cluster.serviceCidr ?? "" }],
    };
  },

  "aws:eks/getAddon:getAddon": ({ cluster, vpcCni }, { clusterName, addonName }) => {
    if (vpcCni === undefined || addonName !== "vpc-cni" || cluster === undefined) {
      throw new Error(`reading EKS Add-On (${String(clusterName)}:${String(addonName)}): couldn't find resource`);
    }
    const { version, networkPolicyEnabled, ipv4Egress } = vpcCni;
    const settings = {
      enableNetworkPolicy: String(networkPolicyEnabled),
      env: { ENABLE_V4_EGRESS: String(ipv4Egress) },
    };
    return { addonVersion: version, configurationValues: JSON.stringify(settings) };
  },
};

/** Whether everything by which a lookup selects is true of what is recorded, given by the names of EC2's filters. */
function matches({ id, tags, filters, ...others }: LookupArgs, recorded: Readonly<Record<string, string>>): boolean {
  const unknown = Object.keys(others);
  if (unknown.length > 0) {
    throw new Error(`the recorded facts can't select by ${unknown.join(", ")}`);
  }
  const selection = (filters ?? []) as { name: string; values: unknown[] }[];
  const named = { ...byTag((tags ?? {}) as Record<string, string>), ...(id !== undefined && { "vpc-id": id }) };
  return (
    selection.every(({ name, values }) => values.includes(recorded[name])) &&
    Object.entries(named).every(([name, value]) => value === recorded[name])
  );
}

/** Tags by the names of EC2's filters. */
function byTag(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`tag:${key}`, value]));
}

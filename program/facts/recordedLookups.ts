import { type AwsLookups, askQuestions } from "../lookups/askQuestions.ts";
import { type JudgedNetwork, judgeNetwork } from "../lookups/judgeNetwork.ts";
import type { StackFiles } from "../stackFiles.ts";
import type { RecordedFacts } from "./recordedFacts.ts";

/** The address of the cluster in recorded facts, which keep none; the name never resolves (RFC 6761). */
const ENDPOINT = "https://kubernetes.invalid";

/**
 * The program's lookups, answered as AWS would if it held nothing but the recorded facts: one that names something else
 * finds nothing and fails as the AWS provider's would. Members that the program does not read are left out.
 */
export function recordedLookups(facts: RecordedFacts): AwsLookups {
  const { vpc, databaseSubnets, databaseSubnetTags = {}, databaseSubnetGroup, cluster, vpcCni } = facts;
  const notFound = (what: string) => new Error(`reading ${what}: couldn't find resource`);
  return {
    async getVpc(args) {
      if ("id" in args ? args.id !== vpc.id : !carries({ Name: vpc.name }, args.tags)) {
        throw new Error("no matching EC2 VPC found");
      }
      return {
        id: vpc.id,
        cidrBlockAssociations: vpc.ipv4Cidrs.map((cidrBlock) => ({ cidrBlock, state: "associated" })),
        ipv6CidrBlockAssociations: vpc.ipv6Cidrs.map((ipv6CidrBlock) => ({ ipv6CidrBlock, state: "associated" })),
      };
    },

    async getSubnets({ filters, tags }) {
      const isInVpc = filters.every(({ name, values }) => name === "vpc-id" && values.includes(vpc.id));
      return { ids: isInVpc && carries(databaseSubnetTags, tags) ? [...databaseSubnets.keys()] : [] };
    },

    async getSubnet({ id }) {
      const cidrs = databaseSubnets.get(id);
      if (cidrs === undefined) {
        throw new Error("no matching EC2 Subnet found");
      }
      const [ipv6CidrBlock = ""] = cidrs.filter((cidr) => cidr.includes(":"));
      const [cidrBlock = ""] = cidrs.filter((cidr) => !cidr.includes(":"));
      return { id, vpcId: vpc.id, cidrBlock, ipv6CidrBlock };
    },

    async getSubnetGroup({ name }) {
      if (databaseSubnetGroup === undefined || name !== databaseSubnetGroup) {
        throw notFound(`RDS DB Subnet Group (${name})`);
      }
      return { vpcId: vpc.id, subnetIds: [...databaseSubnets.keys()] };
    },

    async getCluster({ name }) {
      // Recorded for a cluster of another name, which provenanceOf tells: what is recorded of it is all there is.
      if (cluster === undefined) {
        throw notFound(`EKS Cluster (${name})`);
      }
      const service = cluster.ipFamily === "ipv4" ? "serviceIpv4Cidr" : "serviceIpv6Cidr";
      return {
        endpoint: ENDPOINT,
        certificateAuthorities: [{ data: "b2ZmbGluZQ==" }],
        vpcConfig: { vpcId: vpc.id },
        kubernetesNetworkConfigs: [{ ipFamily: cluster.ipFamily, [service]: cluster.serviceCidr ?? "" }],
      };
    },

    async getAddon({ clusterName, addonName }) {
      if (vpcCni === undefined || addonName !== "vpc-cni" || cluster === undefined) {
        throw notFound(`EKS Add-On (${clusterName}:${addonName})`);
      }
      const { version, networkPolicyEnabled, ipv4Egress } = vpcCni;
      const settings = {
        enableNetworkPolicy: String(networkPolicyEnabled),
        env: { ENABLE_V4_EGRESS: String(ipv4Egress) },
      };
      return { addonVersion: version, configurationValues: JSON.stringify(settings) };
    },
  };
}

/** Whether something with these tags is found by others. */
function carries(
  tags: Readonly<Record<string, string | undefined>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => tags[key] === value);
}

/**
 * Answers the lookups where the engine would, by their tokens such as `aws:ec2/getVpc:getVpc`. The SDK's mocks hand on
 * nothing of an error but `details`.
 */
export async function answerCall(facts: RecordedFacts, token: string, args: object): Promise<object> {
  const lookups = recordedLookups(facts) as unknown as Readonly<Record<string, (args: object) => Promise<object>>>;
  const name = token.slice(token.lastIndexOf(":") + 1);
  try {
    return (await lookups[name]?.(args)) ?? Promise.reject(new Error("the recorded facts answer no such lookup"));
  } catch (error) {
    throw Object.assign(error as Error, { details: (error as Error).message });
  }
}

/**
 * The network that is recorded of a stack, judged as a live one is.
 *
 * @throws {ProblemsError} with everything for which the program would refuse it
 */
export async function recordedNetwork({ config, facts }: Pick<StackFiles, "config" | "facts">): Promise<JudgedNetwork> {
  return judgeNetwork(config, await askQuestions(config, recordedLookups(facts)));
}

import { getSubnet } from "@pulumi/aws/ec2/getSubnet.js";
import { getSubnets } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpc } from "@pulumi/aws/ec2/getVpc.js";
import { getAddon } from "@pulumi/aws/eks/getAddon.js";
import { getCluster } from "@pulumi/aws/eks/getCluster.js";
import type { Provider } from "@pulumi/aws/provider.js";
import { getSubnetGroup } from "@pulumi/aws/rds/getSubnetGroup.js";
import type { StackConfig } from "../config/stackConfig.ts";

/** What a lookup came back with, or the text of its failure. */
export type Answer<Result> = { readonly found: Result } | { readonly failure: string };

/*
 * Every member of an answer may be missing: where a provider argument is unknown the engine answers a lookup with an
 * empty object, whatever the types of the SDK say.
 */

export interface VpcAnswer {
  readonly id?: string;
  readonly cidrBlockAssociations?: readonly { readonly cidrBlock?: string; readonly state?: string }[];
  readonly ipv6CidrBlockAssociations?: readonly { readonly ipv6CidrBlock?: string; readonly state?: string }[];
}

export interface SubnetAnswer {
  readonly id?: string;
  readonly vpcId?: string;
  readonly cidrBlock?: string;
  readonly ipv6CidrBlock?: string;
}

export interface SubnetGroupAnswer {
  readonly vpcId?: string;
  readonly subnetIds?: readonly string[];
}

export interface ClusterAnswer {
  readonly endpoint?: string;
  readonly certificateAuthorities?: readonly { readonly data?: string }[];
  readonly vpcConfig?: { readonly vpcId?: string };
  readonly kubernetesNetworkConfigs?: readonly {
    readonly ipFamily?: string;
    readonly serviceIpv4Cidr?: string;
    readonly serviceIpv6Cidr?: string;
  }[];
}

export interface AddOnAnswer {
  readonly addonVersion?: string;
  readonly configurationValues?: string;
}

/** Everything that was asked. A lookup is missing where config does not call for it or an earlier one failed. */
export interface AwsAnswers {
  readonly cluster?: Answer<ClusterAnswer>;
  readonly addOn?: Answer<AddOnAnswer>;
  readonly vpc?: Answer<VpcAnswer>;
  readonly subnetGroup?: Answer<SubnetGroupAnswer>;
  /** Ids that the tags matched. */
  readonly taggedSubnets?: Answer<{ readonly ids?: readonly string[] }>;
  /** By id. */
  readonly subnets: ReadonlyMap<string, Answer<SubnetAnswer>>;
}

/** Asks AWS everything that the rules rest on, each question as early as its own inputs are known. Never throws. */
export async function askAws(config: StackConfig, provider: Provider): Promise<AwsAnswers> {
  const from = { provider };
  const eks = "eks" in config.cluster ? config.cluster.eks : undefined;
  const cluster = eks === undefined ? undefined : ask<ClusterAnswer>(getCluster({ name: eks }, from));
  const addOn =
    eks === undefined ? undefined : ask<AddOnAnswer>(getAddon({ clusterName: eks, addonName: "vpc-cni" }, from));
  const vpc = findVpc();
  const chosen = findSubnetIds();
  const [clusterAnswer, addOnAnswer, vpcAnswer, { ids, ...how }] = await Promise.all([cluster, addOn, vpc, chosen]);
  const subnets = await Promise.all(
    ids.map(async (id) => [id, await ask<SubnetAnswer>(getSubnet({ id }, from))] as const),
  );
  return {
    ...(clusterAnswer && { cluster: clusterAnswer }),
    ...(addOnAnswer && { addOn: addOnAnswer }),
    ...(vpcAnswer && { vpc: vpcAnswer }),
    ...how,
    subnets: new Map(subnets),
  };

  async function findVpc(): Promise<Answer<VpcAnswer> | undefined> {
    const choice = config.vpc;
    if ("id" in choice) {
      return ask(getVpc({ id: choice.id }, from));
    }
    if ("name" in choice) {
      return ask(getVpc({ tags: { Name: choice.name } }, from));
    }
    const id = foundIn(await cluster)?.vpcConfig?.vpcId;
    return id ? ask(getVpc({ id }, from)) : undefined;
  }

  async function findSubnetIds(): Promise<
    { ids: readonly string[] } & Pick<AwsAnswers, "subnetGroup" | "taggedSubnets">
  > {
    const choice = config.databaseSubnets;
    if ("ids" in choice) {
      return { ids: unique(choice.ids) };
    }
    if ("subnetGroup" in choice) {
      const subnetGroup = await ask<SubnetGroupAnswer>(getSubnetGroup({ name: choice.subnetGroup }, from));
      return { subnetGroup, ids: unique(foundIn(subnetGroup)?.subnetIds ?? []) };
    }
    const vpcId = foundIn(await vpc)?.id;
    if (!vpcId) {
      return { ids: [] };
    }
    const filters = [{ name: "vpc-id", values: [vpcId] }];
    const taggedSubnets = await ask<{ readonly ids?: readonly string[] }>(
      getSubnets({ filters, tags: { ...choice.tags } }, from),
    );
    return { taggedSubnets, ids: unique(foundIn(taggedSubnets)?.ids ?? []) };
  }
}

/** The result of a lookup, `undefined` where it failed or never ran. */
export function foundIn<Result>(answer: Answer<Result> | undefined): Result | undefined {
  return answer !== undefined && "found" in answer ? answer.found : undefined;
}

async function ask<Result>(lookup: Promise<Result>): Promise<Answer<Result>> {
  try {
    return { found: await lookup };
  } catch (error) {
    return { failure: failureText(error instanceof Error ? error.message : String(error)) };
  }
}

/** The provider's own words on one line, the same at every run: without the function's name and the request's id. */
function failureText(message: string): string {
  return message
    .replace(/^.*?(invocation of \S+ returned an error|Invoke of \S+ failed): /is, "")
    .replace(/invoking \S+: /, "")
    .replace(/https response error StatusCode: \d+, RequestID: [^,]+, /, "")
    .replace(/\d+ errors? occurred:\s*\* /, "")
    .replace(/\s+/g, " ")
    .replace(/[.\s]+$/, "");
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort();
}

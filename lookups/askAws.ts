import { getSubnet } from "@pulumi/aws/ec2/getSubnet.js";
import { getSubnets } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpc } from "@pulumi/aws/ec2/getVpc.js";
import { getAddon } from "@pulumi/aws/eks/getAddon.js";
import { getCluster } from "@pulumi/aws/eks/getCluster.js";
import type { Provider } from "@pulumi/aws/provider.js";
import { getSubnetGroup } from "@pulumi/aws/rds/getSubnetGroup.js";
import type { StackConfig } from "../config/stackConfig.ts";
import {
  type AddOnAnswer,
  type Answer,
  type AwsAnswers,
  type ClusterAnswer,
  foundIn,
  type SubnetAnswer,
  type SubnetGroupAnswer,
  type VpcAnswer,
} from "./awsAnswers.ts";

/** Asks AWS everything that the rules rest on, each question as early as its own inputs are known. Never throws. */
export async function askAws(config: StackConfig, provider: Provider): Promise<AwsAnswers> {
  const from = { provider };
  const eks = "eks" in config.cluster ? config.cluster.eks : undefined;
  const cluster = eks === undefined ? undefined : ask<ClusterAnswer>(getCluster({ name: eks }, from));
  const addOn =
    eks === undefined ? undefined : ask<AddOnAnswer>(getAddon({ clusterName: eks, addonName: "vpc-cni" }, from));
  const vpc = findVpc();
  const [clusterAnswer, addOnAnswer, vpcAnswer, subnetAnswers] = await Promise.all([
    cluster,
    addOn,
    vpc,
    findSubnets(),
  ]);
  return {
    ...(clusterAnswer && { cluster: clusterAnswer }),
    ...(addOnAnswer && { addOn: addOnAnswer }),
    ...(vpcAnswer && { vpc: vpcAnswer }),
    ...subnetAnswers,
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

  async function findSubnets(): Promise<Pick<AwsAnswers, "subnetGroup" | "taggedSubnets" | "subnets">> {
    const { ids, ...how } = await findSubnetIds();
    const found = ids.map(async (id) => [id, await ask<SubnetAnswer>(getSubnet({ id }, from))] as const);
    return { ...how, subnets: new Map(await Promise.all(found)) };
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

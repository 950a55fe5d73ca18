import { defined } from "../../analysis/input.ts";
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
import { failureText } from "./failureText.ts";

/** Where answers come from: AWS, or a record of it. Each lookup fails with an error in the provider's words. */
export interface AwsLookups {
  getCluster(args: { readonly name: string }): Promise<ClusterAnswer>;
  getAddon(args: { readonly clusterName: string; readonly addonName: string }): Promise<AddOnAnswer>;
  getVpc(args: { readonly id: string } | { readonly tags: Record<string, string> }): Promise<VpcAnswer>;
  getSubnetGroup(args: { readonly name: string }): Promise<SubnetGroupAnswer>;
  getSubnets(args: {
    readonly filters: { name: string; values: string[] }[];
    readonly tags: Record<string, string>;
  }): Promise<{ readonly ids?: readonly string[] }>;
  getSubnet(args: { readonly id: string }): Promise<SubnetAnswer>;
}

/** Asks everything that the rules rest on, each question as early as its own inputs are known. Never throws. */
export async function askQuestions(config: StackConfig, lookups: AwsLookups): Promise<AwsAnswers> {
  const eks = "eks" in config.cluster ? config.cluster.eks : undefined;
  const cluster = eks === undefined ? undefined : ask(lookups.getCluster({ name: eks }));
  const addOn = eks === undefined ? undefined : ask(lookups.getAddon({ clusterName: eks, addonName: "vpc-cni" }));
  const vpc = findVpc();
  const [clusterAnswer, addOnAnswer, vpcAnswer, subnetAnswers] = await Promise.all([
    cluster,
    addOn,
    vpc,
    findSubnets(),
  ]);
  return { ...defined({ cluster: clusterAnswer, addOn: addOnAnswer, vpc: vpcAnswer }), ...subnetAnswers };

  async function findVpc(): Promise<Answer<VpcAnswer> | undefined> {
    const choice = config.vpc;
    if ("id" in choice) {
      return ask(lookups.getVpc({ id: choice.id }));
    }
    if ("name" in choice) {
      return ask(lookups.getVpc({ tags: { Name: choice.name } }));
    }
    const id = foundIn(await cluster)?.vpcConfig?.vpcId;
    return id ? ask(lookups.getVpc({ id })) : undefined;
  }

  async function findSubnets(): Promise<Pick<AwsAnswers, "subnetGroup" | "taggedSubnets" | "subnets">> {
    const { ids, ...how } = await findSubnetIds();
    const found = ids.map(async (id) => [id, await ask(lookups.getSubnet({ id }))] as const);
    return { ...how, subnets: new Map(await Promise.all(found)) };
  }

  async function findSubnetIds(): Promise<
    { ids: readonly string[] } & Pick<AwsAnswers, "subnetGroup" | "taggedSubnets">
  > {
    const choice = config.databaseSubnets;
    if (choice === undefined) {
      return { ids: [] };
    }
    if ("ids" in choice) {
      return { ids: unique(choice.ids) };
    }
    if ("subnetGroup" in choice) {
      const subnetGroup = await ask(lookups.getSubnetGroup({ name: choice.subnetGroup }));
      return { subnetGroup, ids: unique(foundIn(subnetGroup)?.subnetIds ?? []) };
    }
    const vpcId = foundIn(await vpc)?.id;
    if (!vpcId) {
      return { ids: [] };
    }
    const filters = [{ name: "vpc-id", values: [vpcId] }];
    const taggedSubnets = await ask(lookups.getSubnets({ filters, tags: { ...choice.tags } }));
    return { taggedSubnets, ids: unique(foundIn(taggedSubnets)?.ids ?? []) };
  }
}

async function ask<Result>(lookup: Promise<Result>): Promise<Answer<Result>> {
  try {
    return { found: await lookup };
  } catch (error) {
    return { failure: failureText(error) };
  }
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort();
}

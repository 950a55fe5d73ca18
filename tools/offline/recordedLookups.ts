import type { AwsLookups } from "../../program/lookups/askQuestions.ts";
import { awsAnswers } from "./awsAnswers.ts";
import type { PropertyMap } from "./engine/values.ts";
import type { RecordedFacts } from "./recordedFacts.ts";

/** The program's lookups, answered from recorded facts without an engine. */
export function recordedLookups(facts: RecordedFacts): AwsLookups {
  const answer = awsAnswers(facts);
  const ask =
    (token: string) =>
    async (args: object): Promise<PropertyMap> =>
      answer({ token, args: args as PropertyMap });
  return {
    getCluster: ask("aws:eks/getCluster:getCluster"),
    getAddon: ask("aws:eks/getAddon:getAddon"),
    getVpc: ask("aws:ec2/getVpc:getVpc"),
    getSubnetGroup: ask("aws:rds/getSubnetGroup:getSubnetGroup"),
    getSubnets: ask("aws:ec2/getSubnets:getSubnets"),
    getSubnet: ask("aws:ec2/getSubnet:getSubnet"),
  };
}

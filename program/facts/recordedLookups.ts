import type { AwsLookups } from "../lookups/askQuestions.ts";
import { awsAnswers, type LookupArgs } from "./awsAnswers.ts";
import type { RecordedFacts } from "./recordedFacts.ts";

/** The program's lookups, answered from recorded facts without Pulumi. */
export function recordedLookups(facts: RecordedFacts): AwsLookups {
  const answer = awsAnswers(facts);
  const ask = (token: string) => async (args: object) => answer(token, args as LookupArgs);
  return {
    getCluster: ask("aws:eks/getCluster:getCluster"),
    getAddon: ask("aws:eks/getAddon:getAddon"),
    getVpc: ask("aws:ec2/getVpc:getVpc"),
    getSubnetGroup: ask("aws:rds/getSubnetGroup:getSubnetGroup"),
    getSubnets: ask("aws:ec2/getSubnets:getSubnets"),
    getSubnet: ask("aws:ec2/getSubnet:getSubnet"),
  };
}

import type { StackConfig } from "../config/stackConfig.ts";
import type { AwsAnswers } from "../lookups/awsAnswers.ts";
import { judgeAddOn } from "../lookups/judgeAddOn.ts";
import { judgeNetwork } from "../lookups/judgeNetwork.ts";
import type { RecordedFacts } from "./recordedFacts.ts";

/** The facts in what AWS answered, as far as they are worth a record. */
export function recordedFacts(
  config: StackConfig,
  answers: AwsAnswers,
  origin: Pick<RecordedFacts, "source" | "recordedAt">,
): RecordedFacts {
  const { facts } = judgeNetwork(config, answers);
  const { vpc, databaseSubnets, cluster, addOn } = facts;
  const { ipv4Egress } = judgeAddOn(config, answers.addOn, []);
  const { version, networkPolicyEnabled } = addOn;
  const choice = config.databaseSubnets;
  return {
    source: origin.source,
    recordedAt: origin.recordedAt,
    placeholders: [],
    region: vpc.region,
    vpc: {
      id: vpc.id,
      ...("name" in config.vpc && { name: config.vpc.name }),
      ipv4Cidrs: vpc.ipv4Cidrs,
      ipv6Cidrs: vpc.ipv6Cidrs,
    },
    databaseSubnets: new Map(databaseSubnets.map(({ id, cidrs }) => [id, cidrs])),
    ...(choice && "subnetGroup" in choice && { databaseSubnetGroup: choice.subnetGroup }),
    ...(choice && "tags" in choice && { databaseSubnetTags: choice.tags }),
    ...("eks" in config.cluster && {
      cluster: {
        name: cluster.name,
        ipFamily: cluster.ipFamily,
        ...(cluster.serviceCidr && { serviceCidr: cluster.serviceCidr }),
      },
    }),
    ...(version !== undefined &&
      networkPolicyEnabled !== "unknown" && { vpcCni: { version, networkPolicyEnabled, ipv4Egress } }),
  };
}

import type { StackConfig } from "../config/stackConfig.ts";
import type { JudgedNetwork } from "../lookups/judgeNetwork.ts";
import type { RecordedFacts } from "./recordedFacts.ts";

/** The facts of a network, as far as they are worth a record. */
export function recordedFacts(
  config: StackConfig,
  { facts, ipv4Egress }: Pick<JudgedNetwork, "facts" | "ipv4Egress">,
  { source, recordedAt }: Pick<RecordedFacts, "source" | "recordedAt">,
): RecordedFacts {
  const { databaseSubnets, cluster, addOn } = facts;
  const { id, region, ...blocks } = facts.vpc;
  const { version, networkPolicyEnabled } = addOn;
  const choice = config.databaseSubnets;
  return {
    source,
    recordedAt,
    placeholders: [],
    region,
    vpc: { id, ...("name" in config.vpc && { name: config.vpc.name }), ...blocks },
    databaseSubnets: new Map(databaseSubnets.map(({ id, cidrs }) => [id, cidrs])),
    ...(choice && "subnetGroup" in choice && { databaseSubnetGroup: choice.subnetGroup }),
    ...(choice && "tags" in choice && { databaseSubnetTags: choice.tags }),
    ...("eks" in config.cluster && { cluster }),
    ...(version !== undefined &&
      networkPolicyEnabled !== "unknown" && { vpcCni: { version, networkPolicyEnabled, ipv4Egress } }),
  };
}

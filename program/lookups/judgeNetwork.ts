import type { AddressFamily } from "../../analysis/address.ts";
import { Input } from "../../analysis/input.ts";
import { type Problem, ProblemsError } from "../../analysis/problems.ts";
import type { ClusterFacts, NetworkFacts } from "../../runner/networkFacts.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import { type AwsAnswers, emptyAnswer, foundIn, foundOr } from "./awsAnswers.ts";
import { judgeAddOn } from "./judgeAddOn.ts";
import { judgeDatabaseSubnets, judgeVpc } from "./judgeVpc.ts";

/** Facts that can be trusted, and what every run has to repeat about them. */
export interface JudgedNetwork {
  readonly facts: NetworkFacts;
  readonly warnings: readonly string[];
  /** Whether an IPv6 cluster's pods send IPv4 past the policy (`ENABLE_V4_EGRESS` of the add-on). */
  readonly ipv4Egress: boolean;
  /** How the API server is reached: the cluster's own endpoint, or a context of the user's kubeconfig. */
  readonly apiServer: EksEndpoint | { readonly context: string };
}

/** The API server of an EKS cluster. */
export interface EksEndpoint {
  readonly name: string;
  readonly endpoint: string;
  /** PEM, in base64. */
  readonly certificateAuthority: string;
}

/**
 * Turns what AWS answered into facts. Fails closed: nothing found, several found, an empty answer, subnets outside the
 * VPC, a cluster in another VPC, a policy that nothing would enforce.
 *
 * @throws {ProblemsError} with all problems together.
 */
export function judgeNetwork(config: StackConfig, answers: AwsAnswers): JudgedNetwork {
  const problems: Problem[] = [];
  const cluster = judgeCluster(config, answers, problems);
  const vpc = judgeVpc(config, answers, problems);
  const databaseSubnets = judgeDatabaseSubnets(config, answers, vpc, problems);
  const addOn =
    "eks" in config.cluster && foundIn(answers.cluster) === undefined
      ? undefined
      : judgeAddOn(config, answers.addOn, problems);
  const inVpc = foundIn(answers.cluster)?.vpcConfig?.vpcId;
  const place = new Input(config.vpc, "runner-egress:vpc", problems);
  if (vpc !== undefined && inVpc && inVpc !== vpc.id) {
    place.wrong(`found ${vpc.id}, but the cluster is in ${inVpc}; give {ofCluster: true} or the right VPC`);
  }
  if (cluster?.facts.ipFamily === "ipv6" && vpc?.ipv6Cidrs.length === 0) {
    place.wrong(`the cluster's pods have IPv6 addresses, but ${vpc.id} has no associated IPv6 CIDR block`);
  }
  if (problems.length > 0 || !cluster || !vpc || !addOn) {
    throw new ProblemsError("The network can't be relied on; nothing was written:", problems);
  }
  return {
    facts: { vpc, databaseSubnets, cluster: cluster.facts, addOn: addOn.facts },
    warnings: [
      ...addOn.warnings,
      ...unusedAcknowledgements(config, addOn.facts.acknowledged),
      ...ipv6Warnings(cluster.facts.ipFamily, addOn.ipv4Egress),
    ],
    ipv4Egress: addOn.ipv4Egress,
    apiServer: cluster.apiServer,
  };
}

function judgeCluster(
  config: StackConfig,
  answers: AwsAnswers,
  problems: Problem[],
): (Pick<JudgedNetwork, "apiServer"> & { facts: ClusterFacts }) | undefined {
  if (!("eks" in config.cluster)) {
    const { context, ipFamily } = config.cluster;
    return { facts: { name: context, ipFamily }, apiServer: { context } };
  }
  const { eks: name, context } = config.cluster;
  const place = new Input(name, "runner-egress:cluster.eks", problems);
  const found = foundOr(
    answers.cluster ?? { failure: "it never ran" },
    place,
    "Check the name, aws:region, the account and the right to eks:DescribeCluster",
  );
  if (found === undefined) {
    return undefined;
  }
  const [network] = found.kubernetesNetworkConfigs ?? [];
  const ipFamily = network?.ipFamily;
  if (ipFamily !== "ipv4" && ipFamily !== "ipv6") {
    return place.wrong(emptyAnswer(`the IP family ${JSON.stringify(ipFamily)}`));
  }
  if (!found.vpcConfig?.vpcId) {
    place.wrong(emptyAnswer("a cluster without a VPC"));
  }
  const serviceCidr = ipFamily === "ipv4" ? network?.serviceIpv4Cidr : network?.serviceIpv6Cidr;
  const facts = { name, ipFamily, ...(serviceCidr && { serviceCidr }) } as const;
  if (context !== undefined) {
    return { facts, apiServer: { context } };
  }
  const { endpoint, certificateAuthorities } = found;
  const certificateAuthority = certificateAuthorities?.[0]?.data;
  return endpoint && certificateAuthority
    ? { facts, apiServer: { name, endpoint, certificateAuthority } }
    : place.wrong(emptyAnswer("a cluster without endpoint or certificate authority"));
}

/** An acknowledgement that nothing needs would hide the finding when it does come. */
function unusedAcknowledgements(config: StackConfig, used: readonly string[]): string[] {
  // Judged elsewhere, by what is live and by the workflow.
  const others = ["policy-identity-change", "deployment-not-reviewed"];
  return [...config.acknowledge.keys()]
    .filter((name) => !others.includes(name) && !used.includes(name))
    .map((name) => `runner-egress:acknowledge.${name} is not needed now; remove it, or it will hide the next case`);
}

function ipv6Warnings(family: AddressFamily, ipv4Egress: boolean): string[] {
  return family === "ipv6" && ipv4Egress
    ? [
        "The cluster's pods also send IPv4 (ENABLE_V4_EGRESS of vpc-cni is not false), and no policy is enforced on that " +
          "path: the VPC's IPv4 addresses and 169.254.169.254 stay reachable. Set it to false",
      ]
    : [];
}

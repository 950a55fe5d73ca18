import { ADDRESS_FAMILIES } from "./address.ts";
import { cellRange } from "./addressMap.ts";
import { overlaps } from "./cidr.ts";
import { type Assertion, type Contradiction, wrongAddresses } from "./contradictions.ts";
import { DEPENDS_ON_LABELS } from "./isolation.ts";
import type { EgressAnalysis, ServicePoint } from "./normalForm.ts";
import { judgePods } from "./podAssertions.ts";
import { subtract } from "./rangeSet.ts";
import { unplacedGrants } from "./selectorRegions.ts";
import { awsEndpointAt } from "./specialPurpose.ts";

/** How an assertion fared. */
export interface AssertionResult {
  readonly name: string;
  readonly expect: "allow" | "deny";
  /**
   * `vacuous`: it names no destination at all, so it proves nothing; counts as a failure. `inconclusive`: the agent cannot
   * load the policy, or the addresses or namespaces of pods decide, and no inventory has them.
   */
  readonly outcome: "holds" | "fails" | "vacuous" | "inconclusive";
  readonly contradictions: readonly Contradiction[];
  /**
   * What does not hold with it: for a denial, what may be reached all the same at addresses that were not given; for pods
   * that are allowed, Services in front of them that EKS denies.
   */
  readonly apart: readonly string[];
  readonly text: string;
}

/** More Services than this are counted, not listed. */
const MOST_LISTED = 3;

/** Checks assertions against what the policies allow, exactly: every address, protocol and port that they name. */
export function check(analysis: EgressAnalysis, assertions: readonly Assertion[]): AssertionResult[] {
  return assertions.map((assertion) => checkOne(analysis, inFamily(analysis, assertion)));
}

function inFamily({ semantics }: EgressAnalysis, assertion: Assertion): Assertion {
  if (semantics.name === "kubernetes") {
    return assertion;
  }
  const other = (assertion.named ?? []).filter(({ family }) => family !== semantics.ipFamily);
  return { ...assertion, addresses: subtract(assertion.addresses, other) };
}

function checkOne(analysis: EgressAnalysis, assertion: Assertion): AssertionResult {
  const { ifIsolated } = analysis;
  const result = judge(analysis, assertion);
  // Whether the pod is isolated depends on labels that only an inventory resolves.
  return ifIsolated === undefined || judge(ifIsolated, assertion).outcome === result.outcome
    ? result
    : {
        ...result,
        outcome: "inconclusive",
        contradictions: [],
        apart: [],
        text: `${assertion.name}: ${DEPENDS_ON_LABELS}`,
      };
}

function judge(analysis: EgressAnalysis, assertion: Assertion): AssertionResult {
  const { name, expect, addresses, pods, protocols, ports } = assertion;
  const result = (
    outcome: AssertionResult["outcome"],
    text: string,
    contradictions: readonly Contradiction[] = [],
    apart: readonly string[] = [],
  ): AssertionResult => ({ name, expect, outcome, contradictions, apart, text: `${name}: ${text}` });
  if ((addresses.length === 0 && pods.length === 0) || protocols.length === 0 || ports.length === 0) {
    return result("vacuous", "names no destination, so it proves nothing");
  }
  if (analysis.aborts.length > 0) {
    return result("inconclusive", "the agent cannot load this policy and keeps whatever was loaded before");
  }
  const answers = pods.map((set) => judgePods(analysis, set, assertion));
  const contradictions = [
    ...wrongAddresses(analysis, assertion, addresses),
    ...answers.flatMap(({ contradictions }) => contradictions),
  ];
  const [first] = contradictions;
  if (first !== undefined) {
    const more = contradictions.length > 1 ? ` (and ${contradictions.length - 1} more)` : "";
    return result("fails", `should ${expect} ${first.where}, but ${first.why}${more}`, contradictions);
  }
  const services = servicesWithoutBackends(analysis, assertion);
  const doubts = [...answers.flatMap((answer) => answer.doubts), ...(expect === "allow" ? services : [])];
  if (doubts.length > 0) {
    return result("inconclusive", doubts.join("; "));
  }
  const apart = [
    ...answers.flatMap((answer) => answer.apart),
    ...(expect === "deny" ? [...services, ...withoutAddress(analysis, assertion)] : []),
  ];
  const because = analysis.isolated ? "" : " because no policy isolates the egress of this pod";
  const verdict = expect === "allow" ? `allowed${because}` : "denied";
  return result("holds", `${verdict}${apart.length === 0 ? "" : `, apart from ${apart.join(" and ")}`}`, [], apart);
}

/** Under `kubernetes`: ClusterIPs of which nobody knows where their packets arrive. */
function servicesWithoutBackends({ partitions }: EgressAnalysis, { addresses, protocols, ports }: Assertion): string[] {
  const isAsked = ({ protocol, port }: ServicePoint) =>
    protocols.some((asked) => asked === protocol) && ports.some(({ from, to }) => from <= port && port <= to);
  const found = ADDRESS_FAMILIES.flatMap((family) =>
    partitions[family].cells.flatMap(({ origin }, index) =>
      origin.kind === "service" &&
      origin.points.some((point) => point.backends.length === 0 && isAsked(point)) &&
      addresses.some((range) => overlaps(range, cellRange(partitions[family], index)))
        ? [`Service ${origin.service.namespace}/${origin.service.name}`]
        : [],
    ),
  );
  const more = found.length > MOST_LISTED ? ` and ${found.length - MOST_LISTED} more` : "";
  return found.length === 0
    ? []
    : [`${found.slice(0, MOST_LISTED).join(", ")}${more}, behind which the inventory has no running pod`];
}

/** What the policies, or the agent by itself, may allow at addresses that the analysis was not given. */
function withoutAddress(analysis: EgressAnalysis, assertion: Assertion): string[] {
  const { semantics } = analysis;
  // No pod and no node has the address of an AWS service.
  const ranges = assertion.addresses.filter(
    ({ family, first, last }) => first !== last || awsEndpointAt({ family, value: first }) === undefined,
  );
  const isNodeUnknown =
    semantics.name === "vpc-cni" &&
    semantics.nodeIp === undefined &&
    ranges.some(({ family }) => family === semantics.ipFamily);
  return [
    ...(ranges.length > 0 && unplacedGrants(analysis, assertion).length > 0
      ? ["pods and Services that rules name by label"]
      : []),
    ...(isNodeUnknown ? ["the pod's own node"] : []),
  ];
}

import type { AddressFamily } from "./address.ts";
import { type PortChange, witnessOf } from "./boxes.ts";
import { type AddressRange, formatRange, hostOf, parseCidr } from "./cidr.ts";
import { type Assertion, type Contradiction, wrongAddresses, wrongPorts } from "./contradictions.ts";
import { explain } from "./explain.ts";
import { backendsOf, NAMESPACE_NAME_LABEL, namespaceLabels, targetNumber } from "./inventory.ts";
import { selects } from "./labelSelector.ts";
import type { EgressAnalysis } from "./normalForm.ts";
import { verdict } from "./point.ts";
import { type PortQuestion, permitsSome } from "./ports.ts";
import { formatPorts, POLICY_PROTOCOLS, type PortRange } from "./protocol.ts";
import { areDisjoint } from "./reach/labelSets.ts";
import {
  EVERY_POD,
  formatPodSet,
  intersectPodSets,
  isNarrowerPodSet,
  type PodSet,
  subtractPodSets,
} from "./reach/podSets.ts";
import { formatReference, type Reference, referenceTo } from "./reference.ts";
import { mayAllow, selectorRegion } from "./selectorRegions.ts";
import { addressTerms } from "./terms.ts";

/** How an assertion fares for one set of pods. */
export interface PodAnswer {
  readonly contradictions: readonly Contradiction[];
  /** Why nothing can be told. */
  readonly doubts: readonly string[];
  /** What does not hold with it. */
  readonly apart: readonly string[];
}

const HOLDS: PodAnswer = { contradictions: [], doubts: [], apart: [] };

/**
 * Where pods and Services of a cluster are: the Services of an EKS cluster always, its pods unless the VPC has blocks of
 * other ranges.
 */
const CLUSTER_SPACE: readonly AddressRange[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].map(
  parseCidr,
);

/** Judges a set of pods: by their addresses where an inventory has them, else by what the rules name. */
export function judgePods(analysis: EgressAnalysis, set: PodSet, assertion: Assertion): PodAnswer {
  if (!analysis.isolated) {
    const why = "no policy isolates the egress of this pod, so everything is allowed";
    return assertion.expect === "allow"
      ? HOLDS
      : {
          ...HOLDS,
          contradictions: assertion.ports.map((ports) =>
            contradiction(set, { ...assertion, ports, after: "allow" }, why),
          ),
        };
  }
  if (analysis.inventory !== undefined) {
    return byAddresses(analysis, set, assertion);
  }
  const answers = partsByRule(analysis, set, assertion).map((part) => byRules(analysis, part, assertion));
  return {
    ...HOLDS,
    contradictions: answers.flatMap(({ contradictions }) => contradictions),
    doubts: [...new Set(answers.flatMap(({ doubts }) => doubts))],
  };
}

/** The parts of a set that rules name, where together they are all of it: `app in (a, b)` beside peers for a and for b. */
function partsByRule({ podGrants }: EgressAnalysis, set: PodSet, { expect, ...asked }: Assertion): readonly PodSet[] {
  const grants = expect === "allow" ? podGrants.filter((grant) => mayAllow(grant, asked)) : [];
  const named = grants.flatMap(({ pods }) => intersectPodSets(set, pods));
  const parts = [...new Map(named.map((part) => [formatPodSet(part), part])).values()];
  const isAllOfIt = subtractPodSets(set, parts).length === 0;
  const isNarrower = (part: PodSet) => (other: PodSet) =>
    isNarrowerPodSet(other, part) && !isNarrowerPodSet(part, other);
  return isAllOfIt ? parts.filter((part) => subtractPodSets(part, parts.filter(isNarrower(part))).length > 0) : [set];
}

function byAddresses(analysis: EgressAnalysis, set: PodSet, assertion: Assertion): PodAnswer {
  const inventory = analysis.inventory as NonNullable<EgressAnalysis["inventory"]>;
  const pods = inventory.pods.filter(
    ({ namespace, labels }) =>
      selects(set.podSelector, labels) && selects(set.namespaceSelector, namespaceLabels(inventory, namespace)),
  );
  const addresses = pods.flatMap((pod) => pod.addresses.filter(({ family }) => isJudged(analysis, family)));
  if (addresses.length === 0) {
    return { ...HOLDS, doubts: [`the inventory has no running pod with an address among ${formatPodSet(set)}`] };
  }
  const contradictions = wrongAddresses(analysis, assertion, addresses.map(hostOf)).map((wrong) => ({
    ...wrong,
    where: `${formatPodSet(set)} at ${wrong.where}`,
    why: `${wrong.why}${assertion.expect === "allow" ? splitPeers(analysis, set) : ""}`,
  }));
  return {
    ...HOLDS,
    contradictions,
    apart: assertion.expect === "allow" ? deniedServices(analysis, pods, assertion) : [],
  };
}

/** Services in front of pods whose ClusterIP the agent denies, although it allows the pods. */
function deniedServices(analysis: EgressAnalysis, pods: readonly object[], { protocols, ports }: Assertion): string[] {
  const { inventory, semantics } = analysis;
  if (inventory === undefined || semantics.name === "kubernetes") {
    return [];
  }
  return inventory.services.flatMap((service) => {
    const backends = backendsOf(service, inventory).filter((pod) => pods.includes(pod));
    const address = service.clusterIps.find(({ family }) => family === semantics.ipFamily);
    const isDenied = service.ports.some(
      (port) =>
        protocols.includes(port.protocol) &&
        backends.some((pod) => isAmong(ports, targetNumber(port, pod))) &&
        address !== undefined &&
        verdict(analysis, { address, protocol: port.protocol, port: port.port }) !== "allow",
    );
    return isDenied && address !== undefined
      ? [
          `Service ${service.namespace}/${service.name} in front of them, ${formatRange(hostOf(address))}, which EKS denies`,
        ]
      : [];
  });
}

function isAmong(ports: readonly PortRange[], port: number | undefined): boolean {
  return port !== undefined && ports.some(({ from, to }) => from <= port && port <= to);
}

function byRules(analysis: EgressAnalysis, set: PodSet, assertion: Assertion): PodAnswer {
  const wrong = wrongPorts(selectorRegion(analysis, set).table, assertion);
  if (assertion.expect === "deny") {
    const why = `a rule allows them: ${granting(analysis, set)}`;
    const hint = mayBeNamed(analysis, set, assertion) ? "" : "; deny the addresses that they can have instead";
    return wrong.length > 0
      ? { ...HOLDS, contradictions: wrong.map((part) => contradiction(set, part, why)) }
      : { ...HOLDS, doubts: doubtsAbout(analysis, set, assertion).map((text) => `${text}${hint}`) };
  }
  const random = wrong.filter(({ after }) => after === "order-dependent");
  if (random.length > 0) {
    const why = "the rules have more port entries for the same pods than the agent keeps, and which are kept is random";
    return { ...HOLDS, contradictions: random.map((part) => contradiction(set, part, why)) };
  }
  const answers = wrong.map((part) => notKnown(analysis, set, part));
  return {
    contradictions: answers.flatMap((answer) => answer.contradictions),
    doubts: [...new Set(answers.flatMap((answer) => answer.doubts))],
    apart: [],
  };
}

/** Ports that no rule is known to allow on some pods: perhaps a rule names the pods all the same, or a block holds them. */
function notKnown(analysis: EgressAnalysis, set: PodSet, part: PortChange): PodAnswer {
  const protocols = POLICY_PROTOCOLS.filter((protocol) => part.protocols.includes(protocol));
  const asked = { expect: "deny", protocols, ports: [part.ports] } as const;
  const space = CLUSTER_SPACE.filter(({ family }) => isJudged(analysis, family));
  const doubts = doubtsAbout(analysis, set, asked);
  if (doubts.length > 0 && (mayBeNamed(analysis, set, asked) || wrongAddresses(analysis, asked, space).length > 0)) {
    return { ...HOLDS, doubts: doubts.map((text) => `${text}; only an inventory tells`) };
  }
  const [range] = space;
  const denied =
    doubts.length > 0 && range !== undefined
      ? `, and the private addresses that pods and Services have are denied: ${explain(analysis, witnessOf({ ...part, range })).text}`
      : ".";
  const why = `no rule names them on that port${denied}${splitPeers(analysis, set)}`;
  return { ...HOLDS, contradictions: [contradiction(set, part, why)] };
}

/** Whether a semantics looks at the addresses of a family. */
function isJudged({ semantics }: EgressAnalysis, family: AddressFamily): boolean {
  return semantics.name === "kubernetes" || family === semantics.ipFamily;
}

function contradiction(
  set: PodSet,
  { protocols, ports, after: verdict }: Omit<PortChange, "before">,
  why: string,
): Contradiction {
  const where = `${formatPodSet(set)} on ${protocols.join(", ")} ${formatPorts(ports)}`;
  return { where, range: undefined, protocols, ports, verdict, witness: undefined, explanation: undefined, why };
}

/** The rules that are known to reach a set of pods. */
function granting(analysis: EgressAnalysis, set: PodSet): string {
  const places = analysis.podGrants
    .filter(({ pods }) => isNarrowerPodSet(set, pods))
    .flatMap(({ permissions }) => permissions.flatMap(({ grants }) => grants));
  return [...new Set(places.map((place) => formatReference(referenceTo(analysis, place))))].join(" and ");
}

/** Whether a rule may name some of the pods. */
function mayBeNamed(analysis: EgressAnalysis, set: PodSet, asked: PortQuestion): boolean {
  return analysis.podGrants.some(
    (grant) =>
      mayAllow(grant, asked) &&
      !areDisjoint(grant.pods.podSelector, set.podSelector) &&
      !areDisjoint(grant.pods.namespaceSelector, set.namespaceSelector),
  );
}

/** Why some pods of a denial may be reached although no rule is known to reach them. */
function doubtsAbout(analysis: EgressAnalysis, set: PodSet, asked: PortQuestion): string[] {
  if (mayBeNamed(analysis, set, asked)) {
    return [`a rule may name some of ${formatPodSet(set)}`];
  }
  const block = blockThatAllows(analysis, asked);
  return block === undefined ? [] : [`${formatReference(block)} may hold addresses of ${formatPodSet(set)}`];
}

/** The first block with a port of an assertion, where blocks match pods too. */
function blockThatAllows(analysis: EgressAnalysis, asked: PortQuestion): Reference | undefined {
  const { policies, applying, semantics } = analysis;
  if (semantics.name === "kubernetes" && semantics.ipBlockMatchesPods === false) {
    return undefined;
  }
  const term = addressTerms(policies, applying, undefined).find(({ permissions }) => permitsSome(permissions, asked));
  return term && referenceTo(analysis, term);
}

/**
 * A hint where the namespace and the pods stand in two list items: either is enough alone, and the second means the
 * policy's own namespace. Empty where that is not so.
 */
function splitPeers(analysis: EgressAnalysis, set: PodSet): string {
  for (const policy of analysis.applying) {
    for (const [rule, { to }] of (analysis.policies[policy]?.egress ?? []).entries()) {
      const namespaces = (to ?? []).findIndex(
        (peer) =>
          peer.kind === "pods" && peer.namespaceSelector !== undefined && peer.podSelector.requirements.length === 0,
      );
      const pods = (to ?? []).findIndex(
        (peer) =>
          peer.kind === "pods" &&
          peer.namespaceSelector === undefined &&
          peer.podSelector.requirements.length > 0 &&
          isNarrowerPodSet(set, { ...EVERY_POD, podSelector: peer.podSelector }),
      );
      const named = set.namespaceSelector.requirements.some(({ key }) => key === NAMESPACE_NAME_LABEL);
      if (namespaces >= 0 && pods >= 0 && named) {
        const { policy: id } = referenceTo(analysis, { policy, rule, peer: pods });
        return ` Rule ${rule} of ${id} has the namespace and the pods in two list items, to[${namespaces}] and to[${pods}]; to[${pods}] means the policy's own namespace. Write both selectors in one item.`;
      }
    }
  }
  return "";
}

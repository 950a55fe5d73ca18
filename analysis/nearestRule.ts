import { ADDRESS_BITS, type Address } from "./address.ts";
import { type Cidr, contains, wholeFamily } from "./cidr.ts";
import { backendsOf, type Pod } from "./inventory.ts";
import { formatRulePorts } from "./networkPolicy.ts";
import type { EgressAnalysis, Point } from "./normalForm.ts";
import { permits } from "./ports.ts";
import { matchingPods, numericPermissions, podPermissions, type RulePeer, type RulePlace, rulePeers } from "./terms.ts";

/** The rule that came closest to allowing a denied point. */
export interface NearestRule {
  readonly place: RulePlace;
  /** Index of the `except` that holds the address. */
  readonly except: number | undefined;
  /** Why it does not match, as the end of a sentence. */
  readonly why: string;
}

/** How a peer relates to a denied point. */
interface Candidate extends Omit<NearestRule, "why"> {
  /** What the rule's `ports` allow, as text. */
  readonly ports: string;
  readonly block: Cidr | undefined;
  readonly addressMatches: boolean;
  readonly portMatches: boolean;
  /** Leading bits that the block and the address share; -1 across families. */
  readonly sharedBits: number;
}

/**
 * Finds the rule that almost matched: the narrowest one that reaches the address apart from its ports or its `except`s;
 * where there is none, the one that has the port and the nearest block.
 */
export function nearestRule(analysis: EgressAnalysis, point: Point, address: Address): NearestRule | undefined {
  const all = candidates(analysis, point, address);
  if (all.length === 0) {
    return undefined;
  }
  const best = all.reduce((closest, candidate) => (isCloser(candidate, closest) ? candidate : closest));
  return { ...best, why: whyNot(analysis, best) };
}

function whyNot(
  { semantics }: EgressAnalysis,
  { ports, block, except, addressMatches, portMatches }: Candidate,
): string {
  if (!addressMatches) {
    return block === undefined
      ? "which reaches pods by their labels, not this address"
      : `which does not contain it${portMatches ? "" : ` and allows only ${ports}`}`;
  }
  if (except !== undefined) {
    return portMatches ? "which would allow it without that except" : `which excepts it and allows only ${ports}`;
  }
  if (!portMatches) {
    return `which allows only ${ports}`;
  }
  if (block === undefined) {
    return "for which the controller emits no entry here";
  }
  return semantics.name === "kubernetes"
    ? "whose block doesn't match pods here"
    : "which the agent does not apply here";
}

function candidates(analysis: EgressAnalysis, point: Point, address: Address): Candidate[] {
  const { family, value } = address;
  const at = { family, first: value, last: value };
  return rulePeers(analysis.policies, analysis.applying).map((each) => {
    const { place, rule, peer } = each;
    const block = peer === undefined ? wholeFamily(family) : peer.kind === "ipBlock" ? peer.cidr : undefined;
    const pods = podsAt(analysis, each, address);
    const except = peer?.kind === "ipBlock" ? peer.excepts.findIndex((cidr) => contains(cidr, at)) : -1;
    return {
      place,
      ports: formatRulePorts(rule),
      block,
      except: except < 0 ? undefined : except,
      addressMatches: pods.length > 0 || (block !== undefined && contains(block, at)),
      portMatches: permits(
        [numericPermissions(rule, place), ...pods.map((pod) => podPermissions(rule, place, pod))].flat(),
        point,
      ),
      sharedBits: block === undefined ? 0 : commonBits(block, address),
    };
  });
}

/** The pods of a peer that have an address, or are behind the Service that has it, as far as the inventory goes. */
function podsAt({ inventory }: EgressAnalysis, { peer, namespace }: RulePeer, at: Address): Pod[] {
  if (inventory === undefined || peer?.kind !== "pods") {
    return [];
  }
  const isAt = (addresses: readonly Address[]) =>
    addresses.some(({ family, value }) => family === at.family && value === at.value);
  const behind = inventory.services
    .filter(({ clusterIps }) => isAt(clusterIps))
    .flatMap((service) => backendsOf(service, inventory));
  return matchingPods(peer, namespace, inventory).filter((pod) => isAt(pod.addresses) || behind.includes(pod));
}

function isCloser(a: Candidate, b: Candidate): boolean {
  if (a.addressMatches !== b.addressMatches) {
    return a.addressMatches;
  }
  // A pod's own address is as narrow as it gets.
  const width = ({ block, addressMatches }: Candidate) => block?.prefixLength ?? (addressMatches ? 128 : 0);
  const narrower = width(a) - width(b);
  if (a.addressMatches && narrower !== 0) {
    return narrower > 0;
  }
  return a.portMatches === b.portMatches ? a.sharedBits > b.sharedBits : a.portMatches;
}

function commonBits(block: Cidr, address: Address): number {
  if (block.family !== address.family) {
    return -1;
  }
  const difference = block.first ^ address.value;
  return ADDRESS_BITS[block.family] - (difference === 0n ? 0 : difference.toString(2).length);
}

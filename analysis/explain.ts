import { formatAddress } from "./address.ts";
import { type Cidr, contains, formatCidr } from "./cidr.ts";
import { nearestRule } from "./nearestRule.ts";
import { type NetworkPolicy, policyId } from "./networkPolicy.ts";
import type { EgressAnalysis, MapEntry, Point } from "./normalForm.ts";
import { formatPoint, type Location, locate, verdict } from "./point.ts";
import { permits } from "./ports.ts";
import { formatPodSet } from "./reach/podSets.ts";
import { formatReference, type Reference, referenceTo } from "./reference.ts";
import { unplacedGrants } from "./selectorRegions.ts";
import {
  awsEndpointAt,
  describeBlock,
  type EmbeddedIpv4,
  embeddedIpv4,
  onTheWire,
  type SpecialPurposeBlock,
  specialPurposeBlockOf,
} from "./specialPurpose.ts";
import { addressTerms, type ExceptedTerm } from "./terms.ts";
import type { Verdict } from "./verdict.ts";
import { PORT_SLOTS } from "./vpcCniSlots.ts";

/** What decided. */
export type Reason =
  /** A rule allows it. */
  | "rule"
  /** No policy isolates the pod's egress. */
  | "not-isolated"
  /** `kubernetes`: it is a port of a Service's ClusterIP, and what becomes of it at the backends. */
  | "service"
  /** The peers that would allow it have an `except` here. */
  | "except"
  /** `kubernetes`: the blocks that would allow it do not match pods, as was asked for. */
  | "pods-left-to-selectors"
  /** Rules reach the address, but not on this port. */
  | "port"
  /** No rule reaches the address. */
  | "no-rule"
  /** `vpc-cni`: the address is the pod's own node. */
  | "node-address"
  /** `vpc-cni`: packets of the other family are not looked at. */
  | "other-family"
  /** `vpc-cni`: neighbour discovery is never looked at. */
  | "icmpv6"
  /** `vpc-cni`: more port items than slots. */
  | "slot-overflow"
  /** `vpc-cni`: two blocks are written to one map key. */
  | "key-collision"
  /** `vpc-cni`: the agent cannot load the policy. */
  | "aborted";

/** An IPv4 address that the asked address carries, and what would happen to it when sent as IPv4. */
export interface EmbeddedVerdict extends EmbeddedIpv4 {
  readonly verdict: Verdict;
}

/** A Service and what becomes of its packets, backend by backend. */
export interface ServiceReason {
  /** `namespace/name`. */
  readonly name: string;
  readonly backends: readonly Explanation[];
}

/** Why a point has its verdict. */
export interface Explanation {
  readonly point: Point;
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** What allows it, or might. */
  readonly allowedBy: readonly Reference[];
  /** The `except`s without which it would be allowed. */
  readonly exceptedBy: readonly Reference[];
  /** Under `vpc-cni`: the block of the map entry that decided. */
  readonly entry: Cidr | undefined;
  /** For a port of a Service's ClusterIP under `kubernetes`: the Service, and the reasons at its backends. */
  readonly service: ServiceReason | undefined;
  /** For a denial: the rule that came closest, and why it does not match. */
  readonly nearest: { readonly reference: Reference; readonly why: string } | undefined;
  /**
   * For a denial without an inventory: the pods that rules allow on this port by their labels, sorted. Nobody knows
   * whether one of them, or a Service in front of them, has the address.
   */
  readonly unlessPods: readonly string[];
  /** The block of the IANA registries around the address. */
  readonly block: SpecialPurposeBlock | undefined;
  /** The AWS service at exactly this address. */
  readonly endpoint: string | undefined;
  readonly embedded: EmbeddedVerdict | undefined;
  /** The verdict and what decided it, without the destination: `denied because no rule reaches this address`. */
  readonly decision: string;
  /** All of this for a person, in one or more sentences. */
  readonly text: string;
}

/**
 * Says why a destination is allowed or denied, down to the rule and the `except`.
 *
 * @throws {RangeError} as {@link verdict} does.
 */
export function explain(analysis: EgressAnalysis, point: Point): Explanation {
  const location = locate(analysis, point);
  const { address, span } = location;
  const isDenied = span.verdict === "deny";
  const decided = decide(analysis, point, location);
  const nearest = isDenied && decided.service === undefined ? nearestRule(analysis, point, address) : undefined;
  const known = {
    point,
    verdict: span.verdict,
    allowedBy: span.grants.map(({ port, through, ...place }) => referenceTo(analysis, place, { port, through })),
    exceptedBy: [],
    entry: undefined,
    service: undefined,
    ...decided,
    nearest:
      nearest === undefined
        ? undefined
        : { reference: referenceTo(analysis, nearest.place, { except: nearest.except }), why: nearest.why },
    unlessPods: isDenied ? podsAllowedOn(analysis, point) : [],
    block: specialPurposeBlockOf({ family: address.family, first: address.value, last: address.value }),
    endpoint: awsEndpointAt(address),
    embedded: embeddedVerdict(analysis, point),
  };
  const explanation = { ...known, decision: `${outcomeOf(known)} ${because(analysis, known)}` };
  return { ...explanation, text: sentence(explanation) };
}

/** An explanation before it is put into words. */
type Known = Omit<Explanation, "decision" | "text">;

type Decision = Pick<Explanation, "reason"> & Partial<Pick<Explanation, "exceptedBy" | "entry" | "service">>;

function decide(analysis: EgressAnalysis, point: Point, location: Location): Decision {
  const { cell, span } = location;
  const { origin } = cell;
  switch (origin.kind) {
    case "not-isolated":
    case "other-family":
    case "aborted":
      return { reason: origin.kind };
    case "peers": {
      if (span.verdict === "allow") {
        return { reason: "rule" };
      }
      const deciding = origin.excepted.filter(({ term }) => permits(term.permissions, point));
      const exceptedBy = exceptReferences(analysis, deciding);
      const isPort = origin.terms.length > 0;
      return {
        reason:
          exceptedBy.length > 0
            ? "except"
            : deciding.length > 0
              ? "pods-left-to-selectors"
              : isPort
                ? "port"
                : "no-rule",
        exceptedBy,
      };
    }
    case "service": {
      const at = origin.points.find(({ protocol, port }) => protocol === point.protocol && port === point.port);
      if (at === undefined) {
        return decide(analysis, point, { ...location, cell: origin.base });
      }
      const { namespace, name } = origin.service;
      const backends = at.backends.map((backend) => explain(analysis, backend));
      const exceptedBy = backends.flatMap((backend) => backend.exceptedBy);
      return { reason: "service", exceptedBy, service: { name: `${namespace}/${name}`, backends } };
    }
    case "map-entry":
      return decideByEntry(analysis, location, origin.entry, point.protocol);
  }
}

function decideByEntry(
  analysis: EgressAnalysis,
  { address, span: { verdict } }: Location,
  entry: MapEntry | undefined,
  protocol: Point["protocol"],
): Decision {
  if (protocol === "ICMPv6" && address.family === "ipv6") {
    return { reason: "icmpv6" };
  }
  if (entry === undefined) {
    return { reason: "no-rule" };
  }
  if (verdict === "allow") {
    return { reason: entry.isNode ? "node-address" : "rule", entry: entry.cidr };
  }
  const exceptedBy = exceptReferences(
    analysis,
    entry.values.flatMap(({ excepts }) => excepts),
  );
  const [onRandom, onDenial] = [
    entry.values.length > 1 ? "key-collision" : "slot-overflow",
    exceptedBy.length > 0 ? "except" : "port",
  ] as const;
  return { reason: verdict === "deny" ? onDenial : onRandom, exceptedBy, entry: entry.cidr };
}

function exceptReferences(analysis: EgressAnalysis, excepted: readonly ExceptedTerm[]): Reference[] {
  return excepted.flatMap(({ term, except }) =>
    except === undefined ? [] : [referenceTo(analysis, term, { except })],
  );
}

function podsAllowedOn(analysis: EgressAnalysis, { address, protocol, port }: Point): string[] {
  // No pod has the address of an AWS service.
  if (awsEndpointAt(onTheWire(address)) !== undefined) {
    return [];
  }
  const grants = unplacedGrants(analysis, { protocols: [protocol], ports: [{ from: port, to: port }] });
  return [...new Set(grants.map(({ pods }) => formatPodSet(pods)))].sort();
}

function embeddedVerdict(analysis: EgressAnalysis, point: Point): EmbeddedVerdict | undefined {
  const embedded = embeddedIpv4(point.address);
  return embedded && { ...embedded, verdict: verdict(analysis, { ...point, address: embedded.ipv4 }) };
}

function sentence(explanation: Omit<Explanation, "text">): string {
  const { point, reason, decision, block, endpoint, embedded, nearest, unlessPods, service } = explanation;
  const name = endpoint ?? (block === undefined ? undefined : `in ${describeBlock(block)}`);
  const what = `${formatPoint(point)}${name === undefined ? "" : ` (${name})`}`;
  const isKnown = reason !== "aborted" && service?.backends.length !== 0;
  const isEnded = (service?.backends ?? []).length > 0;
  const sentences = [`${what} ${isKnown ? "is " : ""}${decision}${isEnded ? "" : "."}`];
  if (nearest !== undefined && !sentences[0]?.includes(formatReference(nearest.reference))) {
    sentences.push(`Nearest: ${formatReference(nearest.reference)}, ${nearest.why}.`);
  }
  if (unlessPods.length > 0) {
    sentences.push(`Unless it is an address of ${unlessPods.join(", or of ")}, or of a Service in front of them.`);
  }
  if (embedded !== undefined) {
    const { mechanism, reference, ipv4 } = embedded;
    sentences.push(
      mechanism === "IPv4-mapped"
        ? `It is ${formatAddress(ipv4)}, IPv4-mapped (${reference}): sent as IPv4, so the IPv4 rules decide.`
        : `It carries ${formatAddress(ipv4)} (${mechanism}, ${reference}), which by itself is ${PAST_TENSE[embedded.verdict]}.`,
    );
  }
  return sentences.join(" ");
}

const PAST_TENSE: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  deny: "denied",
  "order-dependent": "allowed or denied at random",
};

function outcomeOf({ verdict, reason, service }: Known): string {
  if (verdict === "order-dependent" && (reason === "aborted" || service !== undefined)) {
    return (service?.backends ?? []).length === 0 ? "cannot be told" : "allowed in part";
  }
  return PAST_TENSE[verdict];
}

function because(analysis: EgressAnalysis, explanation: Known): string {
  const { allowedBy, exceptedBy, entry, reason, nearest, point, service } = explanation;
  const references = (list: readonly Reference[]) => list.map(formatReference).join(" and ");
  switch (reason) {
    case "rule":
      return `by ${references(allowedBy)}`;
    case "not-isolated":
      return "because no policy isolates the egress of this pod";
    case "except": {
      const despite = entry === undefined ? [] : grantsAsSpecified(analysis, point);
      return `by ${references(exceptedBy)}${
        despite.length === 0
          ? ""
          : `; the agent applies an except to all rules, so ${references(despite)} does not help`
      }`;
    }
    case "port":
      return entry === undefined
        ? "because the rules that reach this address do not allow the port"
        : `because the longest matching block, ${formatCidr(entry)}, does not allow the port, and the agent looks at no other`;
    case "no-rule":
      return nearest === undefined ? `because ${isolatingPolicies(analysis)}` : "because no rule reaches this address";
    case "pods-left-to-selectors":
      return "because a block doesn't match pods here (--no-ip-block-pods), and no rule names this pod by label";
    case "service":
      return `because it is Service ${service?.name}, ${
        service?.backends.length === 0
          ? "behind which the inventory has no running pod"
          : `whose packets arrive at its backends: ${service?.backends.map(({ text }) => text).join(" ")}`
      }`;
    case "node-address":
      return "because the agent always allows the pod's own node, on every port";
    case "other-family":
      return "because the agent enforces only the cluster's own address family";
    case "icmpv6":
      return "because the agent lets ICMPv6 pass for neighbour discovery";
    case "slot-overflow":
      return `because the block ${entry && formatCidr(entry)} has more than ${PORT_SLOTS} port entries, and which are kept is random`;
    case "key-collision":
      return `because the agent writes two entries to the key ${entry && formatCidr(entry)}, and which comes last is random`;
    case "aborted":
      return `because the agent cannot load this policy and keeps whatever was loaded before: ${
        analysis.aborts.some(({ why }) => why === "key-too-long")
          ? "an except of the other address family is longer than /32"
          : "it cannot read one of the blocks"
      }`;
  }
}

/** `shop/deny isolates the pod and has no egress rule`. */
function isolatingPolicies({ policies, applying }: EgressAnalysis): string {
  const names = applying.map((index) => policyId(policies[index] as NetworkPolicy));
  return names.length === 1
    ? `${names[0]} isolates the pod and has no egress rule`
    : `${names.join(" and ")} isolate the pod and have no egress rule`;
}

/** The rules that would allow a point if each kept its `except`s to itself, as Kubernetes specifies. */
function grantsAsSpecified(analysis: EgressAnalysis, point: Point): Reference[] {
  const { family, value } = onTheWire(point.address);
  const at = { family, first: value, last: value };
  return addressTerms(analysis.policies, analysis.applying, undefined)
    .filter(
      ({ cidr, excepts, permissions }) =>
        contains(cidr, at) && !excepts.some((except) => contains(except, at)) && permits(permissions, point),
    )
    .map((term) => referenceTo(analysis, term));
}

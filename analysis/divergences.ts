import type { AddressFamily } from "./address.ts";
import { type Cidr, contains, wholeFamily } from "./cidr.ts";
import { type CompileOptions, compile, type EgressAnalysis } from "./compile.ts";
import { type DiffBox, diff } from "./diff.ts";
import type { Explanation } from "./explain.ts";
import type { NamedAddresses } from "./names.ts";
import type { NetworkPolicy } from "./networkPolicy.ts";
import { locate, type Point } from "./point.ts";
import type { Reference } from "./reference.ts";
import type { VpcCniSemantics } from "./semantics.ts";
import type { MapEntry } from "./vpcCniMap.ts";

/** The shape of rules that makes the AWS agent deviate from Kubernetes (docs/semantics.md has an example of each). */
export type DivergenceShape =
  | "node-address"
  | "node-address-excepted"
  | "node-address-rule-skipped"
  | "other-family-not-enforced"
  | "other-family-except"
  | "other-family-except-aborts"
  | "unreadable-block"
  | "policy-types-ignored"
  | "inherited-through-intermediate"
  | "every-port-leak"
  | "same-cidr-except"
  | "except-of-another-rule"
  | "shared-first-address"
  | "ipv6-prefix-32"
  | "slot-overflow"
  | "key-collision"
  | "unclassified";

/** A box on which the agent enforces something else than Kubernetes specifies: `before` is specified, `after` enforced. */
export interface Divergence extends DiffBox {
  readonly direction: "over-allow" | "over-deny" | "order-dependent";
  readonly shape: DivergenceShape;
}

/**
 * Where the two semantics disagree about the same policies: every region, with a witness and the shape that causes it.
 * Pods by label are not compared; give an inventory to compare their addresses.
 */
export function divergences(
  policies: readonly NetworkPolicy[],
  options: Omit<CompileOptions, "semantics"> & { readonly semantics: VpcCniSemantics },
  names: readonly NamedAddresses[] = [],
): Divergence[] {
  const specified = compile(policies, { ...options, semantics: { name: "kubernetes" } });
  const enforced = compile(policies, options);
  const { gained, lost } = diff(specified, enforced, names);
  return [...gained.boxes, ...lost.boxes].map((box) => ({
    ...box,
    direction: box.after === "order-dependent" ? "order-dependent" : box.after === "allow" ? "over-allow" : "over-deny",
    shape: shapeOf(specified, enforced, options.semantics, box),
  }));
}

function shapeOf(
  specified: EgressAnalysis,
  enforced: EgressAnalysis,
  semantics: VpcCniSemantics,
  { witness, explanations: { before, after } }: DiffBox,
): DivergenceShape {
  switch (after.reason) {
    case "aborted":
      return enforced.aborts.some(({ why }) => why === "key-too-long")
        ? "other-family-except-aborts"
        : "unreadable-block";
    case "slot-overflow":
    case "key-collision":
    case "node-address":
      return after.reason;
    case "other-family":
      return "other-family-not-enforced";
    default:
      return after.verdict === "allow"
        ? overAllowShape(specified, after)
        : overDenyShape(enforced, semantics, witness, before, after);
  }
}

function overAllowShape(specified: EgressAnalysis, { allowedBy }: Explanation): DivergenceShape {
  if (allowedBy.every(({ policyIndex }) => !specified.applying.includes(policyIndex))) {
    return "policy-types-ignored";
  }
  return allowedBy.some(({ through }) => through !== undefined && through.prefixLength === 0)
    ? "every-port-leak"
    : allowedBy.some(({ through }) => through !== undefined)
      ? "inherited-through-intermediate"
      : "unclassified";
}

function overDenyShape(
  enforced: EgressAnalysis,
  { nodeIp }: VpcCniSemantics,
  witness: Point,
  specified: Explanation,
  { exceptedBy }: Explanation,
): DivergenceShape {
  const { family } = witness.address;
  const entry = entryAt(enforced, witness);
  const granting = specified.allowedBy.map((reference) => blockOf(enforced, reference, family));
  const isNode = ({ family, first }: Cidr) => nodeIp?.family === family && nodeIp.value === first;
  if (exceptedBy.length > 0) {
    const blocks = exceptedBy.map((reference) => blockOf(enforced, reference, family));
    if (blocks.some((block) => block !== undefined && block.family !== family)) {
      return "other-family-except";
    }
    if (entry !== undefined && isNode(entry.cidr) && entry.cidr.first === entry.cidr.last) {
      return "node-address-excepted";
    }
    const shares = blocks.some((block) => granting.some((other) => block && other && isSame(block, other)));
    return shares ? "same-cidr-except" : "except-of-another-rule";
  }
  if (granting.some((block) => block !== undefined && isNode(block))) {
    return "node-address-rule-skipped";
  }
  if (granting.some((block) => block?.family === "ipv6" && block.prefixLength === 32)) {
    return "ipv6-prefix-32";
  }
  // The entry did not inherit, because its first address lies in an `except`: of the rule itself, or of another one
  // with the same block.
  return entry === undefined
    ? "unclassified"
    : sharesExcept(enforced, specified, entry)
      ? "same-cidr-except"
      : "shared-first-address";
}

function sharesExcept(enforced: EgressAnalysis, specified: Explanation, entry: MapEntry): boolean {
  const { family } = entry.cidr;
  return specified.allowedBy.some((reference) => {
    const block = blockOf(enforced, reference, family);
    const peer = peerOf(enforced, reference);
    return (
      block !== undefined &&
      !(peer?.kind === "ipBlock" && peer.excepts.some((except) => holdsFirst(except, entry.cidr))) &&
      allPeers(enforced).some(
        (other) =>
          other.kind === "ipBlock" &&
          isSame(other.cidr, block) &&
          other.excepts.some((except) => contains(except, entry.cidr) || holdsFirst(except, entry.cidr)),
      )
    );
  });
}

function holdsFirst(except: Cidr, { family, first }: Cidr): boolean {
  return contains(except, { family, first, last: first });
}

function isSame(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first === b.first && a.prefixLength === b.prefixLength;
}

function entryAt(analysis: EgressAnalysis, witness: Point): MapEntry | undefined {
  const { origin } = locate(analysis, witness).cell;
  return origin.kind === "map-entry" ? origin.entry : undefined;
}

function peerOf({ policies }: EgressAnalysis, { policyIndex, rule, peer }: Reference) {
  return peer === undefined ? undefined : policies[policyIndex]?.egress[rule]?.to?.[peer];
}

/** The block that a reference is about, given the family in question; the whole family for a rule without `to`. */
function blockOf(analysis: EgressAnalysis, reference: Reference, family: AddressFamily): Cidr | undefined {
  const peer = peerOf(analysis, reference);
  return reference.peer === undefined ? wholeFamily(family) : peer?.kind === "ipBlock" ? peer.cidr : undefined;
}

function allPeers({ policies, applying }: EgressAnalysis) {
  return applying.flatMap((index) => policies[index]?.egress.flatMap(({ to }) => to ?? []) ?? []);
}

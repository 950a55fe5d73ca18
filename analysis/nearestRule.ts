import { ADDRESS_BITS, type Address } from "./address.ts";
import type { Cidr } from "./cidr.ts";
import type { EgressAnalysis } from "./compile.ts";
import type { NetworkPolicy } from "./networkPolicy.ts";
import type { Point } from "./point.ts";
import { permits } from "./ports.ts";
import { formatRulePorts, type Reference, referenceTo } from "./reference.ts";
import { numericPermissions } from "./terms.ts";

/** The rule that came closest to allowing a denied point. */
export interface NearestRule {
  readonly reference: Reference;
  /** Why it does not match, as the end of a sentence. */
  readonly why: string;
}

/** How close a peer comes: the higher, the closer. */
type Closeness = readonly [addressMatches: number, portMatches: number, sharedBits: number];

/**
 * Finds the rule that almost matched: first one whose `except` is all that keeps it away, then one that reaches the
 * address on other ports, then one that has the port and the nearest block.
 */
export function nearestRule(
  analysis: EgressAnalysis,
  point: Point,
  address: Address,
  exceptedBy: readonly Reference[],
): NearestRule | undefined {
  const except = exceptedBy[0];
  if (except !== undefined) {
    return { reference: except, why: "which would allow it without that except" };
  }
  let best: { closeness: Closeness; found: NearestRule } | undefined;
  for (const policy of analysis.applying) {
    for (const [rule, { to, ports }] of (analysis.policies[policy] as NetworkPolicy).egress.entries()) {
      for (const [peerIndex, peer] of (to ?? [undefined]).entries()) {
        const place = { policy, rule, peer: to === undefined ? undefined : peerIndex };
        const portMatches = permits(numericPermissions({ to, ports }, place), point);
        const block = peer?.kind === "ipBlock" ? peer.cidr : undefined;
        const sharedBits = peer === undefined ? 0 : block === undefined ? -1 : commonBits(block, address);
        const addressMatches = peer === undefined || (block !== undefined && sharedBits >= block.prefixLength);
        const closeness: Closeness = [addressMatches ? 1 : 0, portMatches ? 1 : 0, sharedBits];
        if (best === undefined || isCloser(closeness, best.closeness)) {
          const why = addressMatches
            ? portMatches
              ? "which the agent does not apply here"
              : `which allows only ${formatRulePorts({ to, ports })}`
            : block === undefined
              ? "which reaches pods by their labels, not this address"
              : `which does not contain it${portMatches ? "" : ` and allows only ${formatRulePorts({ to, ports })}`}`;
          best = { closeness, found: { reference: referenceTo(analysis, place), why } };
        }
      }
    }
  }
  return best?.found;
}

function isCloser(a: Closeness, b: Closeness): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index] as number;
    if (value !== other) {
      return value > other;
    }
  }
  return false;
}

/** Leading bits that a block's network address and an address have in common; none across families. */
function commonBits(block: Cidr, address: Address): number {
  if (block.family !== address.family) {
    return -1;
  }
  const difference = block.first ^ address.value;
  return ADDRESS_BITS[block.family] - (difference === 0n ? 0 : difference.toString(2).length);
}

/**
 * What happens to a packet. `order-dependent`, only under `vpc-cni`: the agent decides by the random order of a Go map,
 * so it may differ from node to node and from restart to restart.
 */
export type Verdict = "deny" | "order-dependent" | "allow";

const OPENNESS: Readonly<Record<Verdict, number>> = { deny: 0, "order-dependent": 1, allow: 2 };

/** How open a verdict is; a change to a higher number is a gain, to a lower one a loss. */
export function openness(verdict: Verdict): number {
  return OPENNESS[verdict];
}

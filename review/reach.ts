import {
  type EgressAnalysis,
  formatCidr,
  formatRulePorts,
  type NetworkPolicy,
  namesIn,
  referenceTo,
} from "../analysis/index.ts";
import { type Names, namesOfPods } from "./networkFacts.ts";
import type { ReachEntry } from "./stackReview.ts";

/** What the pod may reach, peer by peer, as the rules say it. */
export function reachOf(analysis: EgressAnalysis, names: Names): ReachEntry[] {
  if (!analysis.isolated) {
    return [{ destination: "everything", kind: "everything", names: [], ports: "all ports", excepts: 0 }];
  }
  const entries = new Map<string, ReachEntry>();
  for (const policyIndex of analysis.applying) {
    for (const [rule, { to, ports }] of (analysis.policies[policyIndex] as NetworkPolicy).egress.entries()) {
      const text = formatRulePorts({ to, ports }).replace(" of every protocol", "");
      const peers: readonly (NonNullable<typeof to>[number] | undefined)[] = to ?? [undefined];
      for (const [index, peer] of peers.entries()) {
        const place = { policy: policyIndex, rule, peer: peer === undefined ? undefined : index };
        const what = referenceTo(analysis, place).what;
        const entry: ReachEntry =
          peer === undefined
            ? { destination: "every destination", kind: "everything", names: [], ports: text, excepts: 0 }
            : peer.kind === "pods"
              ? { destination: what, kind: "pods", names: namesOfPods(what, names), ports: text, excepts: 0 }
              : {
                  destination: formatCidr(peer.cidr),
                  kind: "addresses",
                  names: peer.cidr.prefixLength === 0 ? ["public internet"] : namesIn(peer.cidr, names.blocks),
                  ports: text,
                  excepts: peer.excepts.length,
                };
        entries.set(JSON.stringify(entry), entry);
      }
    }
  }
  return [...entries.values()];
}

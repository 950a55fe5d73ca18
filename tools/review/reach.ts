import {
  type Cidr,
  type EgressAnalysis,
  formatCidr,
  formatRulePorts,
  type NetworkPolicy,
  namesIn,
  referenceTo,
} from "../../analysis/index.ts";
import { type Names, namesOfPods } from "./networkFacts.ts";
import type { ExceptedBlock, ReachEntry } from "./stackReview.ts";

const EVERYTHING = "every protocol and port";

/** Of the network's own blocks only one that is just this one: a large block has many of them inside. */
function excepted(except: Cidr, { blocks }: Names): ExceptedBlock {
  const block = formatCidr(except);
  const names = namesIn(
    except,
    blocks.filter(({ place, cidr }) => place !== undefined && formatCidr(cidr) === block),
  );
  // The block's own name first: the row is about the block.
  const isOwn = (name: string) => name.startsWith(`${block}, `);
  const sorted = [...names.filter(isOwn), ...names.filter((name) => !isOwn(name))];
  return { block, names: sorted.map((name) => name.replace(` (${block})`, "").replace(`${block}, `, "")) };
}

function wordsFor(ports: string): string {
  return /^all ports( of every protocol)?$/.test(ports) ? EVERYTHING : ports;
}

/** What the pod may reach, peer by peer, as the rules say it. */
export function reachOf(analysis: EgressAnalysis, names: Names): ReachEntry[] {
  if (!analysis.isolated) {
    return [{ destination: "everything", kind: "everything", names: [], ports: EVERYTHING, excepts: [] }];
  }
  const entries = new Map<string, ReachEntry>();
  for (const policyIndex of analysis.applying) {
    for (const [rule, { to, ports }] of (analysis.policies[policyIndex] as NetworkPolicy).egress.entries()) {
      const text = wordsFor(formatRulePorts({ to, ports }));
      const peers: readonly (NonNullable<typeof to>[number] | undefined)[] = to ?? [undefined];
      for (const [index, peer] of peers.entries()) {
        const place = { policy: policyIndex, rule, peer: peer === undefined ? undefined : index };
        const what = referenceTo(analysis, place).what;
        const entry: ReachEntry =
          peer === undefined
            ? { destination: "every destination", kind: "everything", names: [], ports: text, excepts: [] }
            : peer.kind === "pods"
              ? { destination: what, kind: "pods", names: namesOfPods(what, names), ports: text, excepts: [] }
              : {
                  destination: formatCidr(peer.cidr),
                  kind: "addresses",
                  names: peer.cidr.prefixLength === 0 ? ["public internet"] : namesIn(peer.cidr, names.blocks),
                  ports: text,
                  excepts: peer.excepts.map((except) => excepted(except, names)),
                };
        entries.set(JSON.stringify(entry), entry);
      }
    }
  }
  return [...entries.values()];
}

import {
  type Cidr,
  type EgressAnalysis,
  formatCidr,
  formatRulePorts,
  type NetworkPolicy,
  namesIn,
  PUBLIC_INTERNET,
  referenceTo,
} from "../../analysis/index.ts";
import { type Names, namesOfPods } from "./networkFacts.ts";
import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { ExceptedBlock, ReachEntry } from "./stackReview.ts";
import { shortName } from "./wording.ts";

const EVERYTHING = "every protocol and port";
const NO_NAMES = { names: [], excepts: [] };

/** Of the network's own blocks only one that is just this one: a large block has many of them inside. */
function excepted(except: Cidr, { blocks }: Names): ExceptedBlock {
  const block = formatCidr(except);
  const own = blocks.filter(({ place, cidr }) => place !== undefined && formatCidr(cidr) === block);
  // The block's own name first: the row is about the block.
  const isOther = (name: string) => Number(!name.startsWith(`${block}, `));
  const names = namesIn(except, own).sort((a, b) => isOther(a) - isOther(b));
  return { block, names: names.map((name) => shortName(name, block)) };
}

function wordsFor(ports: string): string {
  return /^all ports( of every protocol)?$/.test(ports) ? EVERYTHING : ports;
}

/** What the pod may reach, peer by peer, as the rules say it. */
export function reachOf(analysis: EgressAnalysis, names: Names): ReachEntry[] {
  if (!analysis.isolated) {
    return [{ destination: "everything", kind: "everything", ports: EVERYTHING, ...NO_NAMES }];
  }
  const entries = analysis.applying.flatMap((policy) =>
    (analysis.policies[policy] as NetworkPolicy).egress.flatMap(({ to, ports: list }, rule) => {
      const ports = wordsFor(formatRulePorts({ to, ports: list }));
      return (to ?? [undefined]).map((peer, index): ReachEntry => {
        if (peer === undefined) {
          return { destination: "every destination", kind: "everything", ports, ...NO_NAMES };
        }
        if (peer.kind === "pods") {
          const { what } = referenceTo(analysis, { policy, rule, peer: index });
          return { destination: what, kind: "pods", ports, ...NO_NAMES, names: namesOfPods(what, names) };
        }
        const { cidr, excepts } = peer;
        const destination = formatCidr(cidr);
        return {
          destination,
          kind: "addresses",
          ports,
          names:
            cidr.prefixLength === 0
              ? [PUBLIC_INTERNET]
              : namesIn(cidr, names.blocks).map((name) => shortName(name, destination)),
          excepts: excepts.map((except) => excepted(except, names)),
        };
      });
    }),
  );
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}

/** A destination as the pictures draw it. */
export interface Edge extends ReachEntry {
  readonly change: "kept" | ReviewRow["direction"];
}

/** What the pods may reach after a change, then what it opens and closes. */
export function edgesOf(reach: readonly ReachEntry[], rows: readonly ReviewRow[]): Edge[] {
  const changed = rows.map((row): Edge => ({ ...row, ports: formatRowPorts(row), excepts: [], change: row.direction }));
  const key = ({ destination, ports }: ReachEntry) => `${destination} ${ports}`;
  const drawn = new Set(changed.map(key));
  return [
    ...reach.filter((entry) => !drawn.has(key(entry))).map((entry): Edge => ({ ...entry, change: "kept" })),
    ...changed,
  ];
}

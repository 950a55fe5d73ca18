import { type PortChange, tableChanges } from "./boxes.ts";
import { type Cidr, cidrKey, contains, formatCidr } from "./cidr.ts";
import { type CompileOptions, compile } from "./compile.ts";
import { NAMESPACE_NAME_LABEL } from "./inventory.ts";
import { type LabelSelector, labelSelector } from "./labelSelector.ts";
import type { NetworkPolicy } from "./networkPolicy.ts";
import type { EgressAnalysis } from "./normalForm.ts";
import { subtract } from "./rangeSet.ts";
import { labelWorlds } from "./reach/labelWorlds.ts";
import { formatPodSet, isNarrowerPodSet, type PodSet } from "./reach/podSets.ts";
import { type Reference, referenceTo } from "./reference.ts";
import { podGrants, podTable } from "./selectorRegions.ts";
import { leaksEveryPort, type VpcCniSemantics } from "./semantics.ts";
import type { PodGrant } from "./terms.ts";
import { type AddressTerm, addressTerms } from "./terms.ts";
import { PORT_SLOTS, slotKey } from "./vpcCniSlots.ts";

/**
 * What the AWS agent makes of peers given by labels that can be told without an inventory: every pod becomes a map entry of
 * one address, with the ports of all rules that name the pod and those of the blocks around it.
 */
export interface PodHazard {
  readonly shape: "slot-overflow" | "every-port-leak";
  /** The pods, as the peers name them. */
  readonly pods: string;
  /** What happens to them, as a clause. */
  readonly what: string;
  /** The peers, and the rules with the blocks around the pods. */
  readonly rules: readonly Reference[];
}

/** Ports of pods given by labels on which the agent enforces something else, told from the rules alone. */
export interface PodDivergence extends Pick<PodHazard, "shape" | "pods">, Pick<PortChange, "protocols" | "ports"> {
  readonly direction: "over-allow" | "order-dependent";
  /** The rules that cause it. */
  readonly causedBy: readonly Reference[];
  /** What happens, in one sentence. */
  readonly text: string;
}

/**
 * Where the semantics disagree about pods given by labels whatever addresses they have. Nothing with an inventory, where
 * `divergences` compares the addresses themselves.
 */
export function podDivergences(
  policies: readonly NetworkPolicy[],
  options: Omit<CompileOptions, "semantics"> & { readonly semantics: VpcCniSemantics },
): PodDivergence[] {
  return hazards(compile(policies, options), []).flatMap(({ shape, pods, what, rules, changes }) =>
    changes.map(({ after, protocols, ports }) => ({
      direction: after === "allow" ? "over-allow" : "order-dependent",
      shape,
      pods,
      protocols,
      ports,
      causedBy: rules,
      text: `the pods ${what}`,
    })),
  );
}

/**
 * The hazards of all pods, the worst first; none under another semantics, or where an inventory gives the pods their addresses.
 *
 * @param podBlocks where pods have their addresses, such as the VPC's blocks. Default: not known, and then nothing is
 * inherited from blocks.
 */
export function podHazards(analysis: EgressAnalysis, podBlocks: readonly Cidr[] = []): PodHazard[] {
  const same = Map.groupBy(hazards(analysis, podBlocks), ({ shape, pods }) => `${shape} ${pods}`);
  return [...same.values()].flatMap(([worst]) => worst ?? []);
}

/** A hazard of one kind of pod, how many port entries such a pod has, and the ports that are not as specified. */
interface Hazard extends PodHazard {
  readonly entries: number;
  readonly changes: readonly PortChange[];
}

/** The hazards of every kind of pod that peers name, those with the most port entries first. */
function hazards(analysis: EgressAnalysis, podBlocks: readonly Cidr[]): Hazard[] {
  const { semantics, policies, applying, inventory, isolated, aborts } = analysis;
  if (semantics.name !== "vpc-cni" || inventory !== undefined || !isolated || aborts.length > 0) {
    return [];
  }
  const isPeer = ({ place, permissions, namedPorts }: PodGrant) =>
    place?.peer !== undefined && permissions.length + namedPorts.length > 0;
  const written = podGrants(policies, applying).filter(isPeer);
  const blocks = addressTerms(policies, applying, undefined).filter(
    ({ cidr, permissions }) => cidr.family === semantics.ipFamily && permissions.length > 0,
  );
  const own = podBlocks.filter(({ family }) => family === semantics.ipFamily);
  const around = blocks.filter((term) => passesOn(term, blocks, own));
  const inherited = [...analysis.ofEveryHost, ...around.flatMap(({ permissions }) => permissions)];
  const entriesOf = (peers: readonly PodGrant[]) =>
    new Set([...peers.flatMap(itemsOf), ...inherited.map(slotKey)]).size;
  // Agents before 1.2.4 give the ports of rules for the whole internet to every narrower block, the excepted ones included.
  const leaking = leaksEveryPort(semantics.agentVersion)
    ? blocks.filter(({ cidr, excepts }) => cidr.prefixLength === 0 && excepts.length > 0)
    : [];
  if (leaking.length === 0 && entriesOf(written) <= PORT_SLOTS) {
    return [];
  }
  const wide = [...new Set(leaking.map(({ cidr }) => formatCidr(cidr)))].join(" and ");
  return kindsOfPods(written)
    .flatMap((peers): Hazard[] => {
      const changes = tableChanges(
        podTable({ semantics: { name: "kubernetes" }, ofEveryHost: [] }, peers),
        podTable(
          { semantics, ofEveryHost: inherited },
          peers.map((peer) =>
            leaking.length === 0 ? peer : { ...peer, permissions: [...peer.permissions, ...analysis.ofEveryHost] },
          ),
        ),
      );
      const entries = entriesOf(peers);
      const kinds = [
        {
          shape: "slot-overflow",
          verdict: "order-dependent",
          causes: around,
          what: `have ${entries} port entries, of which the agent keeps ${PORT_SLOTS}`,
        },
        {
          shape: "every-port-leak",
          verdict: "allow",
          causes: leaking,
          what: `are reachable on the ports of ${wide} as well, whatever it excepts`,
        },
      ] as const;
      return kinds.flatMap(({ shape, verdict, causes, what }) => {
        const own = changes.filter(({ after }) => after === verdict);
        const rules = [...peers.flatMap(({ place }) => place ?? []), ...causes].map((place) =>
          referenceTo(analysis, place),
        );
        return own.length === 0 ? [] : [{ shape, pods: textOf(peers), what, rules, entries, changes: own }];
      });
    })
    .sort((a, b) => b.entries - a.entries || a.rules.length - b.rules.length);
}

/**
 * Peers that can name the same pod, by labels of which one peer knows all: that a pod has the labels of two peers which
 * know nothing of one another is possible, and not what anybody means.
 */
function kindsOfPods(peers: readonly PodGrant[]): PodGrant[][] {
  const selectors = peers.map(({ pods }) => oneSelector(pods));
  const kinds = new Map<string, PodGrant[]>();
  for (const seed of selectors) {
    const known = new Set(seed.requirements.map(({ key }) => key));
    const near = [...selectors.keys()].filter((index) =>
      selectors[index]?.requirements.every(({ key }) => known.has(key)),
    );
    const { worlds } = labelWorlds(
      near.map((index) => selectors[index] as LabelSelector),
      labelSelector([{ key: namespaceKey(NAMESPACE_NAME_LABEL), operator: "Exists", values: [] }]),
    );
    for (const { selected } of worlds) {
      const some = near.filter((_, index) => selected.has(index));
      kinds.set(
        some.join(),
        some.map((index) => peers[index] as PodGrant),
      );
    }
  }
  return [...kinds.values()].filter((some) => some.length > 0);
}

/** Whether pods anywhere inherit the ports of a block: it holds a whole block of theirs and does not except all of it. */
function passesOn({ cidr }: AddressTerm, blocks: readonly AddressTerm[], podBlocks: readonly Cidr[]): boolean {
  const excepts = blocks.filter((other) => cidrKey(other.cidr) === cidrKey(cidr)).flatMap((other) => other.excepts);
  return podBlocks.some((block) => contains(cidr, block) && subtract([block], excepts).length > 0);
}

/** What takes a slot: a name becomes a number of each pod. */
function itemsOf({ permissions, namedPorts }: PodGrant): string[] {
  return [...permissions.map(slotKey), ...namedPorts.map(({ protocol, name }) => `${protocol} ${name}`)];
}

/** Labels of a pod and of its namespace as those of one thing. */
function oneSelector({ podSelector, namespaceSelector }: PodSet): LabelSelector {
  return labelSelector([
    ...podSelector.requirements,
    ...namespaceSelector.requirements.map((each) => ({ ...each, key: namespaceKey(each.key) })),
  ]);
}

/** No label of a pod has such a key. */
function namespaceKey(key: string): string {
  return `namespace ${key}`;
}

/** The pods of some peers: those of the narrowest. */
function textOf(peers: readonly PodGrant[]): string {
  const narrowest = peers.filter(({ pods }) =>
    peers.every((other) => isNarrowerPodSet(pods, other.pods) || !isNarrowerPodSet(other.pods, pods)),
  );
  return [...new Set(narrowest.map(({ pods }) => formatPodSet(pods)))].sort().join(" and ");
}

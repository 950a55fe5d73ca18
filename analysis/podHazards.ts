import { type Cidr, contains, formatCidr } from "./cidr.ts";
import type { EgressAnalysis } from "./compile.ts";
import { NAMESPACE_NAME_LABEL } from "./inventory.ts";
import { type LabelSelector, labelSelector } from "./labelSelector.ts";
import type { PortGrant } from "./ports.ts";
import { subtract } from "./rangeSet.ts";
import { labelWorlds } from "./reach/labelWorlds.ts";
import type { PodGrant } from "./reach/podReach.ts";
import { formatPodSet, type PodSet } from "./reach/podSets.ts";
import { type Reference, referenceTo } from "./reference.ts";
import { leaksEveryPort, NEWEST_AGENT } from "./semantics.ts";
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

/**
 * Hazards of pods by label; none under another semantics, or where an inventory gives the pods their addresses.
 *
 * @param podBlocks where pods have their addresses, such as the VPC's blocks. Default: not known, and then nothing is
 * inherited from blocks.
 */
export function podHazards(analysis: EgressAnalysis, podBlocks: readonly Cidr[] = []): PodHazard[] {
  const { semantics, policies, applying, inventory } = analysis;
  const peers = analysis.podGrants.filter(({ peer }) => peer !== undefined);
  if (semantics.name !== "vpc-cni" || inventory !== undefined || peers.length === 0) {
    return [];
  }
  const blocks = addressTerms(policies, applying, undefined).filter(
    ({ cidr, permissions }) => cidr.family === semantics.ipFamily && permissions.length > 0,
  );
  const own = podBlocks.filter(({ family }) => family === semantics.ipFamily);
  return leaksEveryPort(semantics.agentVersion ?? NEWEST_AGENT)
    ? leaks(analysis, peers, blocks)
    : overflow(
        analysis,
        peers,
        blocks.filter((term) => passesOn(term, blocks, own)),
      );
}

/** Agents before 1.2.4 give the ports of rules for the whole internet to every narrower block, the excepted ones included. */
function leaks(analysis: EgressAnalysis, peers: readonly PodGrant[], blocks: readonly AddressTerm[]): PodHazard[] {
  const wide = blocks.filter(({ cidr, excepts }) => cidr.prefixLength === 0 && excepts.length > 0);
  return wide.length === 0
    ? []
    : [
        {
          shape: "every-port-leak",
          pods: textOf(peers),
          what: `are reachable on the ports of ${[...new Set(wide.map(({ cidr }) => formatCidr(cidr)))].join(" and ")} as well, whatever it excepts`,
          rules: [
            ...peers.flatMap((peer) => placesOf(analysis, peer)),
            ...wide.map((term) => referenceTo(analysis, term)),
          ],
        },
      ];
}

/** The pods with the most port entries, if these do not fit. */
function overflow(analysis: EgressAnalysis, peers: readonly PodGrant[], around: readonly AddressTerm[]): PodHazard[] {
  const inherited = around.flatMap(({ permissions }) => permissions).map(slotKey);
  const countOf = (some: readonly PodGrant[]) => new Set([...some.flatMap(itemsOf), ...inherited]).size;
  if (countOf(peers) <= PORT_SLOTS) {
    return [];
  }
  const counted = peers.flatMap((seed) => peersOfOnePod(seed, peers).map((some) => ({ some, count: countOf(some) })));
  const [most] = counted.sort((a, b) => b.count - a.count || a.some.length - b.some.length);
  return most === undefined || most.count <= PORT_SLOTS
    ? []
    : [
        {
          shape: "slot-overflow",
          pods: textOf(most.some),
          what: `have ${most.count} port entries, of which the agent keeps ${PORT_SLOTS}`,
          rules: [
            ...most.some.flatMap((peer) => placesOf(analysis, peer)),
            ...around.map((term) => referenceTo(analysis, term)),
          ],
        },
      ];
}

/**
 * Peers that can name the same pod, by labels of which one peer knows all: that a pod has the labels of two peers which
 * know nothing of one another is possible, and not what anybody means.
 */
function peersOfOnePod(seed: PodGrant, peers: readonly PodGrant[]): PodGrant[][] {
  const known = new Set(keysOf(seed));
  const near = peers.filter((peer) => keysOf(peer).every((key) => known.has(key)));
  const { worlds } = labelWorlds(
    near.map(({ pods }) => oneSelector(pods)),
    labelSelector([{ key: namespaceKey(NAMESPACE_NAME_LABEL), operator: "Exists", values: [] }]),
  );
  return worlds.map(({ selected }) => near.filter((_, index) => selected.has(index))).filter((some) => some.length > 0);
}

function keysOf({ pods }: PodGrant): string[] {
  return oneSelector(pods).requirements.map(({ key }) => key);
}

/** Whether pods anywhere inherit the ports of a block: it holds a whole block of theirs and does not except all of it. */
function passesOn({ cidr }: AddressTerm, blocks: readonly AddressTerm[], podBlocks: readonly Cidr[]): boolean {
  const excepts = blocks.filter((other) => isSame(other.cidr, cidr)).flatMap((other) => other.excepts);
  return podBlocks.some((block) => contains(cidr, block) && subtract([block], excepts).length > 0);
}

function isSame(a: Cidr, b: Cidr): boolean {
  return a.first === b.first && a.prefixLength === b.prefixLength;
}

/** What takes a slot: a name becomes a number of each pod. */
function itemsOf({ permissions, namedPorts }: PodGrant): string[] {
  return [
    ...permissions.map((permission: PortGrant) => slotKey(permission)),
    ...namedPorts.map(({ protocol, name }) => `${protocol} ${name}`),
  ];
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

function textOf(peers: readonly PodGrant[]): string {
  return [...new Set(peers.map(({ pods }) => formatPodSet(pods)))].sort().join(" and ");
}

function placesOf(analysis: EgressAnalysis, { permissions, namedPorts }: PodGrant): Reference[] {
  const [place] = [...permissions.flatMap(({ grants }) => grants), ...namedPorts.map(({ grant }) => grant)];
  return place === undefined ? [] : [referenceTo(analysis, place)];
}

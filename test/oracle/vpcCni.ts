import { type Address, BITS, holds, readAddress, readBlock } from "./addresses.ts";
import type { NetworkPolicy, Point, Protocol, Source } from "./policy.ts";
import { isolatesEgress, selecting } from "./selection.ts";
import { type AgentOptions, ANY_PROTOCOL, agentMap, type Entry, isSkipped, type Key } from "./vpcCniAgent.ts";
import { type EmittedRule, emittedRules, type PortItem } from "./vpcCniController.ts";

export type VpcCniVerdict = "allow" | "deny" | "order-dependent";

/** A pod's egress as the VPC CNI network policy agent enforces it. */
export interface VpcCniPod {
  /** The agent gives up the refresh of the pod's map, since the kernel refuses one of its keys. */
  readonly aborts: boolean;
  /** @throws if the refresh is given up: what is enforced then depends on what was there before. */
  verdictAt(address: Address, protocol: Protocol, port: number): VpcCniVerdict;
  /** The agent's map, or `undefined` where nothing isolates the pod. */
  readonly map: readonly Key[] | undefined;
}

/** Slots of one map value: 288 bytes of 12 each. */
const SLOTS = 24;

/** Follows the controller and the agent once for a set of policies, so that many points can be asked. */
export function vpcCniPod(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  options: AgentOptions,
  emit: (selected: readonly NetworkPolicy[]) => readonly EmittedRule[] = emittedRules,
): VpcCniPod {
  const selected = selecting(policies, source);
  const rules = emit(selected);
  const isIsolated = selected.some(isolatesEgress) || rules.length > 0;
  const map = isIsolated ? agentMap(rules, options) : undefined;
  const isRefused = (map ?? []).some(({ block }) => block.prefixLength > BITS[options.ipFamily]);
  const aborts = isRefused || (map !== undefined && isUnknown(rules, options));
  return {
    aborts,
    map,
    verdictAt(address, protocol, port) {
      if (aborts) {
        throw new Error("the agent aborts the refresh of this pod's map");
      }
      // Frames of the other family are not looked at; ICMPv6 passes for neighbour discovery.
      if (address.family !== options.ipFamily || (address.family === "ipv6" && protocol === "ICMPv6")) {
        return "allow";
      }
      return map === undefined ? "allow" : lookUp(map, address, protocol, port);
    },
  };
}

/** How agents before 1.4.2 take an IPv4-mapped text is not known, so nothing is said of a map with one. */
function isUnknown(rules: readonly EmittedRule[], options: AgentOptions): boolean {
  const isMapped = (text: string) => text.includes(":") && readBlock(text).family === "ipv4";
  return (
    options.agent === "textual" &&
    rules.some(
      (rule) => (isMapped(rule.cidr) && !isSkipped(rule, options)) || rule.except.some((except) => isMapped(except)),
    )
  );
}

/** What becomes of one packet. */
export function vpcCniVerdict(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  point: Point,
  options: AgentOptions,
): VpcCniVerdict {
  return vpcCniPod(policies, source, options).verdictAt(readAddress(point.ip), point.protocol, point.port);
}

/** Whether the agent gives up on the set as a whole. */
export function vpcCniAborts(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  options: AgentOptions,
): boolean {
  return vpcCniPod(policies, source, options).aborts;
}

/** The longest matching key alone decides; without one the packet is dropped. */
function lookUp(map: readonly Key[], address: Address, protocol: Protocol, port: number): VpcCniVerdict {
  const longest = longestKey(map, address);
  if (longest === undefined) {
    return "deny";
  }
  const verdicts = new Set(longest.entries.map((entry) => verdictOf(entry, protocol, port)));
  const [only, ...others] = verdicts;
  return only !== undefined && others.length === 0 ? only : "order-dependent";
}

export function longestKey(map: readonly Key[], address: Address): Key | undefined {
  return map
    .filter(({ block }) => holds(block, address))
    .toSorted((a, b) => b.block.prefixLength - a.block.prefixLength)[0];
}

function verdictOf(entry: Entry, protocol: Protocol, port: number): VpcCniVerdict {
  if (entry.kind === "allow" || entry.kind === "deny") {
    return entry.kind;
  }
  if (entry.kind === "lists") {
    const firsts = entry.lists.map((list) => list.findIndex((item) => matchesSlot(item, protocol, port)));
    const matches = firsts.filter((first) => first >= 0);
    if (matches.length === 0 || Math.min(...matches) >= SLOTS) {
      return "deny";
    }
    // At worst all lists without a match come first, then the one whose match is farthest back.
    const before = entry.lists.filter((_list, index) => firsts[index] === -1).flat().length;
    return before + Math.max(...matches) < SLOTS ? "allow" : "order-dependent";
  }
  const matching = entry.items.filter((item) => matchesSlot(item, protocol, port)).length;
  if (matching === 0) {
    return "deny";
  }
  // Which items get a slot is random. A match is certain only if the others cannot fill all slots.
  return entry.items.length - matching < SLOTS ? "allow" : "order-dependent";
}

function matchesSlot(item: PortItem, protocol: Protocol, port: number): boolean {
  const isPort = item.port === 0 || port === item.port || (port > item.port && port <= item.endPort);
  return isPort && (item.protocol === ANY_PROTOCOL || item.protocol === protocol);
}

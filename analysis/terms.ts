import { ADDRESS_FAMILIES } from "./address.ts";
import { type Cidr, hostOf, wholeFamily } from "./cidr.ts";
import { type Inventory, namedPort, namespaceLabels, type Pod } from "./inventory.ts";
import { selects } from "./labelSelector.ts";
import type { EgressRule, NetworkPolicy, Peer, PolicyPort, SelectorPeer } from "./networkPolicy.ts";
import type { Grant, PortGrant } from "./ports.ts";
import type { PolicyProtocol } from "./protocol.ts";
import { EVERY_PORT } from "./protocol.ts";
import type { PodSet } from "./reach/podSets.ts";

/** One peer of one rule as addresses: a block without its `except`s, and the ports that the rule allows there. */
export interface AddressTerm {
  readonly policy: number;
  readonly rule: number;
  /** `undefined`: the rule has no `to`, and this is one of its two whole families. */
  readonly peer: number | undefined;
  readonly cidr: Cidr;
  readonly excepts: readonly Cidr[];
  readonly permissions: readonly PortGrant[];
  /** The pod behind the address, for a peer given by labels. */
  readonly pod?: Pod;
}

/** A peer's block that an `except` cuts, or the peer's block itself. */
export interface ExceptedTerm {
  readonly term: AddressTerm;
  /** Index in the peer's `except`. */
  readonly except: number | undefined;
}

/** The place of a rule, or of one of its peers. */
export interface RulePlace {
  readonly policy: number;
  readonly rule: number;
  readonly peer: number | undefined;
}

/** A port that only the destination pod can turn into a number. */
export interface NamedPortGrant {
  readonly protocol: PolicyProtocol;
  readonly name: string;
  readonly grant: Grant;
}

/** Some pods and what is allowed there: a product. A list of them, which may overlap, is what a pod can reach by label. */
export interface PodGrant {
  /** Where it is written; `undefined` for what no rule says. */
  readonly place: RulePlace | undefined;
  readonly pods: PodSet;
  readonly permissions: readonly PortGrant[];
  readonly namedPorts: readonly NamedPortGrant[];
}

/** What a rule allows on a bare address, where a named port never matches. */
export function numericPermissions(rule: EgressRule, place: RulePlace): PortGrant[] {
  return permissions(rule, place, () => undefined);
}

/** What a rule allows on a pod, whose containers give the port names their numbers. */
export function podPermissions(
  rule: EgressRule,
  place: RulePlace,
  pod: Pod,
  portOf: typeof namedPort = namedPort,
): PortGrant[] {
  return permissions(rule, place, ({ protocol, name }) =>
    name === undefined ? undefined : portOf(pod, protocol, name),
  );
}

/** A peer of a rule; a rule without `to` counts as one peer that is every destination, `undefined`. */
export interface RulePeer {
  readonly place: RulePlace;
  /** The policy's. */
  readonly namespace: string;
  readonly rule: EgressRule;
  readonly peer: Peer | undefined;
}

/** The peers of some policies, in their order. */
export function rulePeers(policies: readonly NetworkPolicy[], applying: readonly number[]): RulePeer[] {
  return applying.flatMap((policy) => {
    const { namespace, egress } = policies[policy] as NetworkPolicy;
    return egress.flatMap((rule, ruleIndex): RulePeer[] =>
      rule.to === undefined
        ? [{ place: { policy, rule: ruleIndex, peer: undefined }, namespace, rule, peer: undefined }]
        : rule.to.map((peer, index) => ({ place: { policy, rule: ruleIndex, peer: index }, namespace, rule, peer })),
    );
  });
}

/** Every peer as addresses, in the order of the policies; peers given by labels only as far as the inventory goes. */
export function addressTerms(
  policies: readonly NetworkPolicy[],
  applying: readonly number[],
  inventory: Inventory | undefined,
  portOf: typeof namedPort = namedPort,
): AddressTerm[] {
  return rulePeers(policies, applying).flatMap(({ place, namespace, rule, peer }): AddressTerm[] => {
    if (peer?.kind === "pods") {
      const pods = inventory === undefined ? [] : matchingPods(peer, namespace, inventory);
      return pods.flatMap((pod) => podTerms(place, pod, podPermissions(rule, place, pod, portOf)));
    }
    const permissions = numericPermissions(rule, place);
    const blocks =
      peer === undefined ? ADDRESS_FAMILIES.map((family) => ({ cidr: wholeFamily(family), excepts: [] })) : [peer];
    return blocks.map(({ cidr, excepts }) => ({ ...place, cidr, excepts, permissions }));
  });
}

/** A pod as the blocks of its addresses. */
export function podTerms(place: RulePlace, pod: Pod, permissions: readonly PortGrant[]): AddressTerm[] {
  return pod.addresses.map((address) => ({ ...place, cidr: hostOf(address), excepts: [], permissions, pod }));
}

/** The pods that a peer selects, host network or not. */
export function matchingPods(peer: SelectorPeer, policyNamespace: string, inventory: Inventory): Pod[] {
  return inventory.pods.filter(
    (pod) => selectsNamespace(peer, policyNamespace, pod.namespace, inventory) && selects(peer.podSelector, pod.labels),
  );
}

/** Whether a peer's pods may be in a namespace. */
export function selectsNamespace(
  peer: SelectorPeer,
  policyNamespace: string,
  namespace: string,
  inventory: Inventory,
): boolean {
  return peer.namespaceSelector === undefined
    ? namespace === policyNamespace
    : selects(peer.namespaceSelector, namespaceLabels(inventory, namespace));
}

function permissions(
  rule: EgressRule,
  place: RulePlace,
  resolve: (port: PolicyPort) => number | undefined,
): PortGrant[] {
  const grant = (port: number | undefined): Grant => ({ ...place, port });
  if (rule.ports === undefined) {
    return [{ protocol: "any", range: EVERY_PORT, grants: [grant(undefined)] }];
  }
  return rule.ports.flatMap((port, index) => {
    const number = resolve(port);
    const range = port.range ?? (number === undefined ? undefined : { from: number, to: number });
    const { protocol, endPort } = port;
    return range === undefined
      ? []
      : [{ protocol, range, ...(endPort === undefined ? {} : { endPort }), grants: [grant(index)] }];
  });
}

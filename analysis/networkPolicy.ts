import type { Cidr } from "./cidr.ts";
import { type LabelSelector, type Labels, selects } from "./labelSelector.ts";
import type { Problem } from "./problems.ts";
import { formatPorts, type PolicyProtocol, type PortRange } from "./protocol.ts";

/** One element of a rule's `ports`. A name is resolved by the destination pod, so it never matches a bare address. */
export type PolicyPort = { readonly protocol: PolicyProtocol } & (
  | {
      readonly range: PortRange;
      /** The end of the range where it was written, even if it equals the port: the VPC CNI counts that as another item. */
      readonly endPort?: number;
      readonly name?: undefined;
    }
  | { readonly name: string; readonly range?: undefined; readonly endPort?: undefined }
);

/** A peer given by addresses: a block without its `except`s. */
export interface IpBlockPeer {
  readonly kind: "ipBlock";
  readonly cidr: Cidr;
  /** In the order of the policy, so that an index means something to its author. */
  readonly excepts: readonly Cidr[];
}

/** A peer given by labels. */
export interface SelectorPeer {
  readonly kind: "pods";
  /** `undefined`: the policy's own namespace. */
  readonly namespaceSelector: LabelSelector | undefined;
  readonly podSelector: LabelSelector;
}

/** An element of a rule's `to`. */
export type Peer = IpBlockPeer | SelectorPeer;

/** One egress rule: a destination has to match one peer and one port. */
export interface EgressRule {
  /** `undefined`, for a `to` that is missing or empty: every destination. */
  readonly to: readonly Peer[] | undefined;
  /** `undefined`, for `ports` that are missing or empty: every port of every protocol. */
  readonly ports: readonly PolicyPort[] | undefined;
}

/** What the egress half of a `networking.k8s.io/v1` NetworkPolicy says, defaults filled in as the API server does. */
export interface NetworkPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly podSelector: LabelSelector;
  /** Whether `policyTypes` has, or defaults to, `Egress`: a missing list means it only where `egress` has a rule. */
  readonly isolatesEgress: boolean;
  readonly egress: readonly EgressRule[];
  /** What the API server accepts with a warning, ingress included; each says how it is read. */
  readonly warnings: readonly Problem[];
}

/** The pod whose traffic is judged. */
export interface Source {
  readonly namespace: string;
  readonly labels: Labels;
}

/**
 * Any pod that every policy given selects. A sender that has to be named like any other: a pod that one of the policies
 * does not select may reach less, or everything.
 */
export const SELECTED_BY_EVERY_POLICY = "selected by every policy";

export type Sender = Source | typeof SELECTED_BY_EVERY_POLICY;

/** Whether a policy applies to a pod. */
export function appliesTo(policy: NetworkPolicy, source: Sender): boolean {
  return (
    source === SELECTED_BY_EVERY_POLICY ||
    (policy.namespace === source.namespace && selects(policy.podSelector, source.labels))
  );
}

/** `namespace/name`, as people and kubectl say it. */
export function policyId(policy: NetworkPolicy): string {
  return `${policy.namespace}/${policy.name}`;
}

/** What a rule's `ports` allow: `TCP 5432, UDP 53`, `all ports`. */
export function formatRulePorts(rule: EgressRule): string {
  return rule.ports === undefined ? "all ports of every protocol" : rule.ports.map(formatPolicyPort).join(", ");
}

function formatPolicyPort({ protocol, range, name }: PolicyPort): string {
  return `${protocol} ${range === undefined ? `port "${name}"` : formatPorts(range)}`;
}

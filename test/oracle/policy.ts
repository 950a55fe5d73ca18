/**
 * The parts of a `networking.k8s.io/v1` NetworkPolicy that decide egress, as they stand in JSON. The oracles read these
 * plain objects and nothing else, so that no parser is shared with the code under test.
 */
export interface NetworkPolicy {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly egress?: readonly EgressRule[];
  };
}

export interface EgressRule {
  readonly to?: readonly Peer[];
  readonly ports?: readonly PolicyPort[];
}

export interface Peer {
  readonly ipBlock?: IpBlock;
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
}

export interface IpBlock {
  readonly cidr: string;
  readonly except?: readonly string[];
}

export interface PolicyPort {
  readonly protocol?: string;
  /** A number, or the name of a container port. */
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The pod that sends. Where a source is `undefined`, every policy is taken to select it. */
export interface Source {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is asked about; `port` is 0 for protocols without ports. */
export interface Point {
  readonly ip: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export type PortProtocol = "TCP" | "UDP" | "SCTP";
export type Protocol = PortProtocol | "ICMP" | "ICMPv6" | "GRE";

export const PORT_PROTOCOLS: readonly PortProtocol[] = ["TCP", "UDP", "SCTP"];
export const PORTLESS_PROTOCOLS: readonly Protocol[] = ["ICMP", "ICMPv6", "GRE"];

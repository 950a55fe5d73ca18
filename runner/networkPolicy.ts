import type { Labels } from "../analysis/labelSelector.ts";
import type { Ports } from "./contract.ts";

/** A `networking.k8s.io/v1` NetworkPolicy in the shape that this project writes: egress only, no expressions. */
export interface EgressNetworkPolicy {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "NetworkPolicy";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: EgressPolicySpec;
}

export interface EgressPolicySpec {
  readonly podSelector: { readonly matchLabels: Labels };
  readonly policyTypes: readonly ["Egress"];
  readonly egress: readonly EgressRule[];
}

/** Without `ports` every port of every protocol. */
export interface EgressRule {
  readonly to: readonly Peer[];
  readonly ports?: readonly Ports[];
}

export type Peer = PodPeer | BlockPeer;

export interface PodPeer {
  readonly namespaceSelector: { readonly matchLabels: Labels };
  readonly podSelector: { readonly matchLabels: Labels };
}

export interface BlockPeer {
  readonly ipBlock: { readonly cidr: string; readonly except?: readonly string[] };
}

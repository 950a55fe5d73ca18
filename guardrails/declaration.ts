import type { AddressFamily, Cidr, Labels } from "../analysis/index.ts";
import type { Ports } from "../runner/contract.ts";

/** A label that a pod does not have: with this value, or with none given at all. */
export interface NotLabel {
  readonly key: string;
  readonly value?: string;
}

/** Pods of one namespace, chosen by labels. */
export interface DeclaredPods {
  readonly namespace: string;
  readonly labels: Labels;
}

/** Something outside the public internet that the runners may reach: address blocks, or pods, or both. */
export interface Destination {
  /** What a reader calls it. */
  readonly name: string;
  readonly cidrs: readonly Cidr[];
  readonly pods: readonly DeclaredPods[];
  /** At least one. */
  readonly ports: readonly Ports[];
  /** Whether losing it is a violation too. */
  readonly required: boolean;
  /** Whether its blocks are recorded facts, whose every change is reviewed. Default: false. */
  readonly isRecorded?: boolean;
}

/** A destination in the public internet that the runners need. */
export interface RequiredEndpoint {
  /** As it was declared: `https://rpc.example.com:8545`. */
  readonly name: string;
  /** The addresses; `undefined` for a host name, which may turn out to be any public address. */
  readonly cidr: Cidr | undefined;
  readonly ports: Ports;
}

/** The cluster, as far as verdicts depend on it. */
export interface DeclaredCluster {
  /** The family of the pods' addresses. EKS clusters have one. */
  readonly ipFamily: AddressFamily;
  /**
   * The `clusterIdentifier` of the Kubernetes provider that reaches it: `eks/REGION/NAME`. Default: not judged, unless a plan
   * has providers of several clusters.
   */
  readonly identifier?: string;
  /** Version of aws-network-policy-agent. Default: the newest that the analysis knows. */
  readonly agentVersion?: string;
  /**
   * Whether pods can send packets of the other family, which no policy is applied to: `ENABLE_V4_EGRESS` in an IPv6
   * cluster, `ENABLE_V6_EGRESS` in an IPv4 one. Default: not judged.
   */
  readonly otherFamilyEgress?: boolean;
}

/** The part of the public internet that is meant to be reachable. */
export interface PublicReach {
  /** `"every-port"`: of every protocol. */
  readonly ports: readonly Ports[] | "every-port";
  /** Default: all of it. */
  readonly blocks?: readonly Cidr[];
  /** What is left out of that. */
  readonly except: readonly Cidr[];
}

/** Where a declaration is written, for messages that tell what to change. */
export interface DeclarationSource {
  /** The place of a member such as `vpcCidrs` or `destinations.dns`: `declaration.vpcCidrs in the pack's config`. */
  readonly placeOf: (member: string) => string;
  /**
   * What somebody does to bring a member up to date that a command writes, as a clause: ``run `npm run record ...` ``;
   * `undefined` for members that people write. Default: people write all of them.
   */
  readonly updateOf?: (member: string) => string | undefined;
}

/**
 * What somebody who does not trust the plan says about the runners: who they are, what they may reach and what they
 * need. Never read back from the program that is checked, so that a bug there is caught.
 */
export interface Declaration {
  /** Default: it is written nowhere, because it was derived. */
  readonly source?: DeclarationSource;
  readonly runner: {
    /** Namespaces in which runner pods are started; at least one. */
    readonly namespaces: readonly string[];
    /** Labels that every runner pod has; it may have others. At least one. */
    readonly labels: Labels;
    /** Labels that no runner pod has, so that policies which ask for one of them are not the runners'. Default: none. */
    readonly notLabels?: readonly NotLabel[];
  };
  /** `namespace/name` of the NetworkPolicies that must be in the plan. May be empty: then only the reach is judged. */
  readonly policies: readonly string[];
  readonly cluster: DeclaredCluster;
  /** Every block of the VPC, both families. Blocks in public ranges are private here. */
  readonly vpcCidrs: readonly Cidr[];
  /** All private reach that is wanted. */
  readonly destinations: readonly Destination[];
  /** Ports on which the whole public internet must stay reachable; `"every-port"`: of every protocol. */
  readonly internet: readonly Ports[] | "every-port";
  readonly endpoints: readonly RequiredEndpoint[];
  /** The public reach that is meant, `"none"` for none at all. Default: any, and only private reach is judged. */
  readonly publicReach?: PublicReach | "none";
}

import type { AddressFamily } from "../analysis/address.ts";
import { defined } from "../analysis/input.ts";
import type { VpcCniSemantics } from "../analysis/semantics.ts";

/** A subnet in which the database lives. */
export interface DatabaseSubnet {
  readonly id: string;
  /** Canonical blocks, IPv4 first; at least one. */
  readonly cidrs: readonly string[];
}

/** The VPC and every block that is associated with it, or on its way in or out. */
export interface VpcFacts {
  readonly id: string;
  readonly region: string;
  readonly ipv4Cidrs: readonly string[];
  readonly ipv6Cidrs: readonly string[];
}

/** The cluster, as far as the policy depends on it. */
export interface ClusterFacts {
  /** EKS name, or the kubeconfig context where EKS is not asked. */
  readonly name: string;
  /** Family of the pods' addresses. EKS clusters have one. */
  readonly ipFamily: AddressFamily;
  /** The block of ClusterIPs; unknown where EKS is not asked. */
  readonly serviceCidr?: string;
}

/** The add-on `vpc-cni`, whose agent enforces the policy. */
export interface AddOnFacts {
  /** Version of the managed add-on, such as `v1.21.1-eksbuild.1`; left out where there is none to read. */
  readonly version?: string;
  /** Version of the network policy agent that it carries, such as `1.3.1`; `>=` in front of one newer than the table. */
  readonly agentVersion?: string;
  readonly networkPolicyEnabled: boolean | "unknown";
  /** Names of the acknowledgements without which this state would have been refused. */
  readonly acknowledged: readonly string[];
}

/** Everything about the network on which the rules rest, as it was looked up. */
export interface NetworkFacts {
  readonly vpc: VpcFacts;
  readonly databaseSubnets: readonly DatabaseSubnet[];
  readonly cluster: ClusterFacts;
  readonly addOn: AddOnFacts;
}

/** How the cluster enforces policies. An agent newer than the table of versions is read as the oldest that it can be. */
export function enforcementOf({ cluster, addOn }: Pick<NetworkFacts, "cluster" | "addOn">): VpcCniSemantics {
  const agentVersion = addOn.agentVersion?.replace(/^>=/, "");
  return { name: "vpc-cni", ipFamily: cluster.ipFamily, ...defined({ agentVersion }) };
}

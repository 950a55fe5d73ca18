import { type Address, formatAddress, parseAddress } from "../../analysis/address.ts";
import type { Inventory, Pod } from "../../analysis/inventory.ts";
import type { EndpointSliceObject, PodObject, PolicyEndpointObject, PolicyObject, ServiceObject } from "./objects.ts";

/** Objects of a kind that a cluster may not have: `undefined` where it has no such kind. */
export type Optional<T> = readonly T[] | undefined;

/** Everything that was read from the cluster before anything is tried. */
export interface Snapshot {
  /** Pods, Services and namespaces for the analysis. Only of the namespaces that the policy can reach, and its own. */
  readonly inventory: Inventory;
  readonly pods: readonly PodObject[];
  /** Labels of the runner's namespace. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Every NetworkPolicy of the runner's namespace, as the server gives it. */
  readonly networkPolicies: readonly PolicyObject[];
  /** Every NetworkPolicy of the control's namespace. */
  readonly controlPolicies: readonly PolicyObject[];
  readonly clusterNetworkPolicies: Optional<PolicyObject>;
  readonly applicationNetworkPolicies: Optional<PolicyObject>;
  readonly policyEndpoints: Optional<PolicyEndpointObject>;
  /** The Service `default/kubernetes` and where it leads. */
  readonly apiServer: { readonly service?: ServiceObject; readonly endpoints?: EndpointSliceObject };
  readonly enforcer: EnforcerState;
}

/** What says whether the VPC CNI enforces policies. */
export interface EnforcerState {
  /** `data` of the ConfigMap `kube-system/amazon-vpc-cni`; `undefined`: there is none. */
  readonly configMap: Readonly<Record<string, string>> | undefined;
  /** Container `aws-eks-nodeagent` of the DaemonSet `kube-system/aws-node`; `undefined`: no such DaemonSet. */
  readonly agent: { readonly image: string; readonly args: readonly string[] } | undefined;
}

/** Addresses of nodes, as far as the pods that were read tell them. */
export function nodeAddresses(pods: readonly PodObject[]): Set<string> {
  const texts = pods.flatMap(({ status }) => [status?.hostIP, ...(status?.hostIPs ?? []).map(({ ip }) => ip)]);
  return new Set(
    texts.flatMap((text) => {
      const address = text === undefined ? undefined : parseAddress(text);
      return address === undefined ? [] : [formatAddress(address)];
    }),
  );
}

/** Whether an address belongs to a node. */
export function isNodeAddress(nodes: ReadonlySet<string>, address: Address): boolean {
  return nodes.has(formatAddress(address));
}

/** Whether a pod is up: running, and ready as far as it says. */
export function isReady({ status }: PodObject): boolean {
  return (
    status?.phase === "Running" &&
    (status.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True")
  );
}

/** The TCP ports on which a pod says that it listens, ascending. */
export function declaredTcpPorts(
  { namespace, name }: Pick<Pod, "namespace" | "name">,
  pods: readonly PodObject[],
): number[] {
  const object = pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  return (object?.spec.containers ?? [])
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ protocol }) => protocol === undefined || protocol === "TCP")
    .map(({ containerPort }) => containerPort)
    .sort((a, b) => a - b);
}

import { type Address, parseAddress } from "../../analysis/address.ts";
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

/** Whether an address belongs to a node, as far as the pods that were read tell. */
export function isNodeAddress(pods: readonly PodObject[], address: Address): boolean {
  const nodes = pods.flatMap(({ status }) => [status?.hostIP ?? "", ...(status?.hostIPs ?? []).map(({ ip }) => ip)]);
  return nodes.some((text) => {
    const node = parseAddress(text);
    return node?.family === address.family && node.value === address.value;
  });
}

/** The pods that are up, which is running and ready as far as they say, and not on their node's network. */
export function readyPods({ inventory, pods }: Pick<Snapshot, "inventory" | "pods">): Set<Pod> {
  const ready = pods.filter(
    ({ status }) =>
      status?.phase === "Running" &&
      (status.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True"),
  );
  const names = new Set(ready.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`));
  return new Set(
    inventory.pods.filter(({ namespace, name, hostNetwork }) => !hostNetwork && names.has(`${namespace}/${name}`)),
  );
}

/** The TCP ports on which a pod says that it listens, ascending. */
export function declaredTcpPorts({ containerPorts = [] }: Pod): number[] {
  return containerPorts
    .filter(({ protocol }) => protocol === "TCP")
    .map(({ port }) => port)
    .sort((a, b) => a - b);
}

import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { type InventoryObject, parseInventory } from "../../analysis/parseInventory.ts";
import type { Cluster } from "./cluster.ts";
import type {
  ContainerObject,
  EndpointSliceObject,
  ObjectMeta,
  PodObject,
  PolicyEndpointObject,
  PolicyObject,
  ServiceObject,
} from "./objects.ts";
import { peerNamespaces } from "./preflight/access.ts";
import type { EnforcerState, Snapshot } from "./snapshot.ts";

interface DaemonSetObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly ContainerObject[] } } };
}

/**
 * Reads everything that the preflight and the plan look at. Nothing is written.
 *
 * @throws {ClusterError} when the server refuses, {Error} when the namespaces have no pod at all.
 */
export async function takeSnapshot(
  cluster: Cluster,
  policy: NetworkPolicy,
  controlNamespace: string,
): Promise<Snapshot> {
  const { namespace } = policy;
  const places = peerNamespaces(policy) ?? [undefined];
  const [pods, services, namespaces, own, control, clusterPolicies, application, endpoints, apiServer, enforcer] =
    await Promise.all([
      Promise.all(places.map((place) => cluster.list<PodObject>("pods", place))),
      Promise.all(places.map((place) => cluster.list<ServiceObject>("services", place))),
      readNamespaces(cluster, namespace, places),
      cluster.list<PolicyObject>("networkpolicies", namespace),
      cluster.list<PolicyObject>("networkpolicies", controlNamespace),
      cluster.list<PolicyObject>("clusternetworkpolicies"),
      cluster.list<PolicyObject>("applicationnetworkpolicies", namespace),
      cluster.list<PolicyEndpointObject>("policyendpoints", namespace),
      readApiServer(cluster),
      readEnforcer(cluster),
    ]);
  const allPods = pods.flatMap((list) => list ?? []);
  if (allPods.length === 0) {
    const where = places.map((place) => place ?? "all namespaces").join(" and ");
    throw new Error(`no pod runs in ${where}, so there is nothing to try; is this the right cluster?`);
  }
  const objects: InventoryObject[] = [
    ...namespaces.map(({ metadata }) => ({
      object: { kind: "Namespace", metadata },
      path: `Namespace ${metadata.name}`,
    })),
    ...allPods.map((pod) => ({ object: { ...pod, kind: "Pod" }, path: `Pod ${pod.metadata.name}` })),
    ...services
      .flatMap((list) => list ?? [])
      .map((service) => ({ object: { ...service, kind: "Service" }, path: `Service ${service.metadata.name}` })),
  ];
  return {
    inventory: parseInventory(objects),
    pods: allPods,
    namespaceLabels: namespaces.find(({ metadata }) => metadata.name === namespace)?.metadata.labels ?? {},
    networkPolicies: own ?? [],
    controlPolicies: control ?? [],
    clusterNetworkPolicies: clusterPolicies,
    applicationNetworkPolicies: application,
    policyEndpoints: endpoints,
    apiServer,
    enforcer,
  };
}

/**
 * Where the peers' namespaces are known by name, their labels are not asked for: no selector of the policy looks at
 * them, and so nobody has to be allowed to read them.
 */
async function readNamespaces(
  cluster: Cluster,
  own: string,
  places: readonly (string | undefined)[],
): Promise<{ readonly metadata: ObjectMeta }[]> {
  if (places.includes(undefined)) {
    return [...((await cluster.list<{ metadata: ObjectMeta }>("namespaces")) ?? [])];
  }
  const mine = await cluster.read<{ metadata: ObjectMeta }>(`/api/v1/namespaces/${own}`);
  return places.map((name) => (name === own && mine !== undefined ? mine : { metadata: { name: String(name) } }));
}

async function readApiServer(cluster: Cluster): Promise<Snapshot["apiServer"]> {
  const [service, endpoints] = await Promise.all([
    cluster.read<ServiceObject>("/api/v1/namespaces/default/services/kubernetes"),
    cluster.read<EndpointSliceObject>("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"),
  ]);
  return { ...(service && { service }), ...(endpoints && { endpoints }) };
}

async function readEnforcer(cluster: Cluster): Promise<EnforcerState> {
  const [configMap, daemonSet] = await Promise.all([
    cluster.read<{ data?: Record<string, string> }>("/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni"),
    cluster.read<DaemonSetObject>("/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node"),
  ]);
  const agent = daemonSet?.spec.template.spec.containers.find(({ name }) => name === "aws-eks-nodeagent");
  return {
    configMap: configMap && (configMap.data ?? {}),
    agent: daemonSet && { image: agent?.image ?? "", args: agent?.args ?? [] },
  };
}

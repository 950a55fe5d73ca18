import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { parseInventory } from "../../analysis/parseInventory.ts";
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
  const inPlaces = async <T>(collection: "pods" | "services") =>
    (await Promise.all(places.map((place) => cluster.list<T>(collection, place)))).flatMap((list) => list ?? []);
  const [pods, services, namespaces, own, control, clusterPolicies, application, endpoints, apiServer, enforcer] =
    await Promise.all([
      inPlaces<PodObject>("pods"),
      inPlaces<ServiceObject>("services"),
      readNamespaces(cluster, namespace, places),
      cluster.list<PolicyObject>("networkpolicies", namespace),
      cluster.list<PolicyObject>("networkpolicies", controlNamespace),
      cluster.list<PolicyObject>("clusternetworkpolicies"),
      cluster.list<PolicyObject>("applicationnetworkpolicies", namespace),
      cluster.list<PolicyEndpointObject>("policyendpoints", namespace),
      readApiServer(cluster),
      readEnforcer(cluster),
    ]);
  if (pods.length === 0) {
    const where = places.map((place) => place ?? "all namespaces").join(" and ");
    throw new Error(`no pod runs in ${where}, so there is nothing to try; is this the right cluster?`);
  }
  const objects: readonly { readonly kind?: string; readonly metadata: ObjectMeta }[] = [
    ...namespaces.map(({ metadata }) => ({ kind: "Namespace", metadata })),
    ...pods,
    ...services,
  ];
  return {
    inventory: parseInventory(objects.map((object) => ({ object, path: `${object.kind} ${object.metadata.name}` }))),
    pods,
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
): Promise<readonly { readonly metadata: ObjectMeta }[]> {
  if (places.includes(undefined)) {
    return (await cluster.list<{ metadata: ObjectMeta }>("namespaces")) ?? [];
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
    cluster.read<{ spec: { template: { spec: { containers: readonly ContainerObject[] } } } }>(
      "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node",
    ),
  ]);
  const agent = daemonSet?.spec.template.spec.containers.find(({ name }) => name === "aws-eks-nodeagent");
  return {
    configMap: configMap && (configMap.data ?? {}),
    agent: daemonSet && { image: agent?.image ?? "", args: agent?.args ?? [] },
  };
}

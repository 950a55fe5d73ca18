import type { Address } from "./address.ts";
import { type Labels, labelsSelector, selects } from "./labelSelector.ts";
import type { PolicyProtocol } from "./protocol.ts";

/** A port that a container declares. */
export interface ContainerPort {
  /** `undefined`: it has no name. */
  readonly name: string | undefined;
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

/** A port that a container gives a name. */
export interface NamedPort extends ContainerPort {
  readonly name: string;
}

/** A running pod. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly addresses: readonly Address[];
  /** Sidecars included, as Kubernetes resolves port names. */
  readonly namedPorts: readonly NamedPort[];
  /** Those of ordinary containers, in order, which are all that the AWS controller reads. Default: `namedPorts`. */
  readonly containerPorts?: readonly ContainerPort[];
  /** It has its node's address, and no policy applies to it. */
  readonly hostNetwork: boolean;
}

/** A port of a Service and where it leads: a number, or the name of a container port. */
export interface ServicePort {
  readonly protocol: PolicyProtocol;
  readonly port: number;
  readonly targetPort: number | string;
}

/** A Service. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  /** Empty for a headless or ExternalName Service; the first is `spec.clusterIP`. */
  readonly clusterIps: readonly Address[];
  readonly ports: readonly ServicePort[];
  /** `undefined`: its backends are not chosen by labels. */
  readonly selector: Labels | undefined;
}

/** What runs in the cluster, as far as policies can name it. */
export interface Inventory {
  /** Labels of each namespace by name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
}

/** The label that the API server puts on every namespace (Kubernetes 1.22 and later). */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** Labels of a namespace; the one that names it is always there. */
export function namespaceLabels(inventory: Inventory, namespace: string): Labels {
  return { ...inventory.namespaces.get(namespace), [NAMESPACE_NAME_LABEL]: namespace };
}

/** The number that a port name has in a pod, for one protocol. */
export function namedPort(pod: Pod, protocol: PolicyProtocol, name: string): number | undefined {
  return pod.namedPorts.find((port) => port.protocol === protocol && port.name === name)?.port;
}

/** The pods of a Service; none without a selector. */
export function backendsOf({ selector, namespace }: Service, { pods }: Inventory): Pod[] {
  const wanted = selector && labelsSelector(selector);
  return pods.filter((pod) => wanted !== undefined && pod.namespace === namespace && selects(wanted, pod.labels));
}

/** The container port behind a Service port in one pod. */
export function targetNumber({ targetPort, protocol }: ServicePort, pod: Pod): number | undefined {
  return typeof targetPort === "number" ? targetPort : namedPort(pod, protocol, targetPort);
}

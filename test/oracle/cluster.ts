import { type Address, readAddress, writeAddress } from "./addresses.ts";
import { kubernetesVerdictAt } from "./kubernetes.ts";
import type { EgressRule, NetworkPolicy, Peer, PolicyPort, Protocol, Source } from "./policy.ts";
import { isolatesEgress, matches, selecting } from "./selection.ts";
import { type EmittedRule, emittedRules, type PortItem } from "./vpcCniController.ts";

/**
 * What runs in a cluster, and what policies with peers given by labels come to there: under Kubernetes pod by pod, by the
 * words of the API reference; on EKS by what the controller emits (`pkg/resolvers/endpoints.go` of
 * amazon-network-policy-controller-k8s 1.1.7).
 */

type Labels = Readonly<Record<string, string>>;

/** A container, as a Pod lists it. */
export interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly ports: readonly { readonly name?: string; readonly protocol: string; readonly containerPort: number }[];
}

/** A Pod, cut to what matters here. */
export interface PodObject {
  readonly kind: "Pod";
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Labels };
  readonly spec: {
    readonly hostNetwork: boolean;
    readonly containers: readonly Container[];
    readonly initContainers: readonly Container[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIP: string;
    readonly podIPs: readonly { readonly ip: string }[];
  };
}

/** A port of a Service. */
export interface ServicePort {
  readonly protocol: string;
  readonly port: number;
  readonly targetPort: number | string;
}

/** A Service, cut to what matters here. */
export interface ServiceObject {
  readonly kind: "Service";
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly clusterIP: string;
    readonly clusterIPs: readonly string[];
    readonly selector?: Labels;
    readonly ports: readonly ServicePort[];
  };
}

/** The objects of a cluster, and the labels of its namespaces. */
export interface Cluster {
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly pods: readonly PodObject[];
  readonly services: readonly ServiceObject[];
}

/** "Succeeded" and "Failed" pods have given their addresses back. */
const running = ({ pods }: Cluster) => pods.filter(({ status }) => !["Succeeded", "Failed"].includes(status.phase));

const isAt = (texts: readonly string[], { family, value }: Address) =>
  texts.some((text) => readAddress(text).family === family && readAddress(text).value === value);

const addressesOf = ({ status }: PodObject) => status.podIPs.map(({ ip }) => ip);

/** "A sidecar is an init container with restartPolicy Always": it runs beside the others. */
const ownContainers = ({ spec }: PodObject) => spec.containers;
const everyContainer = ({ spec }: PodObject) => [
  ...spec.containers,
  ...spec.initContainers.filter(({ restartPolicy }) => restartPolicy === "Always"),
];

function numberOf(containers: readonly Container[], protocol: string, name: string): number | undefined {
  return containers.flatMap(({ ports }) => ports).find((port) => port.protocol === protocol && port.name === name)
    ?.containerPort;
}

function isInNamespace({ namespaceSelector }: Peer, own: string, namespace: string, { namespaces }: Cluster): boolean {
  return namespaceSelector === undefined
    ? namespace === own
    : matches(namespaceSelector, { ...namespaces[namespace], "kubernetes.io/metadata.name": namespace });
}

function backendsOf({ metadata, spec }: ServiceObject, cluster: Cluster): PodObject[] {
  return running(cluster).filter(
    (pod) =>
      spec.selector !== undefined &&
      pod.metadata.namespace === metadata.namespace &&
      Object.entries(spec.selector).every(([key, value]) => pod.metadata.labels[key] === value),
  );
}

/** What Kubernetes says of an address; `order-dependent` where the backends of a Service differ or there are none. */
export function verdictInCluster(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  cluster: Cluster,
  address: Address,
  protocol: Protocol,
  port: number,
): "allow" | "deny" | "order-dependent" {
  const isolating = selecting(policies, source).filter(isolatesEgress);
  if (isolating.length === 0) {
    return "allow";
  }
  const service = cluster.services.find(({ spec }) => spec.selector !== undefined && isAt(spec.clusterIPs, address));
  const own = service?.spec.ports.find((each) => each.protocol === protocol && each.port === port);
  if (service !== undefined && own !== undefined) {
    const verdicts = new Set<"allow" | "deny">();
    for (const pod of backendsOf(service, cluster)) {
      const ip = addressesOf(pod).find((text) => readAddress(text).family === address.family);
      const target =
        typeof own.targetPort === "number" ? own.targetPort : numberOf(everyContainer(pod), protocol, own.targetPort);
      if (ip !== undefined && target !== undefined) {
        verdicts.add(atAddress(isolating, cluster, readAddress(ip), protocol, target));
      }
    }
    const [only, ...others] = verdicts;
    return only === undefined || others.length > 0 ? "order-dependent" : only;
  }
  return atAddress(isolating, cluster, address, protocol, port);
}

function atAddress(
  isolating: readonly NetworkPolicy[],
  cluster: Cluster,
  address: Address,
  protocol: Protocol,
  port: number,
): "allow" | "deny" {
  if (kubernetesVerdictAt(isolating, undefined, address, protocol, port) === "allow") {
    return "allow";
  }
  // Pods of the host network are their node to a policy.
  const there = running(cluster).filter((pod) => !pod.spec.hostNetwork && isAt(addressesOf(pod), address));
  const isAllowed = isolating.some(({ metadata, spec }) =>
    (spec?.egress ?? []).some((rule) =>
      there.some(
        (pod) =>
          isPeer(rule, metadata?.namespace || "default", pod, cluster) && isPort(rule.ports ?? [], pod, protocol, port),
      ),
    ),
  );
  return isAllowed ? "allow" : "deny";
}

/** Blocks match by address, which has no port names, so they were asked before. */
function isPeer({ to = [] }: EgressRule, own: string, pod: PodObject, cluster: Cluster): boolean {
  return (
    to.length === 0 ||
    to.some(
      (peer) =>
        peer.ipBlock === undefined &&
        isInNamespace(peer, own, pod.metadata.namespace, cluster) &&
        matches(peer.podSelector ?? {}, pod.metadata.labels),
    )
  );
}

function isPort(ports: readonly PolicyPort[], pod: PodObject, protocol: Protocol, port: number): boolean {
  return (
    ports.length === 0 ||
    ports.some((entry) => {
      if ((entry.protocol ?? "TCP") !== protocol) {
        return false;
      }
      return typeof entry.port === "string"
        ? numberOf(everyContainer(pod), protocol, entry.port) === port
        : entry.port === undefined || (entry.port <= port && port <= (entry.endPort ?? entry.port));
    })
  );
}

/** What the controller emits with the objects of a cluster at hand. */
export function emittedInCluster(policies: readonly NetworkPolicy[], cluster: Cluster): readonly EmittedRule[] {
  return policies.flatMap((policy) => {
    const own = policy.metadata?.namespace || "default";
    const rules = policy.spec?.egress ?? [];
    return [
      ...emittedRules([policy]),
      ...rules.flatMap((rule) =>
        (rule.to ?? [])
          .filter(({ ipBlock }) => ipBlock === undefined)
          .flatMap((peer) => [...ofPods(rule, peer, own, cluster), ...ofServices(rule, peer, own, cluster)]),
      ),
    ];
  });
}

/** `status.podIP` alone, hostNetwork or not, and the ports of ordinary containers. */
function ofPods({ ports = [] }: EgressRule, peer: Peer, own: string, cluster: Cluster): EmittedRule[] {
  return running(cluster)
    .filter(
      (pod) =>
        isInNamespace(peer, own, pod.metadata.namespace, cluster) &&
        matches(peer.podSelector ?? {}, pod.metadata.labels),
    )
    .flatMap((pod) => {
      const items = ports.flatMap(({ protocol = "TCP", port = 0, endPort = 0 }): PortItem[] => {
        const number = typeof port === "string" ? numberOf(ownContainers(pod), protocol, port) : port;
        return number === undefined ? [] : [{ protocol, port: number, endPort }];
      });
      return ports.length > 0 && items.length === 0
        ? []
        : [{ cidr: hostText(pod.status.podIP), except: [], ports: items }];
    });
}

/** The policy's selector is applied to the Service's selector as if that were labels; `spec.clusterIP` alone. */
function ofServices({ ports = [] }: EgressRule, peer: Peer, own: string, cluster: Cluster): EmittedRule[] {
  return cluster.services
    .filter(
      ({ metadata, spec }) =>
        spec.clusterIP !== "None" &&
        isInNamespace(peer, own, metadata.namespace, cluster) &&
        matches(peer.podSelector ?? {}, spec.selector ?? {}),
    )
    .flatMap((service) => {
      const items = ports.flatMap((entry) => listening(entry, ports, service, cluster));
      return ports.length > 0 && items.length === 0
        ? []
        : [{ cidr: hostText(service.spec.clusterIP), except: [], ports: items }];
    });
}

/** `LookupServiceListenPort`, then `LookupListenPortFromPodSpec`, then `hasTargetPortBypass`. */
function listening(
  { protocol = "TCP", port, endPort = 0 }: PolicyPort,
  all: readonly PolicyPort[],
  service: ServiceObject,
  cluster: Cluster,
): PortItem[] {
  if (port === undefined) {
    return [{ protocol, port: 0, endPort: 0 }];
  }
  const candidates = service.spec.ports.filter((each) => each.protocol === protocol);
  const behind =
    service.spec.selector === undefined
      ? running(cluster).filter(({ metadata }) => metadata.namespace === service.metadata.namespace)
      : backendsOf(service, cluster);
  let listen = candidates.find(({ targetPort }) => targetPort === port)?.port;
  for (const pod of listen === undefined ? behind : []) {
    const declared = ownContainers(pod)
      .flatMap(({ ports }) => ports)
      .find(
        (own) =>
          own.protocol === protocol && (typeof port === "string" ? own.name === port : own.containerPort === port),
      );
    const number = declared?.containerPort ?? (typeof port === "number" ? port : undefined);
    listen = candidates.find(
      ({ targetPort }) =>
        number !== undefined &&
        (targetPort === number || (declared?.name !== undefined && targetPort === declared.name)),
    )?.port;
    if (listen !== undefined) {
      break;
    }
  }
  const target = candidates.find((each) => each.port === listen)?.targetPort;
  const bypassed =
    typeof port === "number" &&
    typeof target === "string" &&
    behind.some((pod) => {
      const number = numberOf(ownContainers(pod), protocol, target);
      return (
        number !== undefined &&
        !all.some(
          (each) =>
            (each.protocol ?? "TCP") === protocol &&
            typeof each.port !== "string" &&
            (each.port === undefined || (each.port <= number && number <= (each.endPort ?? each.port))),
        )
      );
    });
  return listen === undefined || bypassed ? [] : [{ protocol, port: listen, endPort }];
}

function hostText(ip: string): string {
  const address = readAddress(ip);
  return `${writeAddress(address)}/${address.family === "ipv4" ? 32 : 128}`;
}

import { type Cidr, hostOf } from "./cidr.ts";
import {
  backendsOf,
  type ContainerPort,
  type Inventory,
  type Pod,
  type Service,
  type ServicePort,
  targetNumber,
} from "./inventory.ts";
import { formatSelector, selects } from "./labelSelector.ts";
import type { EgressRule, NetworkPolicy, PolicyPort } from "./networkPolicy.ts";
import { type PortGrant, permits } from "./ports.ts";
import { EVERY_PORT, type PolicyProtocol } from "./protocol.ts";
import {
  type AddressTerm,
  addressTerms,
  matchingPods,
  numericPermissions,
  podPermissions,
  type RulePeer,
  type RulePlace,
  rulePeers,
  selectsNamespace,
} from "./terms.ts";

/**
 * The rules that the Amazon network policy controller emits: all peers as addresses, and for a peer given by labels also
 * the ClusterIPs of the Services behind which such pods are, because the agent sees packets before their destination is
 * rewritten (`pkg/resolvers/endpoints.go` of amazon-network-policy-controller-k8s, 1.1.7).
 */
export function vpcCniTerms(
  policies: readonly NetworkPolicy[],
  applying: readonly number[],
  inventory: Inventory | undefined,
): AddressTerm[] {
  const terms = addressTerms(policies, applying, inventory, declaredPort).filter(({ pod, cidr }) =>
    isPrimary(pod, cidr),
  );
  const clusterIps = rulePeers(policies, applying).flatMap((each) =>
    inventory === undefined ? [] : clusterIpTerms(each, inventory),
  );
  return [...terms, ...clusterIps];
}

function clusterIpTerms({ place, namespace, rule, peer }: RulePeer, inventory: Inventory): AddressTerm[] {
  if (peer?.kind !== "pods") {
    return [];
  }
  return inventory.services.flatMap((service): AddressTerm[] => {
    // Only `spec.clusterIP` is read, so a dual-stack Service has one address here.
    const [clusterIp] = service.clusterIps;
    const isSelected =
      selectsNamespace(peer, namespace, service.namespace, inventory) &&
      // The policy's selector is applied to the Service's selector as if that were a set of labels.
      selects(peer.podSelector, service.selector ?? {});
    const permissions = isSelected ? servicePermissions(rule, place, service, inventory) : [];
    return clusterIp === undefined || permissions.length === 0
      ? []
      : [{ ...place, cidr: hostOf(clusterIp), excepts: [], permissions }];
  });
}

/** The controller takes `status.podIP` alone, and ordinary containers alone. */
function isPrimary(pod: Pod | undefined, cidr: Cidr): boolean {
  return pod === undefined || (pod.addresses[0]?.family === cidr.family && pod.addresses[0].value === cidr.first);
}

function portsOf({ containerPorts, namedPorts }: Pod): readonly ContainerPort[] {
  return containerPorts ?? namedPorts;
}

function declaredPort(pod: Pod, protocol: PolicyProtocol, name: string): number | undefined {
  return portsOf(pod).find((port) => port.protocol === protocol && port.name === name)?.port;
}

function servicePermissions(rule: EgressRule, place: RulePlace, service: Service, inventory: Inventory): PortGrant[] {
  if (rule.ports === undefined) {
    return [{ protocol: "any", range: EVERY_PORT, grants: [{ ...place, port: undefined }] }];
  }
  const allowed = numericPermissions(rule, place);
  return rule.ports.flatMap((port, index): PortGrant[] => {
    const { protocol, endPort } = port;
    const grants = [{ ...place, port: index }];
    if (port.range?.from === 0) {
      return [{ protocol, range: port.range, grants }];
    }
    const listen = listenPort(port, service, inventory);
    if (listen === undefined || (port.name === undefined && bypasses(listen, protocol, allowed, service, inventory))) {
      return [];
    }
    // An `endPort` is copied as it is next to the translated port.
    const range = { from: listen, to: Math.max(endPort ?? listen, listen) };
    return [{ protocol, range, ...(endPort === undefined ? {} : { endPort }), grants }];
  });
}

/**
 * The Service's own port for a port of the policy, which is a container port: the first whose target is written the same
 * way, else the first that one of the pods leads to (`getMatchingServicePort`).
 */
function listenPort(port: PolicyPort, service: Service, inventory: Inventory): number | undefined {
  const wanted = port.name ?? port.range.from;
  const candidates = service.ports.filter(({ protocol }) => protocol === port.protocol);
  const exact = candidates.find(({ targetPort }) => targetPort === wanted);
  if (exact !== undefined) {
    return exact.port;
  }
  for (const pod of podsBehind(service, inventory)) {
    const declared = portsOf(pod).find(
      ({ protocol, ...own }) =>
        protocol === port.protocol && (port.name === undefined ? own.port : own.name) === wanted,
    );
    const found = declared ?? (port.name === undefined ? { name: undefined, port: port.range.from } : undefined);
    const listening = candidates.find(({ targetPort }) => targetPort === found?.port || targetPort === found?.name);
    if (found !== undefined && listening !== undefined) {
      return listening.port;
    }
  }
  return undefined;
}

/** Whether a named target leads to a port that the rule does not allow by number (`hasTargetPortBypass`). */
function bypasses(
  listen: number,
  protocol: PolicyProtocol,
  allowed: readonly PortGrant[],
  service: Service,
  inventory: Inventory,
): boolean {
  const target = service.ports.find((port) => port.port === listen && port.protocol === protocol)?.targetPort;
  return (
    typeof target === "string" &&
    podsBehind(service, inventory).some((pod) => {
      const port = declaredPort(pod, protocol, target);
      return port !== undefined && !permits(allowed, { protocol, port });
    })
  );
}

/** The pods that the controller takes to be behind a Service: all of its namespace where it has no selector. */
function podsBehind(service: Service, inventory: Inventory): Pod[] {
  return service.selector === undefined
    ? inventory.pods.filter(({ namespace }) => namespace === service.namespace)
    : backendsOf(service, inventory);
}

/** A peer that selects pods behind a Service, for whose ClusterIP the controller emits no rule all the same, and why. */
export interface ClusterIpObstacle {
  readonly place: RulePlace;
  readonly kind: "selector-lacks-label" | "port-not-resolved";
  /** The end of a sentence about the rule. */
  readonly why: string;
}

/**
 * Why the controller emits no rule for a port of a Service's ClusterIP although rules select its pods by label and allow
 * the port there; empty where no rule does.
 */
export function clusterIpObstacles(
  policies: readonly NetworkPolicy[],
  applying: readonly number[],
  service: Service,
  servicePort: ServicePort,
  inventory: Inventory,
): ClusterIpObstacle[] {
  const backends = backendsOf(service, inventory);
  return rulePeers(policies, applying).flatMap(({ place, namespace, rule, peer }): ClusterIpObstacle[] => {
    const reached = (peer?.kind === "pods" ? matchingPods(peer, namespace, inventory) : []).filter(
      (pod) =>
        backends.includes(pod) &&
        permits(podPermissions(rule, place, pod), {
          protocol: servicePort.protocol,
          port: targetNumber(servicePort, pod) ?? 0,
        }),
    );
    if (peer?.kind !== "pods" || reached.length === 0) {
      return [];
    }
    const { requirements } = peer.podSelector;
    const missing = requirements.filter((each) => !selects({ requirements: [each] }, service.selector ?? {}));
    if (missing.length > 0) {
      const why = `selects its pods, but the Service's selector doesn't have ${formatSelector({ requirements: missing })}, so the controller emits no rule for the ClusterIP`;
      return [{ place, kind: "selector-lacks-label", why }];
    }
    const isEmitted = permits(servicePermissions(rule, place, service, inventory), servicePort);
    const why =
      "allows the container port, but the controller doesn't find the Service's port for it, so it emits no rule for the ClusterIP";
    return isEmitted ? [] : [{ place, kind: "port-not-resolved", why }];
  });
}

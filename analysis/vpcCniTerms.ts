import { hostOf } from "./cidr.ts";
import { type Inventory, namedPort, type Pod, type Service, type ServicePort } from "./inventory.ts";
import { selects } from "./labelSelector.ts";
import type { EgressRule, NetworkPolicy, PolicyPort, SelectorPeer } from "./networkPolicy.ts";
import type { PortGrant } from "./ports.ts";
import { type AddressTerm, addressTerms, matchingPods, type RulePlace, selectsNamespace } from "./terms.ts";

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
  const terms = addressTerms(policies, applying, inventory);
  if (inventory === undefined) {
    return terms;
  }
  for (const policy of applying) {
    const { namespace, egress } = policies[policy] as NetworkPolicy;
    for (const [ruleIndex, rule] of egress.entries()) {
      for (const [peerIndex, peer] of (rule.to ?? []).entries()) {
        if (peer.kind === "pods") {
          const place = { policy, rule: ruleIndex, peer: peerIndex };
          terms.push(...clusterIpTerms(rule, peer, place, namespace, inventory));
        }
      }
    }
  }
  return terms;
}

function clusterIpTerms(
  rule: EgressRule,
  peer: SelectorPeer,
  place: RulePlace,
  policyNamespace: string,
  inventory: Inventory,
): AddressTerm[] {
  const terms: AddressTerm[] = [];
  for (const service of inventory.services) {
    // Only `spec.clusterIP` is read, so a dual-stack Service has one address here.
    const clusterIp = service.clusterIps[0];
    if (
      clusterIp === undefined ||
      !selectsNamespace(peer, policyNamespace, service.namespace, inventory) ||
      // The policy's selector is applied to the Service's selector as if that were a set of labels.
      !selects(peer.podSelector, service.selector ?? {})
    ) {
      continue;
    }
    const permissions = servicePermissions(rule, place, service, backendsOf(service, inventory));
    if (permissions.length > 0) {
      terms.push({ ...place, cidr: hostOf(clusterIp), excepts: [], permissions });
    }
  }
  return terms;
}

function servicePermissions(
  rule: EgressRule,
  place: RulePlace,
  service: Service,
  backends: readonly Pod[],
): PortGrant[] {
  if (rule.ports === undefined) {
    return [{ protocol: "any", range: { from: 0, to: 65535 }, grants: [{ ...place, port: undefined }] }];
  }
  return rule.ports.flatMap((port, index): PortGrant[] => {
    const grants = [{ ...place, port: index }];
    if (port.range?.from === 0) {
      return [{ protocol: port.protocol, range: port.range, grants }];
    }
    const listen = listenPort(port, rule.ports ?? [], service, backends);
    if (listen === undefined) {
      return [];
    }
    // An `endPort` is copied as it is next to the translated port.
    return port.endPort === undefined
      ? [{ protocol: port.protocol, range: { from: listen, to: listen }, grants }]
      : [
          {
            protocol: port.protocol,
            range: { from: listen, to: Math.max(port.endPort, listen) },
            endPort: port.endPort,
            grants,
          },
        ];
  });
}

/** The Service's own port for a port of the policy, which is a container port. */
function listenPort(
  port: PolicyPort,
  allowed: readonly PolicyPort[],
  service: Service,
  backends: readonly Pod[],
): number | undefined {
  const wanted = port.name ?? port.range.from;
  const candidates = service.ports.filter(({ protocol }) => protocol === port.protocol);
  const exact = candidates.find(({ targetPort }) => targetPort === wanted);
  if (exact !== undefined) {
    return exact.port;
  }
  const wantedIn = (pod: Pod) => (port.name === undefined ? port.range.from : namedPort(pod, port.protocol, port.name));
  const throughPods = candidates.find((candidate) =>
    backends.some(
      (pod) => targetNumber(candidate, pod) !== undefined && targetNumber(candidate, pod) === wantedIn(pod),
    ),
  );
  if (throughPods === undefined) {
    return undefined;
  }
  // A named target that some backend resolves to a port the policy does not allow would bypass the policy.
  const bypasses = backends.some((pod) => {
    const target = targetNumber(throughPods, pod);
    return target !== undefined && !allowed.some((other) => allowsTarget(other, throughPods, target, pod));
  });
  return bypasses ? undefined : throughPods.port;
}

function allowsTarget(port: PolicyPort, { protocol }: ServicePort, target: number, pod: Pod): boolean {
  if (port.protocol !== protocol) {
    return false;
  }
  return port.range === undefined
    ? namedPort(pod, protocol, port.name) === target
    : port.range.from <= target && target <= port.range.to;
}

/** The pods of a Service; none without a selector. */
export function backendsOf(service: Service, inventory: Inventory): Pod[] {
  const { selector, namespace } = service;
  if (selector === undefined) {
    return [];
  }
  return matchingPods(
    {
      kind: "pods",
      namespaceSelector: undefined,
      podSelector: {
        requirements: Object.entries(selector).map(([key, value]) => ({ key, operator: "In", values: [value] })),
      },
    },
    namespace,
    inventory,
  );
}

/** The container port behind a Service port in one pod. */
export function targetNumber({ targetPort, protocol }: ServicePort, pod: Pod): number | undefined {
  return typeof targetPort === "number" ? targetPort : namedPort(pod, protocol, targetPort);
}

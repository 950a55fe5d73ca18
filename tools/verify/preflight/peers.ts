import {
  backendsOf,
  type Inventory,
  namedPort,
  type Pod,
  type Service,
  targetNumber,
} from "../../../analysis/inventory.ts";
import { formatSelector, labelsSelector, selects } from "../../../analysis/labelSelector.ts";
import type { EgressRule, NetworkPolicy, PolicyPort, SelectorPeer } from "../../../analysis/networkPolicy.ts";
import { formatPodSet } from "../../../analysis/reach/podSets.ts";
import { matchingPods, rulePeers } from "../../../analysis/terms.ts";
import { checked, doubt, type Finding, type Found, note } from "./finding.ts";

/**
 * Whether the policy's peers are really there and really reachable through their Services: running pods with the labels,
 * Services whose selectors hold all of them (else the AWS controller drops the ClusterIP), and policy ports that are
 * container ports rather than the Services' own.
 */
export function judgePeers(policy: NetworkPolicy, inventory: Inventory): Finding[] {
  return rulePeers([policy], [0]).flatMap(({ place, rule, peer }) =>
    peer?.kind === "pods" ? judgePeer(policy, rule, place.rule, peer, inventory) : [],
  );
}

function judgePeer(
  { namespace }: NetworkPolicy,
  rule: EgressRule,
  index: number,
  peer: SelectorPeer,
  inventory: Inventory,
): Finding[] {
  const { podSelector, namespaceSelector } = peer;
  const who =
    namespaceSelector === undefined
      ? `pods ${formatSelector(podSelector)} in namespace ${namespace}`
      : formatPodSet({ podSelector, namespaceSelector });
  const pods = matchingPods(peer, namespace, inventory);
  const services = inventory.services.filter((service) =>
    backendsOf(service, inventory).some((pod) => pods.includes(pod)),
  );
  const onHost = pods.filter(({ hostNetwork }) => hostNetwork).map(({ name }) => name);
  const found =
    pods.length === 0
      ? [
          doubt(
            "no running pod has these labels, so the rule allows nothing",
            "start the pods, or correct the labels in the stack's config",
          ),
        ]
      : services.flatMap((service) => judgeService(rule, peer, service, inventory));
  if (onHost.length > 0) {
    found.push(note(`${onHost.join(", ")} is on the host's network, so the rule opens its node on these ports`));
  }
  const behind = services.map(({ name }) => name).join(", ") || "no Service";
  return checked("peers", found, `${pods.length} running, behind ${behind}`).map((finding) => ({
    ...finding,
    text: `rule ${index} (${who}): ${finding.text}`,
  }));
}

function judgeService(
  { ports }: EgressRule,
  { podSelector }: SelectorPeer,
  service: Service,
  inventory: Inventory,
): Found[] {
  const name = `Service ${service.namespace}/${service.name}`;
  if (service.clusterIps.length === 0) {
    return [];
  }
  const selector = service.selector ?? {};
  if (!selects(podSelector, selector)) {
    return [
      doubt(
        `${name} selects ${formatSelector(labelsSelector(selector))}, which lacks labels of the rule, so the AWS controller leaves its ClusterIP denied`,
        "name in the rule only labels that the Service's selector has (amazon-network-policy-controller-k8s #147)",
      ),
    ];
  }
  const [pod] = backendsOf(service, inventory);
  if (ports === undefined || pod === undefined) {
    return [];
  }
  const allows = (number: number | undefined, protocol: string) =>
    ports.some((port) => port.protocol === protocol && number !== undefined && covers(port, number, pod));
  return service.ports
    .filter((port) => !allows(targetNumber(port, pod), port.protocol) && allows(port.port, port.protocol))
    .map((port) =>
      doubt(
        `it allows ${port.protocol} ${port.port}, the port of ${name}, but the pods listen on ${targetNumber(port, pod) ?? port.targetPort}`,
        "write the container port (targetPort) in the rule; that is what enforcers look at",
      ),
    );
}

function covers(port: PolicyPort, number: number, pod: Pod): boolean {
  return port.range === undefined
    ? namedPort(pod, port.protocol, port.name) === number
    : port.range.from <= number && number <= port.range.to;
}

import { backendsOf, type Inventory, namedPort, type Service, targetNumber } from "../../../analysis/inventory.ts";
import { EVERYTHING, formatSelector, selects } from "../../../analysis/labelSelector.ts";
import type { EgressRule, NetworkPolicy, PolicyPort, SelectorPeer } from "../../../analysis/networkPolicy.ts";
import { formatPodSet } from "../../../analysis/reach/podSets.ts";
import { matchingPods } from "../../../analysis/terms.ts";
import type { Finding } from "./finding.ts";

/**
 * Whether the policy's peers are really there and really reachable through their Services: running pods with the labels,
 * Services whose selectors hold all of them (else the AWS controller drops the ClusterIP), and policy ports that are
 * container ports rather than the Services' own.
 */
export function judgePeers(policy: NetworkPolicy, inventory: Inventory): Finding[] {
  const findings = policy.egress.flatMap((rule, index) =>
    (rule.to ?? []).flatMap((peer) => (peer.kind === "pods" ? judgePeer(policy, rule, index, peer, inventory) : [])),
  );
  return findings;
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
      : formatPodSet({ podSelector, namespaceSelector: namespaceSelector ?? EVERYTHING });
  const where = `rule ${index} (${who})`;
  const pods = matchingPods(peer, namespace, inventory);
  if (pods.length === 0) {
    return [
      {
        check: "peers",
        level: "doubt",
        text: `${where}: no running pod has these labels, so the rule allows nothing`,
        remedy: "start the pods, or correct the labels in the stack's config",
      },
    ];
  }
  const services = inventory.services.filter((service) =>
    backendsOf(service, inventory).some((pod) => pods.includes(pod)),
  );
  const findings = services.flatMap((service) => judgeService(where, rule, peer, service, inventory));
  const onHost = pods.filter(({ hostNetwork }) => hostNetwork);
  if (onHost.length > 0) {
    findings.push({
      check: "peers",
      level: "note",
      text: `${where}: ${onHost.map(({ name }) => name).join(", ")} is on the host's network, so the rule opens its node on these ports`,
    });
  }
  const behind = services.map(({ name }) => name).join(", ") || "no Service";
  return findings.length > 0
    ? findings
    : [{ check: "peers", level: "ok", text: `${where}: ${pods.length} running, behind ${behind}` }];
}

function judgeService(
  where: string,
  rule: EgressRule,
  { podSelector }: SelectorPeer,
  service: Service,
  inventory: Inventory,
): Finding[] {
  const name = `Service ${service.namespace}/${service.name}`;
  if (service.clusterIps.length === 0) {
    return [];
  }
  if (!selects(podSelector, service.selector ?? {})) {
    const selector = Object.entries(service.selector ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    return [
      {
        check: "peers",
        level: "doubt",
        text: `${where}: ${name} selects ${selector}, which lacks labels of the rule, so the AWS controller leaves its ClusterIP denied`,
        remedy:
          "name in the rule only labels that the Service's selector has (amazon-network-policy-controller-k8s #147)",
      },
    ];
  }
  const [pod] = backendsOf(service, inventory);
  if (rule.ports === undefined || pod === undefined) {
    return [];
  }
  const allows = (number: number | undefined, protocol: string) =>
    (rule.ports ?? []).some((port) => port.protocol === protocol && number !== undefined && covers(port, number, pod));
  return service.ports
    .filter((port) => !allows(targetNumber(port, pod), port.protocol) && allows(port.port, port.protocol))
    .map((port) => ({
      check: "peers",
      level: "doubt",
      text: `${where}: it allows ${port.protocol} ${port.port}, the port of ${name}, but the pods listen on ${targetNumber(port, pod) ?? port.targetPort}`,
      remedy: "write the container port (targetPort) in the rule; that is what enforcers look at",
    }));
}

function covers(port: PolicyPort, number: number, pod: Parameters<typeof namedPort>[0]): boolean {
  return port.range === undefined
    ? namedPort(pod, port.protocol, port.name) === number
    : port.range.from <= number && number <= port.range.to;
}

import { NAMESPACE_NAME_LABEL } from "../../../analysis/inventory.ts";
import type { Ports } from "../../../runner/contract.ts";
import type { NetworkFacts } from "../../../runner/networkFacts.ts";
import type { Peer } from "../../../runner/networkPolicy.ts";

/** The facts as a reader calls them, each with one or several values. */
export function factRows({ vpc, databaseSubnets, cluster, addOn }: NetworkFacts): [name: string, values: string[]][] {
  const { version, agentVersion, networkPolicyEnabled, acknowledged } = addOn;
  return [
    ["region", [vpc.region]],
    ["VPC", [vpc.id]],
    ["VPC blocks", [...vpc.ipv4Cidrs, ...vpc.ipv6Cidrs]],
    ["database subnets", databaseSubnets.map(({ id, cidrs }) => `${cidrs.join(", ")} (${id})`)],
    ["cluster", [cluster.name]],
    ["address family", [cluster.ipFamily]],
    ["Service block", [cluster.serviceCidr ?? "unknown"]],
    ["vpc-cni add-on", [version === undefined ? "none" : `${version} (agent ${agentVersion ?? "unknown"})`]],
    ["network policy", [networkPolicyEnabled === "unknown" ? "unknown" : networkPolicyEnabled ? "on" : "OFF"]],
    ["acknowledged", [...acknowledged]],
  ];
}

/** A peer as a sentence; what a block excepts is told apart. */
export function describePeer(peer: Peer): string {
  if ("ipBlock" in peer) {
    return peer.ipBlock.cidr;
  }
  const namespace = peer.namespaceSelector.matchLabels[NAMESPACE_NAME_LABEL];
  const labels = Object.entries(peer.podSelector.matchLabels).map(([name, value]) => `${name}=${value}`);
  return `pods ${labels.join(",")} in ${namespace}`;
}

/** Ports as `53/UDP` or `8000-8010/TCP`. */
export function describePorts(ports: readonly Ports[] | undefined): string[] {
  return (
    ports?.map(({ protocol, port, endPort }) => `${port}${endPort === undefined ? "" : `-${endPort}`}/${protocol}`) ?? [
      "all ports",
    ]
  );
}

/** The blocks that a peer leaves out. */
export function exceptOf(peer: Peer): readonly string[] {
  return ("ipBlock" in peer && peer.ipBlock.except) || [];
}

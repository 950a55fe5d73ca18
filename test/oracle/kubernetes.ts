import { type Address, holds, readAddress, readBlock } from "./addresses.ts";
import type { EgressRule, NetworkPolicy, Peer, Point, PolicyPort, Protocol, Source } from "./policy.ts";
import { isolatesEgress, selecting } from "./selection.ts";

/**
 * Whether Kubernetes lets the source reach a bare address, read sentence by sentence off the API reference of
 * NetworkPolicy v1 (egress): slow, without any set arithmetic, one point at a time.
 */
export function kubernetesVerdict(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  point: Point,
): "allow" | "deny" {
  return kubernetesVerdictAt(policies, source, readAddress(point.ip), point.protocol, point.port);
}

/** The same for an address that is already a number, so that a sweep can ask about any of them. */
export function kubernetesVerdictAt(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  address: Address,
  protocol: Protocol,
  port: number,
): "allow" | "deny" {
  // "policyTypes: list of rule types that the NetworkPolicy relates to": other policies say nothing about egress.
  const isolating = selecting(policies, source).filter(isolatesEgress);
  // "Outgoing traffic is allowed if there are no NetworkPolicies selecting the pod …
  if (isolating.length === 0) {
    return "allow";
  }
  // … OR if the traffic matches at least one egress rule across all of the NetworkPolicy objects".
  for (const policy of isolating) {
    for (const rule of policy.spec?.egress ?? []) {
      if (matchesPeers(rule, address) && matchesPorts(rule, protocol, port)) {
        return "allow";
      }
    }
  }
  return "deny";
}

/** "If this field is empty or missing, this rule matches all destinations." Items are ORed. */
function matchesPeers(rule: EgressRule, address: Address): boolean {
  const peers = rule.to ?? [];
  return peers.length === 0 || peers.some((peer) => matchesPeer(peer, address));
}

/** A selector peer selects pods; a bare address is none. "except: CIDRs that should not be included within an ipBlock". */
function matchesPeer({ ipBlock }: Peer, address: Address): boolean {
  if (ipBlock === undefined) {
    return false;
  }
  const excepted = (ipBlock.except ?? []).some((except) => holds(readBlock(except), address));
  return holds(readBlock(ipBlock.cidr), address) && !excepted;
}

/** "If this field is empty or missing, this rule matches all ports." Items are ORed. */
function matchesPorts(rule: EgressRule, protocol: Protocol, port: number): boolean {
  const ports = rule.ports ?? [];
  return ports.length === 0 || ports.some((entry) => matchesPort(entry, protocol, port));
}

function matchesPort(entry: PolicyPort, protocol: Protocol, port: number): boolean {
  // "If not specified, this field defaults to TCP."
  if ((entry.protocol ?? "TCP") !== protocol) {
    return false;
  }
  // "If this field is not provided, this matches all port names and numbers."
  if (entry.port === undefined) {
    return true;
  }
  // A named port is a port of a pod's container, and a bare address has none.
  if (typeof entry.port === "string") {
    return false;
  }
  // "endPort: the range of ports from port to endPort, inclusive".
  return entry.port <= port && port <= (entry.endPort ?? entry.port);
}

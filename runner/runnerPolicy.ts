import type { AddressFamily } from "../analysis/address.ts";
import { type Cidr, contains, formatCidr, leastSet, parseCidr } from "../analysis/cidr.ts";
import { type Problem, ProblemsError } from "../analysis/problems.ts";
import { checkContract } from "./checkContract.ts";
import { KEEPERHUB_CONTRACT, type PortRange, PROTOCOLS, type RunnerContract } from "./contract.ts";
import { exceptLists } from "./exceptList.ts";
import type { NetworkFacts } from "./networkFacts.ts";
import type { BlockPeer, EgressNetworkPolicy, EgressRule, PodPeer, PolicyPort } from "./networkPolicy.ts";
import { checkPortEntries, type PortedCidr } from "./portEntries.ts";

/** A policy and what its reader should know about it. */
export interface RunnerPolicy {
  readonly policy: EgressNetworkPolicy;
  /** What the policy can't say in this network; one sentence each, in a fixed order. */
  readonly notices: readonly string[];
}

/** The label that every namespace carries, with its name (Kubernetes 1.21 and later). */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * Builds the runner's egress NetworkPolicy: one rule for each destination of the contract, one for the database's
 * subnets, and one for the public internet on all ports. Everything else is denied. The same facts in any order give
 * the same policy, byte for byte.
 *
 * @throws {ProblemsError} with everything that is wrong with the contract or the facts.
 */
export function buildRunnerPolicy(contract: RunnerContract, facts: NetworkFacts): RunnerPolicy {
  const problems: Problem[] = checkContract(contract);
  const parse = (where: string, texts: readonly string[]) => parseAll(where, texts, problems);

  const { ipFamily } = facts.cluster;
  const vpcCidrs = [...parse("vpc.ipv4Cidrs", facts.vpc.ipv4Cidrs), ...parse("vpc.ipv6Cidrs", facts.vpc.ipv6Cidrs)];
  const database = leastSet(
    facts.databaseSubnets
      .flatMap(({ id, cidrs }) => parse(`databaseSubnets.${id}`, cidrs))
      // Pods of an IPv4 cluster have no IPv6 address to send from.
      .filter((cidr) => ipFamily === "ipv6" || cidr.family === "ipv4"),
  );
  if (database.length === 0) {
    problems.push({
      where: "databaseSubnets",
      value: facts.databaseSubnets.map(({ id }) => id),
      reason: `no block of the cluster's family ${ipFamily} to allow`,
    });
  }
  const cidrs = contract.cidrs.map((destination) => ({
    ...destination,
    cidrs: ofFamily(
      ipFamily,
      `cidrs.${destination.name}`,
      // What is no block is among the problems of the contract.
      parseAll("", destination.cidrs, []),
      problems,
    ),
  }));

  const ported: PortedCidr[] = [
    ...database.map((cidr) => ({ where: "databasePorts", cidr, ports: contract.databasePorts })),
    ...cidrs.flatMap(({ name, cidrs, ports }) => cidrs.map((cidr) => ({ where: `cidrs.${name}`, cidr, ports }))),
  ];
  const excepts = exceptLists({ ipFamily, vpcCidrs, allowedCidrs: ported.map(({ cidr }) => cidr) });
  problems.push(...checkHoles(ported, [...excepts.ipv4, ...excepts.ipv6]), ...checkPortEntries(ported));
  if (problems.length > 0) {
    throw new ProblemsError("The runner's egress policy can't be built:", problems);
  }

  const egress: EgressRule[] = [
    ...inOrder(contract.services).map(({ namespace, podLabels, ports }) => ({
      to: [podPeer(namespace, podLabels)],
      ports: policyPorts(ports),
    })),
    { to: database.map((cidr) => blockPeer(cidr)), ports: policyPorts(contract.databasePorts) },
    ...inOrder(cidrs).map(({ cidrs, ports }) => ({
      to: leastSet(cidrs).map((cidr) => blockPeer(cidr)),
      ports: policyPorts(ports),
    })),
    { to: [blockPeer(parseCidr("0.0.0.0/0"), excepts.ipv4), blockPeer(parseCidr("::/0"), excepts.ipv6)] },
  ];
  return {
    policy: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: contract.policyName, namespace: contract.namespace },
      spec: { podSelector: { matchLabels: sortedLabels(contract.podLabels) }, policyTypes: ["Egress"], egress },
    },
    notices: [
      ...publicDestinations(ported, [...excepts.ipv4, ...excepts.ipv6]),
      ...excepts.leftOut.map(({ cidr, reason }) => `VPC block ${formatCidr(cidr)} is not excepted: ${reason}`),
      ...(ipFamily === "ipv6" && database.every(({ family }) => family === "ipv4")
        ? ["No database subnet has an IPv6 block, so the runners reach the database over IPv4, which nothing enforces"]
        : []),
    ],
  };
}

/**
 * The member of the contract from which each rule of the policy comes, by the rule's index, such as `services.dns`. The
 * rule for the public internet comes from none.
 */
export function ruleOrigins({ services, cidrs }: RunnerContract): string[] {
  return [
    ...inOrder(services).map(({ name }) => `services.${name}`),
    "databasePorts",
    ...inOrder(cidrs).map(({ name }) => `cidrs.${name}`),
  ];
}

/** KeeperHub's own destinations in the order of its manifests, then the others by name. */
function inOrder<Destination extends { readonly name: string }>(destinations: readonly Destination[]): Destination[] {
  const known = KEEPERHUB_CONTRACT.services.map(({ name }) => name);
  const rank = (name: string) => (known.includes(name) ? known.indexOf(name) : known.length);
  return [...destinations].sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

function parseAll(where: string, texts: readonly string[], problems: Problem[]): Cidr[] {
  return texts.flatMap((text) => {
    try {
      return [parseCidr(text)];
    } catch (error) {
      problems.push({ where, value: text, reason: (error as RangeError).message });
      return [];
    }
  });
}

function ofFamily(family: AddressFamily, where: string, cidrs: Cidr[], problems: Problem[]): Cidr[] {
  for (const cidr of cidrs.filter((cidr) => cidr.family !== family)) {
    problems.push({
      where,
      value: formatCidr(cidr),
      reason: `the cluster's pods have ${family} addresses, so nothing enforces or reaches this block; leave it out`,
    });
  }
  return cidrs;
}

/**
 * The agent denies an `except` everywhere, so one inside a block that another rule allows would punch a hole into that
 * rule. An `except` equal to an allowed block does not: the allow decides.
 */
function checkHoles(allowed: readonly PortedCidr[], excepts: readonly Cidr[]): Problem[] {
  return allowed.flatMap(({ where, cidr }) => {
    const holes = excepts.filter((except) => contains(cidr, except) && !contains(except, cidr));
    return holes.length === 0
      ? []
      : [
          {
            where,
            value: formatCidr(cidr),
            reason:
              `it contains ${holes.map(formatCidr).join(", ")}, which the rule for the public internet excepts; the ` +
              "VPC CNI's agent would deny that part here too. Name smaller blocks",
          },
        ];
  });
}

/** Destinations that no `except` holds: the rule for the public internet allows them on every port already. */
function publicDestinations(allowed: readonly PortedCidr[], excepts: readonly Cidr[]): string[] {
  return allowed
    .filter(({ cidr }) => !excepts.some((except) => contains(except, cidr)))
    .map(
      ({ where, cidr }) =>
        `${where}: ${formatCidr(cidr)} is public internet, which the runners reach on every port anyway`,
    );
}

function podPeer(namespace: string, podLabels: Readonly<Record<string, string>>): PodPeer {
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } },
    podSelector: { matchLabels: sortedLabels(podLabels) },
  };
}

function blockPeer(cidr: Cidr, excepts?: readonly Cidr[]): BlockPeer {
  return { ipBlock: { cidr: formatCidr(cidr), ...(excepts && { except: excepts.map(formatCidr) }) } };
}

function policyPorts(ports: readonly PortRange[]): PolicyPort[] {
  return ports
    .map(({ protocol, port, endPort }) => ({ protocol, port, ...(endPort !== undefined && { endPort }) }))
    .sort(comparePorts);
}

function comparePorts(a: PortRange, b: PortRange): number {
  return (
    a.port - b.port ||
    PROTOCOLS.indexOf(a.protocol) - PROTOCOLS.indexOf(b.protocol) ||
    (a.endPort ?? a.port) - (b.endPort ?? b.port)
  );
}

function sortedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

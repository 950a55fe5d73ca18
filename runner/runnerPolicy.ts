import { type Cidr, contains, formatCidr, leastSet } from "../analysis/cidr.ts";
import { NAMESPACE_NAME_LABEL } from "../analysis/inventory.ts";
import type { Labels } from "../analysis/labelSelector.ts";
import { type Problem, throwIfWrong } from "../analysis/problems.ts";
import { POLICY_PROTOCOLS } from "../analysis/protocol.ts";
import { KEEPERHUB_CONTRACT, type Ports, type RunnerContract } from "./contract.ts";
import type { NetworkFacts } from "./networkFacts.ts";
import type { BlockPeer, EgressNetworkPolicy, EgressRule, PodPeer } from "./networkPolicy.ts";
import { type ResolvedContract, resolveContract } from "./resolve.ts";

/** A policy and what its reader should know about it. */
export interface RunnerPolicy {
  readonly policy: EgressNetworkPolicy;
  /** What the policy can't say in this network; one sentence each, in a fixed order. */
  readonly notices: readonly string[];
}

/**
 * Builds the runner's egress NetworkPolicy: one rule for each destination of the contract, in the order of
 * {@link ruleOrigins}. Everything else is denied. The same facts in any order give the same policy, byte for byte.
 *
 * @param further what else is wrong with a policy, said together with what was found before; not asked where a block can't
 *   be read. Default: nothing.
 * @throws {ProblemsError} with everything that is wrong with the contract or the facts.
 */
export function buildRunnerPolicy(
  contract: RunnerContract,
  facts: NetworkFacts,
  further: (policy: EgressNetworkPolicy, found: readonly Problem[]) => readonly Problem[] = () => [],
): RunnerPolicy {
  const resolved = resolveContract(contract, facts);
  const { problems, isComplete } = resolved;
  const built = policyOf(contract, facts, resolved);
  throwIfWrong("The runner's egress policy can't be built:", [
    ...problems,
    ...(isComplete ? further(built.policy, problems) : []),
  ]);
  return built;
}

function policyOf(contract: RunnerContract, facts: NetworkFacts, resolved: ResolvedContract): RunnerPolicy {
  const { database, cidrs, internet, excepts } = resolved;
  const { ipFamily } = facts.cluster;
  const egress: EgressRule[] = [
    ...inOrder(contract.services).map(({ namespace, podLabels, ports }) => ({
      to: [podPeer(namespace, podLabels)],
      ports: policyPorts(ports),
    })),
    ...(contract.database === undefined
      ? []
      : [{ to: database.map((cidr) => blockPeer(cidr)), ports: policyPorts(contract.database.ports) }]),
    ...inOrder(cidrs).map(({ cidrs, ports }) => ({
      to: leastSet(cidrs).map((cidr) => blockPeer(cidr)),
      ports: policyPorts(ports),
    })),
    ...(contract.internet === undefined
      ? []
      : [
          {
            to: internet.map(({ cidr, except }) => blockPeer(cidr, except)),
            ...(contract.internet.ports && { ports: policyPorts(contract.internet.ports) }),
          },
        ]),
  ];
  return {
    policy: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: contract.policyName, namespace: contract.namespace },
      spec: { podSelector: { matchLabels: sortedLabels(contract.podLabels) }, policyTypes: ["Egress"], egress },
    },
    notices: [
      ...(contract.internet !== undefined && contract.internet.ports === undefined ? publicDestinations(resolved) : []),
      ...(contract.internet === undefined ? [] : excepts.leftOut).map(
        ({ cidr, reason }) => `VPC block ${formatCidr(cidr)} is not excepted: ${reason}`,
      ),
      ...(contract.database !== undefined && ipFamily === "ipv6" && database.every(({ family }) => family === "ipv4")
        ? ["No database subnet has an IPv6 block, so the runners reach the database over IPv4, which nothing enforces"]
        : []),
    ],
  };
}

/**
 * The member of the contract from which each rule of the policy comes, by the rule's index, such as `services.dns` or
 * `internet`.
 */
export function ruleOrigins({ services, database, cidrs, internet }: RunnerContract): string[] {
  return [
    ...inOrder(services).map(({ name }) => `services.${name}`),
    ...(database === undefined ? [] : ["database"]),
    ...inOrder(cidrs).map(({ name }) => `cidrs.${name}`),
    ...(internet === undefined ? [] : ["internet"]),
  ];
}

/** KeeperHub's own destinations in the order of its manifests, then the others by name. */
function inOrder<Destination extends { readonly name: string }>(destinations: readonly Destination[]): Destination[] {
  const known = KEEPERHUB_CONTRACT.services.map(({ name }) => name);
  const rank = (name: string) => (known.includes(name) ? known.indexOf(name) : known.length);
  return [...destinations].sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** Destinations that the rule for the public internet allows on every port already. */
function publicDestinations({ ported, internet }: ResolvedContract): string[] {
  const isOpen = (cidr: Cidr) =>
    internet.some((block) => contains(block.cidr, cidr) && !block.except.some((except) => contains(except, cidr)));
  return ported
    .filter(({ cidr }) => isOpen(cidr))
    .map(
      ({ where, cidr }) =>
        `${where}: ${formatCidr(cidr)} is public internet, which the runners reach on every port anyway`,
    );
}

function podPeer(namespace: string, podLabels: Labels): PodPeer {
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } },
    podSelector: { matchLabels: sortedLabels(podLabels) },
  };
}

function blockPeer(cidr: Cidr, excepts?: readonly Cidr[]): BlockPeer {
  return { ipBlock: { cidr: formatCidr(cidr), ...(excepts?.length && { except: excepts.map(formatCidr) }) } };
}

function policyPorts(ports: readonly Ports[]): Ports[] {
  return ports
    .map(({ protocol, port, endPort }) => ({ protocol, port, ...(endPort !== undefined && { endPort }) }))
    .sort(comparePorts);
}

function comparePorts(a: Ports, b: Ports): number {
  return (
    a.port - b.port ||
    POLICY_PROTOCOLS.indexOf(a.protocol) - POLICY_PROTOCOLS.indexOf(b.protocol) ||
    (a.endPort ?? a.port) - (b.endPort ?? b.port)
  );
}

function sortedLabels(labels: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

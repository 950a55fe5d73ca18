import { type AddressFamily, formatAddress } from "./address.ts";
import { byFamily, nestedMap } from "./addressMap.ts";
import type { Inventory } from "./inventory.ts";
import { kubernetesPartition, kubernetesTerms } from "./kubernetes.ts";
import { appliesTo, type NetworkPolicy, type Sender } from "./networkPolicy.ts";
import {
  type Cell,
  type EgressAnalysis,
  type MapEntry,
  type Partition,
  partitionOf,
  uniformPartition,
} from "./normalForm.ts";
import { commonTable, portTable, uniformTable, withProtocol } from "./ports.ts";
import { PROTOCOLS } from "./protocol.ts";
import { everyPodAllowed, podGrants, selectorRegions, vpcCniPodGrants } from "./selectorRegions.ts";
import { leaksEveryPort, NEWEST_AGENT, protocolsOf, type Semantics, type VpcCniSemantics } from "./semantics.ts";
import { withServices } from "./serviceCells.ts";
import type { AddressTerm } from "./terms.ts";
import { agentMap } from "./vpcCniMap.ts";
import { slotVerdict } from "./vpcCniSlots.ts";
import { vpcCniTerms } from "./vpcCniTerms.ts";

/** What to compile besides the policies. */
export interface CompileOptions {
  readonly semantics: Semantics;
  /** The pod whose egress is asked for. */
  readonly source: Sender;
  /** Pods, Services and namespaces of the cluster. Default: peers given by labels stay symbolic. */
  readonly inventory?: Inventory;
}

/**
 * Compiles policies into the normal form. O(n log n) in the number of blocks and `except`s, unless thousands of rules
 * share one block.
 *
 * @throws {RangeError} if the agent version of `vpc-cni` semantics cannot be read, or its node is of the other family.
 */
export function compile(policies: readonly NetworkPolicy[], options: CompileOptions): EgressAnalysis {
  const { semantics, source, inventory } = options;
  if (
    semantics.name === "vpc-cni" &&
    semantics.nodeIp !== undefined &&
    semantics.nodeIp.family !== semantics.ipFamily
  ) {
    throw new RangeError(
      `nodeIp ${formatAddress(semantics.nodeIp)} is ${semantics.nodeIp.family}, but the cluster's family is ${semantics.ipFamily}; give the node's address of that family`,
    );
  }
  const selecting = [...policies.keys()].filter((index) => appliesTo(policies[index] as NetworkPolicy, source));
  const isolating = selecting.filter((index) => (policies[index] as NetworkPolicy).isolatesEgress);
  // The AWS controller emits egress rules whatever `policyTypes` says (amazon-network-policy-controller-k8s PR #229).
  const applying = semantics.name === "kubernetes" ? isolating : selecting;
  const terms =
    semantics.name === "kubernetes"
      ? kubernetesTerms(policies, applying, inventory)
      : vpcCniTerms(policies, applying, inventory);
  // A pod that nothing isolates stays open unless some rule is emitted; labels without an inventory may emit none.
  const emitsRules = terms.some(({ permissions }) => permissions.length > 0);
  const isolated = isolating.length > 0 || (semantics.name === "vpc-cni" && emitsRules);
  const parts = { semantics, policies, source, applying, inventory, podGrants: podGrants(policies, applying) };
  if (isolated) {
    return analyse(parts, terms);
  }
  const table = uniformTable("allow", protocolsOf(semantics));
  const mayEmit =
    semantics.name === "vpc-cni" &&
    inventory === undefined &&
    parts.podGrants.some(
      ({ place, permissions, namedPorts }) => place?.peer !== undefined && permissions.length + namedPorts.length > 0,
    );
  return {
    ...parts,
    isolated,
    ifIsolated: mayEmit ? analyse(parts, terms) : undefined,
    partitions: byFamily((family) => uniformPartition(family, { table, origin: { kind: "not-isolated" } })),
    selectors: [everyPodAllowed()],
    ofEveryHost: [],
    aborts: [],
  };
}

type Parts = Pick<EgressAnalysis, "semantics" | "policies" | "source" | "applying" | "inventory" | "podGrants">;

/** The analysis of a pod that is isolated. */
function analyse(parts: Parts, terms: readonly AddressTerm[]): EgressAnalysis {
  const { semantics, inventory } = parts;
  const common = { ...parts, isolated: true, ifIsolated: undefined };
  if (semantics.name === "kubernetes") {
    const matchesPods = semantics.ipBlockMatchesPods ?? true;
    const partitions = byFamily((family) =>
      withServices(kubernetesPartition(family, terms, inventory, matchesPods), inventory),
    );
    const analysis = { ...common, partitions, ofEveryHost: [], aborts: [] };
    return { ...analysis, selectors: selectorRegions(analysis) };
  }
  const { entries, refused, ofEveryHost } = agentMap(terms, semantics);
  const partitions = byFamily((family) => vpcCniPartition(family, semantics, entries, refused.length > 0));
  const grants = vpcCniPodGrants(
    parts.podGrants,
    partitions[semantics.ipFamily],
    ofEveryHost,
    leaksEveryPort(semantics.agentVersion ?? NEWEST_AGENT),
  );
  const analysis = { ...common, podGrants: grants, partitions, ofEveryHost, aborts: refused };
  return { ...analysis, selectors: selectorRegions(analysis) };
}

function vpcCniPartition(
  family: AddressFamily,
  { ipFamily }: VpcCniSemantics,
  entries: readonly MapEntry[],
  aborted: boolean,
): Partition {
  if (family !== ipFamily) {
    return uniformPartition(family, { table: uniformTable("allow", PROTOCOLS), origin: { kind: "other-family" } });
  }
  // Neighbour discovery has to work, so the IPv6 program passes ICMPv6 before it looks anything up.
  const finish = (table: ReturnType<typeof uniformTable>) =>
    family === "ipv6" ? withProtocol(table, "ICMPv6", "allow") : table;
  if (aborted) {
    const table = finish(uniformTable("order-dependent", PROTOCOLS));
    return uniformPartition(family, { table, origin: { kind: "aborted" } });
  }
  const denied = finish(uniformTable("deny", PROTOCOLS));
  const allowing = entries.filter(({ values }) => values.some(({ items }) => items.length > 0));
  const tables = new Map(allowing.map((entry) => [entry, finish(entryTable(entry))]));
  const cellOf = (entry?: MapEntry): Cell => ({
    table: (entry && tables.get(entry)) ?? denied,
    origin: { kind: "map-entry", entry },
  });
  return partitionOf(nestedMap(family, entries, cellOf(), (_, [longest]) => cellOf(longest)));
}

function entryTable({ values }: MapEntry): ReturnType<typeof uniformTable> {
  const tables = values.map((value) => portTable(value.items, PROTOCOLS, (matching) => slotVerdict(value, matching)));
  return tables.length === 1 ? (tables[0] as (typeof tables)[0]) : commonTable(tables);
}

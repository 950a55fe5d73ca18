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
import { commonTable, portTable, uniformTable, withPorts } from "./ports.ts";
import { PROTOCOLS } from "./protocol.ts";
import { EVERYTHING_BY_LABEL, podGrants, selectorRegions, vpcCniPodGrants } from "./selectorRegions.ts";
import { leaksEveryPort, protocolsOf, type Semantics, type VpcCniSemantics } from "./semantics.ts";
import { withServices } from "./serviceCells.ts";
import type { AddressTerm, PodGrant } from "./terms.ts";
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
  const grants = podGrants(policies, applying);
  const parts = { semantics, policies, source, applying, inventory };
  if (isolated) {
    return analyse({ ...parts, podGrants: grants }, terms);
  }
  const table = uniformTable("allow", protocolsOf(semantics));
  const mayEmit =
    semantics.name === "vpc-cni" &&
    inventory === undefined &&
    grants.some(
      ({ place, permissions, namedPorts }) => place?.peer !== undefined && permissions.length + namedPorts.length > 0,
    );
  return withSelectors({
    ...parts,
    isolated,
    ifIsolated: mayEmit ? analyse({ ...parts, podGrants: grants }, terms) : undefined,
    partitions: byFamily((family) => uniformPartition(family, { table, origin: { kind: "not-isolated" } })),
    podGrants: [EVERYTHING_BY_LABEL],
    ofEveryHost: [],
    aborts: [],
  });
}

type Parts = Pick<EgressAnalysis, "semantics" | "policies" | "source" | "applying" | "inventory" | "podGrants">;

/** The analysis of a pod that is isolated. */
function analyse(parts: Parts, terms: readonly AddressTerm[]): EgressAnalysis {
  const { semantics, inventory } = parts;
  const cut =
    semantics.name === "kubernetes"
      ? {
          partitions: byFamily((family) =>
            withServices(kubernetesPartition(family, terms, inventory, semantics), inventory),
          ),
        }
      : vpcCniParts(parts.podGrants, terms, semantics);
  return withSelectors({ ...parts, isolated: true, ifIsolated: undefined, ofEveryHost: [], aborts: [], ...cut });
}

function withSelectors(analysis: Omit<EgressAnalysis, "selectors">): EgressAnalysis {
  return { ...analysis, selectors: selectorRegions(analysis) };
}

/** What the agent makes of the rules that the controller emits. */
function vpcCniParts(grants: readonly PodGrant[], terms: readonly AddressTerm[], semantics: VpcCniSemantics) {
  const { entries, refused: aborts, ofEveryHost } = agentMap(terms, semantics);
  const partitions = byFamily((family) => vpcCniPartition(family, semantics, entries, aborts.length > 0));
  const isLeaking = leaksEveryPort(semantics.agentVersion);
  const podGrants = vpcCniPodGrants(grants, partitions[semantics.ipFamily], ofEveryHost, isLeaking);
  return { partitions, podGrants, ofEveryHost, aborts };
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
    family === "ipv6" ? withPorts(table, "ICMPv6", { verdict: "allow", grants: [] }) : table;
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

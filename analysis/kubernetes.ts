import type { AddressFamily } from "./address.ts";
import { ADDRESS_BITS } from "./address.ts";
import { type Cidr, contains, hostOf } from "./cidr.ts";
import type { Inventory } from "./inventory.ts";
import { type NetworkPolicy, POLICY_PROTOCOLS } from "./networkPolicy.ts";
import { type Cell, type ExceptedTerm, type Partition, partitionOf } from "./partition.ts";
import { anyGrantAllows, type PortTable, portTable } from "./ports.ts";
import { type AddressTerm, addressTerms, podPermissions, podTerms } from "./terms.ts";

/**
 * The peers as addresses, as Kubernetes resolves them: also the port names of a rule without `to`, which reaches every
 * pod. The AWS controller emits nothing for those.
 */
export function kubernetesTerms(
  policies: readonly NetworkPolicy[],
  applying: readonly number[],
  inventory: Inventory | undefined,
): AddressTerm[] {
  const terms = addressTerms(policies, applying, inventory);
  for (const policy of applying) {
    for (const [index, rule] of (policies[policy] as NetworkPolicy).egress.entries()) {
      const place = { policy, rule: index, peer: undefined };
      for (const pod of rule.to === undefined ? (inventory?.pods ?? []) : []) {
        const permissions = podPermissions(rule, place, pod).filter(({ grants }) =>
          grants.some(({ port }) => port !== undefined && rule.ports?.[port]?.name !== undefined),
        );
        terms.push(...(permissions.length === 0 ? [] : podTerms(place, pod, permissions)));
      }
    }
  }
  return terms;
}

/**
 * Cuts a family as Kubernetes specifies it: an address is reached by every peer whose block holds it and none of whose
 * own `except`s does, and a port is allowed if one of those peers' rules allows it.
 *
 * One sweep over the sorted ends of all blocks and `except`s. The set of peers that reach the current address is a state
 * of an automaton that is built as it goes, so that the thousand identical stretches between the `except`s of one rule
 * share one state and one port table.
 */
export function kubernetesPartition(
  family: AddressFamily,
  terms: readonly AddressTerm[],
  inventory: Inventory | undefined,
  ipBlockMatchesPods: boolean,
): Partition {
  const reachable = terms
    // A policy's selectors do not see the pods of the host network: their traffic is the node's (API reference).
    .filter((term) => term.cidr.family === family && term.pod?.hostNetwork !== true)
    .map((term) => ({ term, holes: holesOf(term, ipBlockMatchesPods ? undefined : inventory) }));
  return sweep(family, reachable);
}

/** A stretch inside a peer's block that the peer does not reach. */
interface Hole {
  readonly cidr: Cidr;
  readonly except: number | undefined;
}

interface Reach {
  readonly term: AddressTerm;
  readonly holes: readonly Hole[];
}

function holesOf(term: AddressTerm, leaveToSelectors: Inventory | undefined): Hole[] {
  const holes: Hole[] = term.excepts.map((cidr, except) => ({ cidr, except }));
  // A rule without `to` reaches pods too; only blocks are in doubt.
  if (term.pod === undefined && term.peer !== undefined) {
    for (const pod of leaveToSelectors?.pods ?? []) {
      for (const cidr of pod.hostNetwork ? [] : pod.addresses.map(hostOf)) {
        if (contains(term.cidr, cidr)) {
          holes.push({ cidr, except: undefined });
        }
      }
    }
  }
  return holes;
}

/** An end of a block (`hole` undefined) or of one of its holes. */
interface Edge {
  readonly at: bigint;
  readonly reach: number;
  readonly hole: number | undefined;
  readonly opens: boolean;
}

function edgesOf(reaches: readonly Reach[]): Edge[] {
  const edges: Edge[] = [];
  const add = (range: Cidr, reach: number, hole: number | undefined) => {
    edges.push({ at: range.first, reach, hole, opens: true }, { at: range.last + 1n, reach, hole, opens: false });
  };
  for (const [index, { term, holes }] of reaches.entries()) {
    add(term.cidr, index, undefined);
    for (const [hole, { cidr }] of holes.entries()) {
      add(cidr, index, hole);
    }
  }
  return edges.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** A set of peers that reach an address together; sets with the same members are the same state. */
interface State {
  readonly members: readonly number[];
  readonly terms: readonly AddressTerm[];
  readonly table: PortTable;
  readonly toggled: Map<number, State>;
}

function sweep(family: AddressFamily, reaches: readonly Reach[]): Partition {
  const states = new Map<string, State>();
  const stateOf = (members: readonly number[]): State => {
    const key = members.join();
    let state = states.get(key);
    if (state === undefined) {
      const terms = members.map((member) => (reaches[member] as Reach).term);
      const permissions = terms.flatMap((term) => term.permissions);
      const table = portTable(permissions, POLICY_PROTOCOLS, anyGrantAllows);
      state = { members, terms, table, toggled: new Map() };
      states.set(key, state);
    }
    return state;
  };
  const toggle = (state: State, member: number): State => {
    let next = state.toggled.get(member);
    if (next === undefined) {
      const { members } = state;
      next = stateOf(
        members.includes(member)
          ? members.filter((other) => other !== member)
          : [...members, member].sort((a, b) => a - b),
      );
      state.toggled.set(member, next);
    }
    return next;
  };

  const inBlock = new Uint8Array(reaches.length);
  const inHoles = new Map<number, Set<number>>();
  const reaching = (index: number) => inBlock[index] === 1 && !inHoles.has(index);
  const starts: bigint[] = [];
  const cells: Cell[] = [];
  const end = 1n << BigInt(ADDRESS_BITS[family]);
  const edges = edgesOf(reaches);
  let state = stateOf([]);
  let next = 0;
  for (let at = 0n; at < end; at = edges[next]?.at ?? end) {
    const before = new Map<number, boolean>();
    for (let edge = edges[next]; edge !== undefined && edge.at === at; edge = edges[++next]) {
      if (!before.has(edge.reach)) {
        before.set(edge.reach, reaching(edge.reach));
      }
      if (edge.hole === undefined) {
        inBlock[edge.reach] = edge.opens ? 1 : 0;
      } else {
        moveThroughHole(inHoles, edge.reach, edge.hole, edge.opens);
      }
    }
    for (const [index, reached] of before) {
      if (reached !== reaching(index)) {
        state = toggle(state, index);
      }
    }
    starts.push(at);
    cells.push({
      table: state.table,
      origin: { kind: "peers", terms: state.terms, excepted: exceptedAt(reaches, inHoles) },
    });
  }
  return partitionOf(family, starts, cells);
}

function moveThroughHole(inHoles: Map<number, Set<number>>, reach: number, hole: number, opens: boolean): void {
  const holes = inHoles.get(reach) ?? new Set();
  if (opens) {
    inHoles.set(reach, holes.add(hole));
    return;
  }
  holes.delete(hole);
  if (holes.size === 0) {
    inHoles.delete(reach);
  }
}

const NONE: readonly ExceptedTerm[] = [];

function exceptedAt(
  reaches: readonly Reach[],
  inHoles: ReadonlyMap<number, ReadonlySet<number>>,
): readonly ExceptedTerm[] {
  if (inHoles.size === 0) {
    return NONE;
  }
  const excepted: ExceptedTerm[] = [];
  for (const [reach, holes] of inHoles) {
    const { term, holes: all } = reaches[reach] as Reach;
    for (const hole of holes) {
      excepted.push({ term, except: (all[hole] as Hole).except });
    }
  }
  return excepted;
}

import type { AddressFamily } from "./address.ts";
import { nestedMap } from "./addressMap.ts";
import { type Cidr, contains, hostOf } from "./cidr.ts";
import type { Inventory } from "./inventory.ts";
import type { NetworkPolicy } from "./networkPolicy.ts";
import { type Cell, type Partition, partitionOf } from "./normalForm.ts";
import { anyGrantAllows, type PortTable, portTable } from "./ports.ts";
import { POLICY_PROTOCOLS } from "./protocol.ts";
import type { KubernetesSemantics } from "./semantics.ts";
import { type AddressTerm, addressTerms, type ExceptedTerm, podPermissions, podTerms, rulePeers } from "./terms.ts";

/**
 * The peers as addresses, as Kubernetes resolves them: also the port names of a rule without `to`, which reaches every
 * pod. The AWS controller emits nothing for those.
 */
export function kubernetesTerms(
  policies: readonly NetworkPolicy[],
  applying: readonly number[],
  inventory: Inventory | undefined,
): AddressTerm[] {
  const everywhere = rulePeers(policies, applying).filter(({ peer }) => peer === undefined);
  const byName = everywhere.flatMap(({ place, rule }) =>
    (inventory?.pods ?? []).flatMap((pod) => {
      const permissions = podPermissions(rule, place, pod).filter(({ grants }) =>
        grants.some(({ port }) => port !== undefined && rule.ports?.[port]?.name !== undefined),
      );
      return permissions.length === 0 ? [] : podTerms(place, pod, permissions);
    }),
  );
  return [...addressTerms(policies, applying, inventory), ...byName];
}

/**
 * Cuts a family as Kubernetes specifies it: an address is reached by every peer whose block holds it and none of whose
 * own `except`s does, and a port is allowed if one of those peers' rules allows it.
 */
export function kubernetesPartition(
  family: AddressFamily,
  terms: readonly AddressTerm[],
  inventory: Inventory | undefined,
  { ipBlockMatchesPods = true }: KubernetesSemantics,
): Partition {
  const edges = terms
    // A policy's selectors do not see the pods of the host network: their traffic is the node's (API reference).
    .filter(({ cidr, pod }) => cidr.family === family && pod?.hostNetwork !== true)
    .flatMap((term) => [
      { cidr: term.cidr, term, isHole: false, except: undefined },
      ...holesOf(term, ipBlockMatchesPods ? undefined : inventory),
    ]);
  const { inside, outside } = states(terms);
  const map = nestedMap<Edge, Inside>(family, edges, { state: outside, excepted: [] }, ({ state, excepted }, same) => {
    const holes = same.filter(({ isHole }) => isHole);
    return { state: inside(state, same), excepted: holes.length === 0 ? excepted : [...excepted, ...holes] };
  });
  const cells = map.cells.map(
    ({ state: { table, terms }, excepted }): Cell => ({ table, origin: { kind: "peers", terms, excepted } }),
  );
  return partitionOf({ ...map, cells });
}

/** A peer's block, or a part of it that the peer does not reach. */
interface Edge extends ExceptedTerm {
  readonly cidr: Cidr;
  readonly isHole: boolean;
}

function holesOf(term: AddressTerm, leaveToSelectors: Inventory | undefined): Edge[] {
  const hole = (cidr: Cidr, except: number | undefined): Edge => ({ cidr, term, isHole: true, except });
  // A rule without `to` reaches pods too; only blocks are in doubt.
  const isInDoubt = term.pod === undefined && term.peer !== undefined;
  const pods = isInDoubt ? (leaveToSelectors?.pods ?? []).filter(({ hostNetwork }) => !hostNetwork) : [];
  return [
    ...term.excepts.map(hole),
    ...pods
      .flatMap(({ addresses }) => addresses.map(hostOf))
      .filter((cidr) => contains(term.cidr, cidr))
      .map((cidr) => hole(cidr, undefined)),
  ];
}

/** What holds inside some blocks. */
interface Inside {
  readonly state: State;
  readonly excepted: readonly ExceptedTerm[];
}

/** Peers that reach an address together. */
interface State {
  readonly terms: readonly AddressTerm[];
  readonly table: PortTable;
  /** Peers that an `except` keeps away, whatever block comes inside it. */
  readonly holed: ReadonlySet<AddressTerm>;
  /** What follows inside further edges, by their text. */
  readonly next: Map<string, State>;
}

/**
 * Makes states, each once: the thousand identical stretches between the `except`s of one rule share one state and one
 * port table.
 */
function states(all: readonly AddressTerm[]) {
  const order = new Map(all.map((term, index) => [term, index]));
  const orderOf = (term: AddressTerm) => order.get(term) as number;
  const known = new Map<string, State>();
  const stateOf = (terms: readonly AddressTerm[], holed: ReadonlySet<AddressTerm>): State => {
    const key = `${terms.map(orderOf).join()} ${[...holed].map(orderOf).sort().join()}`;
    let state = known.get(key);
    if (state === undefined) {
      const table = portTable(
        terms.flatMap(({ permissions }) => permissions),
        POLICY_PROTOCOLS,
        anyGrantAllows,
      );
      state = { terms, table, holed, next: new Map() };
      known.set(key, state);
    }
    return state;
  };
  const inside = (around: State, edges: readonly Edge[]): State => {
    const key = edges.map(({ term, isHole }) => `${isHole ? "-" : ""}${orderOf(term)}`).join();
    let state = around.next.get(key);
    if (state === undefined) {
      const holed = new Set([...around.holed, ...edges.filter(({ isHole }) => isHole).map(({ term }) => term)]);
      const entered = edges.filter(({ isHole }) => !isHole).map(({ term }) => term);
      const terms = [...around.terms, ...entered].filter((term) => !holed.has(term));
      state = stateOf(
        terms.sort((a, b) => orderOf(a) - orderOf(b)),
        holed,
      );
      around.next.set(key, state);
    }
    return state;
  };
  return { inside, outside: stateOf([], new Set()) };
}

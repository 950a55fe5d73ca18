import type { Address, AddressFamily } from "./address.ts";
import { type AddressMap, uniformMap } from "./addressMap.ts";
import type { Cidr } from "./cidr.ts";
import type { Inventory, Service } from "./inventory.ts";
import type { NetworkPolicy, Sender } from "./networkPolicy.ts";
import type { Grant, PortGrant, PortTable } from "./ports.ts";
import type { Protocol } from "./protocol.ts";
import type { PodSet } from "./reach/podSets.ts";
import type { Semantics } from "./semantics.ts";
import type { AddressTerm, ExceptedTerm, NamedPortGrant, PodGrant } from "./terms.ts";
import type { Verdict } from "./verdict.ts";
import type { SlotItems } from "./vpcCniSlots.ts";

/** One packet's destination. */
export interface Point {
  readonly address: Address;
  readonly protocol: Protocol;
  /** 0 to 65535; 0 for protocols without ports. */
  readonly port: number;
}

/** Why the addresses of a cell have their table. */
export type CellOrigin =
  /** No policy isolates the pod. */
  | { readonly kind: "not-isolated" }
  /**
   * Under `kubernetes`: the peers that reach the addresses, and those that would without an `except`, or without one
   * (`undefined`) if blocks did not leave pod addresses to selectors.
   */
  | { readonly kind: "peers"; readonly terms: readonly AddressTerm[]; readonly excepted: readonly ExceptedTerm[] }
  /** Under `kubernetes`: the ClusterIP of a Service, and what the address would be without it. */
  | {
      readonly kind: "service";
      readonly service: Service;
      readonly points: readonly ServicePoint[];
      readonly base: Cell;
    }
  /** Under `vpc-cni`: the entry with the longest prefix, or none. */
  | { readonly kind: "map-entry"; readonly entry: MapEntry | undefined }
  /** Under `vpc-cni`: the agent lets packets of the family that is not the cluster's pass. */
  | { readonly kind: "other-family" }
  /** Under `vpc-cni`: the agent gives up on the policy, so what is loaded is whatever was loaded before. */
  | { readonly kind: "aborted" };

/**
 * A port of a Service, where its packets arrive, and the verdict there; `order-dependent` if the backends differ, or where
 * there is none.
 */
export interface ServicePoint {
  readonly protocol: Protocol;
  readonly port: number;
  readonly backends: readonly Point[];
  readonly verdict: Verdict;
  readonly grants: readonly Grant[];
}

/** Addresses that are judged alike for the same reasons. */
export interface Cell {
  readonly table: PortTable;
  readonly origin: CellOrigin;
}

/** All addresses of a family, cut into cells. */
export interface Partition extends AddressMap<Cell> {
  /** `starts` in the form that is fastest to search: IPv4 addresses fit a double exactly. */
  readonly index: Float64Array | readonly bigint[];
}

export function partitionOf({ family, starts, cells }: AddressMap<Cell>): Partition {
  return { family, starts, cells, index: family === "ipv4" ? new Float64Array(starts.map(Number)) : starts };
}

/** One cell for a whole family. */
export function uniformPartition(family: AddressFamily, cell: Cell): Partition {
  return partitionOf(uniformMap(family, cell));
}

/** Which cell holds an address. */
export function cellIndexAt(partition: Partition, address: Address): number {
  return address.family === "ipv4"
    ? lastNotAbove(partition.index as Float64Array, Number(address.value))
    : lastNotAbove(partition.index as readonly bigint[], address.value);
}

function lastNotAbove<T extends number | bigint>(sorted: ArrayLike<T>, value: T): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sorted[middle] as T) <= value) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/** One entry; a packet meets only the entry with the longest prefix. */
export interface MapEntry {
  readonly cidr: Cidr;
  /** More than one where two keys fall together: the agent writes one of them last, which one is random. */
  readonly values: readonly EntryValue[];
  /** The entry that the agent makes for its own node. */
  readonly isNode: boolean;
}

/** A block at which the agent gives up: a peer's own, or one of its `except`s, and why. */
export interface RefusedBlock extends ExceptedTerm {
  /** The kernel refuses the key, or the agent cannot parse the text. */
  readonly why: "key-too-long" | "unreadable";
}

/** What one entry may hold. */
export interface EntryValue extends SlotItems {
  /** The `except`s that made the entry deny. */
  readonly excepts: readonly ExceptedTerm[];
}

/**
 * What is allowed to reach pods by their labels, wherever they run. Never compared with addresses: which address a pod
 * has is known only with an inventory.
 */
export interface SelectorRegion {
  /** Equal exactly for equal sets of requirements, and what a person reads. */
  readonly text: string;
  readonly pods: PodSet;
  readonly table: PortTable;
  readonly namedPorts: readonly NamedPortGrant[];
}

/** What a set of policies lets one pod reach: the normal form that every question is put to. */
export interface EgressAnalysis {
  readonly semantics: Semantics;
  /** All policies given, in their order; the indices in explanations point here. */
  readonly policies: readonly NetworkPolicy[];
  readonly source: Sender;
  /** Indices of the policies whose egress rules count for the pod. */
  readonly applying: readonly number[];
  /** Whether anything is denied at all: a pod that no policy isolates may reach everything. */
  readonly isolated: boolean;
  /** Every address of each family, in disjoint cells. */
  readonly partitions: Readonly<Record<AddressFamily, Partition>>;
  /** Pods by label, sorted by text. */
  readonly selectors: readonly SelectorRegion[];
  readonly podGrants: readonly PodGrant[];
  readonly inventory: Inventory | undefined;
  /**
   * Under `vpc-cni`, for a pod that no policy isolates: what holds if the labels of some egress rule match anything. The
   * controller emits such rules whatever `policyTypes` says, and one emitted rule isolates the pod. `undefined`: nothing
   * depends on that.
   */
  readonly ifIsolated: EgressAnalysis | undefined;
  /** Under `vpc-cni`: port items that the entry of every pod holds besides its own. */
  readonly ofEveryHost: readonly PortGrant[];
  /**
   * Blocks at which the AWS agent gives up: it stops refreshing the map, so an old policy stays in force and a new pod
   * stays open (NPA#631, agent 1.3.7 and later). Every verdict of the cluster's family is then `order-dependent`.
   */
  readonly aborts: readonly RefusedBlock[];
}

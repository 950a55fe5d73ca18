import type { Address, AddressFamily } from "./address.ts";
import { type AddressMap, uniformMap } from "./addressMap.ts";
import type { Service } from "./inventory.ts";
import type { Point } from "./point.ts";
import type { Grant, PortTable, Protocol } from "./ports.ts";
import type { AddressTerm, ExceptedTerm } from "./terms.ts";
import type { Verdict } from "./verdict.ts";
import type { MapEntry } from "./vpcCniMap.ts";

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

import { ADDRESS_FAMILIES, type AddressFamily, LAST_ADDRESS } from "../address.ts";
import { type ChangeBox, fewestBoxes, tableChanges } from "../boxes.ts";
import { type AddressRange, compareRanges } from "../cidr.ts";
import type { Partition } from "../partition.ts";
import type { PortTable } from "../ports.ts";

/** All addresses of a family, cut into stretches that have one table of ports each. */
export interface TableMap {
  readonly family: AddressFamily;
  /** Ascending, the first is 0; stretch `i` ends before `starts[i + 1]`. */
  readonly starts: readonly bigint[];
  readonly tables: readonly PortTable[];
}

/** Both families. */
export type TableMaps = Readonly<Record<AddressFamily, TableMap>>;

export function tableMapOf({ family, starts, cells }: Partition): TableMap {
  return { family, starts, tables: cells.map(({ table }) => table) };
}

export function uniformMap(family: AddressFamily, table: PortTable): TableMap {
  return { family, starts: [0n], tables: [table] };
}

/** Where verdicts differ, as few boxes, by family, address and port. */
export function changedBoxes(before: TableMaps, after: TableMaps): ChangeBox[] {
  return ADDRESS_FAMILIES.flatMap((family) =>
    fewestBoxes(
      zip(before[family], after[family], tableChanges).flatMap(({ range, value }) =>
        value.length === 0 ? [] : [{ range, changes: value }],
      ),
    ),
  ).sort(
    (a, b) =>
      compareRanges(a.range, b.range) ||
      a.ports.from - b.ports.from ||
      (a.protocols.join() < b.protocols.join() ? -1 : 1),
  );
}

/** A stretch of addresses and what two maps make of it together. */
export interface Zipped<Value> {
  readonly range: AddressRange;
  readonly value: Value;
}

/**
 * Walks two maps side by side. `combine` is asked once for each pair of tables, and neighbours with the same result are
 * one stretch, so that thousands of `except`s of one rule cost one combination.
 */
export function zip<Value>(a: TableMap, b: TableMap, combine: (a: PortTable, b: PortTable) => Value): Zipped<Value>[] {
  const { family } = a;
  const memo = new Map<PortTable, Map<PortTable, Value>>();
  const combined = (left: PortTable, right: PortTable): Value => {
    const row = memo.get(left) ?? new Map<PortTable, Value>();
    memo.set(left, row);
    if (!row.has(right)) {
      row.set(right, combine(left, right));
    }
    return row.get(right) as Value;
  };
  const found: Zipped<Value>[] = [];
  const end = LAST_ADDRESS[family] + 1n;
  let first = 0n;
  let value: Value | undefined;
  for (let at = 0n, left = 0, right = 0; at < end; ) {
    const next = combined(a.tables[left] as PortTable, b.tables[right] as PortTable);
    if (at > 0n && next !== value) {
      found.push({ range: { family, first, last: at - 1n }, value: value as Value });
      first = at;
    }
    value = next;
    const [nextLeft, nextRight] = [a.starts[left + 1] ?? end, b.starts[right + 1] ?? end];
    at = nextLeft < nextRight ? nextLeft : nextRight;
    left += nextLeft === at ? 1 : 0;
    right += nextRight === at ? 1 : 0;
  }
  found.push({ range: { family, first, last: end - 1n }, value: value as Value });
  return found;
}

/** Both families, each made by itself. */
export function byFamily<Value>(make: (family: AddressFamily) => Value): Record<AddressFamily, Value> {
  const [ipv4, ipv6] = ADDRESS_FAMILIES.map(make) as [Value, Value];
  return { ipv4, ipv6 };
}

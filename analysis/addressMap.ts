import { ADDRESS_FAMILIES, type AddressFamily, LAST_ADDRESS } from "./address.ts";
import { type AddressRange, type Cidr, compareRanges } from "./cidr.ts";

/** All addresses of a family, cut into stretches: `starts[i]` to `starts[i + 1] - 1` is `cells[i]`. */
export interface AddressMap<Value> {
  readonly family: AddressFamily;
  /** Ascending, the first is 0. */
  readonly starts: readonly bigint[];
  readonly cells: readonly Value[];
}

/** A map of each family. */
export type AddressMaps<Value> = Readonly<Record<AddressFamily, AddressMap<Value>>>;

/** Both families, each made by itself. */
export function byFamily<Value>(make: (family: AddressFamily) => Value): Record<AddressFamily, Value> {
  const [ipv4, ipv6] = ADDRESS_FAMILIES.map(make) as [Value, Value];
  return { ipv4, ipv6 };
}

/** One value for a whole family. */
export function uniformMap<Value>(family: AddressFamily, value: Value): AddressMap<Value> {
  return { family, starts: [0n], cells: [value] };
}

/** The addresses of a cell. */
export function cellRange(
  { family, starts }: Pick<AddressMap<unknown>, "family" | "starts">,
  index: number,
): AddressRange {
  const next = starts[index + 1];
  return { family, first: starts[index] as bigint, last: next === undefined ? LAST_ADDRESS[family] : next - 1n };
}

/**
 * Cuts a family along blocks, of which any two are disjoint or one inside the other. Blocks that are the same are entered
 * together.
 *
 * @param outside the value where no block is
 * @param enter makes the value inside a block from the one around it
 */
export function nestedMap<Item extends { readonly cidr: Cidr }, Value>(
  family: AddressFamily,
  items: readonly Item[],
  outside: Value,
  enter: (around: Value, same: readonly Item[]) => Value,
): AddressMap<Value> {
  const starts: bigint[] = [];
  const cells: Value[] = [];
  const open = [{ last: LAST_ADDRESS[family], value: outside }];
  let cursor = 0n;
  const fillTo = (end: bigint) => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.last < end ? top.last + 1n : end;
      if (cursor < next) {
        starts.push(cursor);
        cells.push(top.value);
        cursor = next;
      }
      if (top.last >= end) {
        return;
      }
      open.pop();
    }
  };
  const sorted = [...items].sort((a, b) => compareRanges(a.cidr, b.cidr));
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const { cidr } = sorted[from] as Item;
    while (sorted[to]?.cidr.first === cidr.first && sorted[to]?.cidr.last === cidr.last) {
      to += 1;
    }
    fillTo(cidr.first);
    open.push({ last: cidr.last, value: enter((open.at(-1) as (typeof open)[0]).value, sorted.slice(from, to)) });
  }
  fillTo(LAST_ADDRESS[family] + 1n);
  return { family, starts, cells };
}

/**
 * Puts two maps on each other. `combine` is asked once for each pair of values, and neighbours with the same result are
 * one stretch, so that thousands of `except`s of one rule cost one combination.
 */
export function zip<A, B, Value>(
  a: AddressMap<A>,
  b: AddressMap<B>,
  combine: (a: A, b: B) => Value,
): AddressMap<Value> {
  const { family } = a;
  const memo = new Map<A, Map<B, Value>>();
  const combined = (left: A, right: B): Value => {
    const row = memo.get(left) ?? new Map<B, Value>();
    memo.set(left, row);
    if (!row.has(right)) {
      row.set(right, combine(left, right));
    }
    return row.get(right) as Value;
  };
  const starts: bigint[] = [];
  const cells: Value[] = [];
  const end = LAST_ADDRESS[family] + 1n;
  for (let at = 0n, left = 0, right = 0; at < end; ) {
    const value = combined(a.cells[left] as A, b.cells[right] as B);
    if (at === 0n || value !== cells.at(-1)) {
      starts.push(at);
      cells.push(value);
    }
    const [nextLeft, nextRight] = [a.starts[left + 1] ?? end, b.starts[right + 1] ?? end];
    at = nextLeft < nextRight ? nextLeft : nextRight;
    left += nextLeft === at ? 1 : 0;
    right += nextRight === at ? 1 : 0;
  }
  return { family, starts, cells };
}

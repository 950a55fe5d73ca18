import { ADDRESS_FAMILIES } from "./address.ts";
import { type AddressRange, compareRanges, wholeFamily } from "./cidr.ts";

/** Addresses of both families as disjoint ranges with gaps between them, IPv4 first, ascending. */
export type RangeSet = readonly AddressRange[];

/** Joins ranges that overlap or touch. */
export function rangeSet(ranges: readonly AddressRange[]): RangeSet {
  const joined: AddressRange[] = [];
  for (const { family, first, last } of [...ranges].sort(compareRanges)) {
    const previous = joined.at(-1);
    if (previous !== undefined && previous.family === family && first <= previous.last + 1n) {
      joined[joined.length - 1] = { ...previous, last: last > previous.last ? last : previous.last };
    } else {
      joined.push({ family, first, last });
    }
  }
  return joined;
}

/** What is in `set` and in none of `removed`. */
export function subtract(set: RangeSet, removed: readonly AddressRange[]): RangeSet {
  const holes = rangeSet(removed);
  return set.flatMap(({ family, first, last }) => {
    const left: AddressRange[] = [];
    let next = first;
    for (const hole of holes) {
      if (hole.family === family && hole.last >= next && hole.first <= last) {
        if (hole.first > next) {
          left.push({ family, first: next, last: hole.first - 1n });
        }
        next = hole.last + 1n;
      }
    }
    return next <= last ? [...left, { family, first: next, last }] : left;
  });
}

/** Every address there is. */
export function wholeFamilies(): RangeSet {
  return ADDRESS_FAMILIES.map(wholeFamily);
}

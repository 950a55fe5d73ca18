import type { AddressFamily } from "../../analysis/address.ts";
import { type Cidr, cidrKey, compareRanges, contains, wholeFamily } from "../../analysis/cidr.ts";
import type { EgressAnalysis } from "../../analysis/compile.ts";
import type { NamedAddresses } from "../../analysis/names.ts";
import { SPECIAL_PURPOSE_BLOCKS } from "../../analysis/specialPurpose.ts";

/** A block that somebody names, and the named blocks inside it. */
export interface BlockNode {
  readonly cidr: Cidr;
  readonly children: readonly BlockNode[];
}

/**
 * The blocks of a family that policies, registries or the caller name, nested. Rows of the registries that nothing else
 * cuts into are left out where they lie inside another.
 */
export function blockTree(
  family: AddressFamily,
  analyses: readonly EgressAnalysis[],
  names: readonly NamedAddresses[],
): BlockNode {
  const blocks = new Map<ReturnType<typeof cidrKey>, Cidr>();
  const add = (cidr: Cidr) => {
    if (cidr.family === family && cidr.prefixLength > 0) {
      blocks.set(cidrKey(cidr), cidr);
    }
  };
  for (const { policies, applying } of analyses) {
    for (const index of applying) {
      for (const peer of policies[index]?.egress.flatMap(({ to }) => to ?? []) ?? []) {
        if (peer.kind === "ipBlock") {
          add(peer.cidr);
          peer.excepts.forEach(add);
        }
      }
    }
  }
  names.forEach(({ cidr }) => {
    add(cidr);
  });
  const registry = SPECIAL_PURPOSE_BLOCKS.map(({ cidr }) => cidr);
  for (const cidr of registry) {
    if (!registry.some((other) => other !== cidr && contains(other, cidr))) {
      add(cidr);
    }
  }
  const sorted = [...blocks.values()].sort(compareRanges);
  return nest(wholeFamily(family), sorted);
}

/** `inside` is sorted and lies in `cidr`. */
function nest(cidr: Cidr, inside: readonly Cidr[]): BlockNode {
  const children: BlockNode[] = [];
  for (let index = 0; index < inside.length; ) {
    const child = inside[index] as Cidr;
    let end = index + 1;
    while (end < inside.length && contains(child, inside[end] as Cidr)) {
      end += 1;
    }
    children.push(nest(child, inside.slice(index + 1, end)));
    index = end;
  }
  return { cidr, children };
}

/** The first address of a block that is in none of its children; `undefined` where they cover it. */
export function ownAddress({ cidr, children }: BlockNode): bigint | undefined {
  let next = cidr.first;
  for (const { cidr: child } of children) {
    if (next < child.first) {
      return next;
    }
    next = child.last + 1n;
  }
  return next <= cidr.last ? next : undefined;
}

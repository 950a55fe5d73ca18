import type { AddressFamily } from "../../analysis/address.ts";
import { type Cidr, cidrKey, compareRanges, contains, wholeFamily } from "../../analysis/cidr.ts";
import type { NamedAddresses } from "../../analysis/names.ts";
import type { EgressAnalysis } from "../../analysis/normalForm.ts";
import { SPECIAL_PURPOSE_BLOCKS } from "../../analysis/specialPurpose.ts";

/** A block that somebody names, and the named blocks inside it. */
export interface BlockNode {
  readonly cidr: Cidr;
  readonly children: readonly BlockNode[];
}

/** The caller's blocks of a family, then those of the policies, then the registries', each once and each part in order. */
export function namedBlocks(
  family: AddressFamily,
  analyses: readonly EgressAnalysis[],
  names: readonly NamedAddresses[],
): Cidr[] {
  const written = analyses
    .flatMap(({ policies, applying }) => applying.flatMap((index) => policies[index]?.egress ?? []))
    .flatMap(({ to }) => to ?? [])
    .flatMap((peer) => (peer.kind === "ipBlock" ? [peer.cidr, ...peer.excepts] : []));
  const registry = SPECIAL_PURPOSE_BLOCKS.map(({ cidr }) => cidr);
  // A row of a registry inside another one says little, unless something else names it too.
  const outermost = registry.filter((cidr) => !registry.some((other) => other !== cidr && contains(other, cidr)));
  const all = [names.map(({ cidr }) => cidr), written, outermost]
    .flatMap((part) => [...part].sort(compareRanges))
    .filter((cidr) => cidr.family === family && cidr.prefixLength > 0);
  return [...new Map(all.map((cidr) => [cidrKey(cidr), cidr])).values()];
}

/** {@link namedBlocks} nested in the whole family. */
export function blockTree(...named: Parameters<typeof namedBlocks>): BlockNode {
  return nest(wholeFamily(named[0]), namedBlocks(...named).sort(compareRanges));
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

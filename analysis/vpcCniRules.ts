import type { AddressFamily } from "./address.ts";
import { type Cidr, cidrAt, cidrKey } from "./cidr.ts";
import { writtenPrefixLength } from "./policyCidr.ts";
import type { Grant, PortGrant } from "./ports.ts";
import type { AddressTerm } from "./terms.ts";
import { slotKey } from "./vpcCniSlots.ts";

/** A block with the items of all rules that have it, and of those that it inherits from. */
export interface Draft {
  readonly cidr: Cidr;
  readonly items: Map<string, PortGrant>;
  readonly lists?: readonly (readonly PortGrant[])[];
  /** The joined `except`s. */
  readonly excepts: BlockIndex<true>;
}

/** Drafts by the text or the number that tells blocks apart. */
export type Drafts = Map<ReturnType<typeof cidrKey>, Draft>;

/**
 * Merges rules block by block, broad first, as the agent does: a block starts with the items of all wider ones that are
 * already there, unless its first address lies in one of the wider block's `except`s, however narrow that is.
 */
export function mergeRules(rules: readonly AddressTerm[], keyOf: typeof cidrKey): Drafts {
  return merge(rules, keyOf, ({ excepts }, created) => excepts.holding(created).length === 0);
}

/** The same for agents up to 1.2.3: inheritance ignores `except`s, and `/0` gives its items to every other block. */
export function mergeRulesLeaking(
  rules: readonly AddressTerm[],
  emitted: readonly AddressTerm[],
  ipFamily: AddressFamily,
  keyOf: typeof cidrKey,
): Drafts {
  const drafts = merge(
    rules.filter(({ cidr }) => cidr.prefixLength > 0),
    keyOf,
    () => true,
  );
  // An IPv4 cluster ignores `::/0`, an IPv6 cluster takes `0.0.0.0/0` for its own.
  const wide = emitted.filter(({ cidr }) => cidr.prefixLength === 0 && (ipFamily === "ipv6" || cidr.family === "ipv4"));
  if (wide.length === 0) {
    return drafts;
  }
  const everywhere = draft(cidrAt(ipFamily, 0n, 0));
  for (const term of wide) {
    addRule(everywhere, term);
  }
  const anyProtocol = [...everywhere.items.entries()].filter(([, { protocol }]) => protocol === "any");
  const isOpen = anyProtocol.length > 0;
  // An item for every protocol is written first, so with one nothing is left to chance.
  const given = isOpen ? { ...everywhere, items: new Map(anyProtocol) } : everywhere;
  for (const narrower of drafts.values()) {
    if (isOpen) {
      narrower.items.clear();
    }
    inherit(narrower, given);
  }
  const lists = wide.map(({ permissions }) => permissions);
  drafts.set(cidrKey(given.cidr), isOpen ? given : { ...given, lists });
  return drafts;
}

function merge(
  rules: readonly AddressTerm[],
  keyOf: typeof cidrKey,
  passesOn: (donor: Draft, created: Cidr) => boolean,
): Drafts {
  const drafts: Drafts = new Map();
  const donors = new BlockIndex<readonly Draft[]>();
  // By the prefix length as it is written, which puts mapped blocks last.
  for (const term of [...rules].sort((a, b) => writtenPrefixLength(a.cidr) - writtenPrefixLength(b.cidr))) {
    const key = keyOf(term.cidr);
    let merged = drafts.get(key);
    if (merged === undefined) {
      merged = draft(term.cidr);
      // Those that hold the first address: narrower ones, too, where a mapped block comes late.
      for (const donor of donors.holding(term.cidr).flat()) {
        if (passesOn(donor, term.cidr)) {
          inherit(merged, donor);
        }
      }
      drafts.set(key, merged);
      if (!isHostPrefix(term.cidr)) {
        donors.set(term.cidr, [...(donors.get(term.cidr) ?? []), merged]);
      }
    }
    addRule(merged, term);
  }
  return drafts;
}

/** The agent tells hosts by the text of the prefix length, so an IPv6 /32 counts as one and passes nothing on. */
function isHostPrefix({ prefixLength }: Cidr): boolean {
  return prefixLength === 32 || prefixLength === 128;
}

function draft(cidr: Cidr): Draft {
  return { cidr, items: new Map(), excepts: new BlockIndex() };
}

function addRule(target: Draft, term: AddressTerm): void {
  for (const permission of term.permissions) {
    addItem(target, permission, permission.grants);
  }
  for (const except of term.excepts) {
    target.excepts.set(except, true);
  }
}

function inherit(target: Draft, donor: Draft): void {
  for (const item of donor.items.values()) {
    addItem(
      target,
      item,
      item.grants.map((grant): Grant => ({ ...grant, through: donor.cidr })),
    );
  }
}

function addItem(target: Draft, permission: PortGrant, grants: readonly Grant[]): void {
  const key = slotKey(permission);
  const known = target.items.get(key);
  target.items.set(key, { ...permission, grants: [...(known?.grants ?? []), ...grants] });
}

/** Values of blocks, found by the address that they hold. */
class BlockIndex<Value> {
  private readonly byLength = new Map<number, Map<bigint, Value>>();

  get isEmpty(): boolean {
    return this.byLength.size === 0;
  }

  get({ prefixLength, first }: Cidr): Value | undefined {
    return this.byLength.get(prefixLength)?.get(first);
  }

  set({ prefixLength, first }: Cidr, value: Value): void {
    const known = this.byLength.get(prefixLength) ?? new Map<bigint, Value>();
    this.byLength.set(prefixLength, known.set(first, value));
  }

  /** The values of the blocks that hold the first address of another. */
  holding({ family, first }: Cidr): Value[] {
    return [...this.byLength].flatMap(([length, values]) => values.get(cidrAt(family, first, length).first) ?? []);
  }
}

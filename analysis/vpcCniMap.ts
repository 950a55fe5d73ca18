import { ADDRESS_BITS, type AddressFamily } from "./address.ts";
import { type Cidr, cidrAt, cidrKey } from "./cidr.ts";
import { EVERY_PORT } from "./networkPolicy.ts";
import type { Grant, PortGrant } from "./ports.ts";
import { leaksEveryPort, NEWEST_AGENT, type VpcCniSemantics } from "./semantics.ts";
import type { AddressTerm } from "./terms.ts";
import type { Verdict } from "./verdict.ts";

/**
 * The map that the AWS network policy agent gives to its eBPF program: what its rule compiler makes of all egress rules
 * of a pod (`pkg/fwruleprocessor` of aws-network-policy-agent, read at 4588cb0 and later; docs/semantics.md).
 */

/** Protocol-and-port slots of one entry (`MAX_PORT_PROTOCOL` of the eBPF program, agent 1.0 to 1.4). */
export const PORT_SLOTS = 24;

/** An `except` that became an entry: the peer and the index in its `except`. */
export interface ExceptPlace {
  readonly term: AddressTerm;
  readonly except: number;
}

/** What one entry may hold. */
export interface EntryValue {
  /** Unique items; at most {@link PORT_SLOTS} of them fit, and which do is random. Empty for an entry that denies all. */
  readonly items: readonly PortGrant[];
  /** The `except`s that made the entry deny. */
  readonly excepts: readonly ExceptPlace[];
}

/** One entry; a packet meets only the entry with the longest prefix. */
export interface MapEntry {
  readonly cidr: Cidr;
  /** More than one where two keys fall together: the agent writes one of them last, which one is random. */
  readonly values: readonly EntryValue[];
  /** The entry that the agent makes for its own node. */
  readonly isNode: boolean;
}

/** The compiled map, and the `except`s that the kernel refuses as keys, upon which the agent stops refreshing the map. */
export interface AgentMap {
  readonly entries: readonly MapEntry[];
  readonly refused: readonly ExceptPlace[];
}

/** A block while rules are being merged. */
interface Draft {
  readonly cidr: Cidr;
  readonly items: Map<string, PortGrant>;
  /** Network addresses of the joined `except`s by prefix length. */
  readonly excepts: Map<number, Set<bigint>>;
}

/** Compiles rules as the agent does. */
export function agentMap(terms: readonly AddressTerm[], semantics: VpcCniSemantics): AgentMap {
  const { ipFamily, nodeIp } = semantics;
  const leaking = leaksEveryPort(semantics.agentVersion ?? NEWEST_AGENT);
  // A rule without a numeric port is never emitted (`ports` with names only).
  const emitted = terms.filter((term) => term.permissions.length > 0);
  const isSkipped = ({ cidr }: AddressTerm) =>
    cidr.family !== ipFamily || (nodeIp !== undefined && nodeIp.family === ipFamily && cidr.first === nodeIp.value);
  const rules = emitted.filter((term) => !isSkipped(term));
  const drafts = leaking ? leakingDrafts(rules, emitted, ipFamily) : currentDrafts(rules);
  // Since 1.2.4 the `except`s of skipped rules count, those of the other family included.
  return withExcepts(drafts, leaking ? rules : emitted, semantics);
}

/** Broad first; the order within one prefix length does not matter, because such blocks are equal or disjoint. */
function broadFirst(rules: readonly AddressTerm[]): AddressTerm[] {
  return [...rules].sort((a, b) => a.cidr.prefixLength - b.cidr.prefixLength);
}

function currentDrafts(rules: readonly AddressTerm[]): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const donors = new Donors();
  for (const term of broadFirst(rules)) {
    const draft = draftOf(drafts, term.cidr, (created) => {
      for (const donor of donors.containing(created.cidr)) {
        if (!isExcepted(donor, created.cidr.first)) {
          inherit(created, donor);
        }
      }
      if (!isHostPrefix(created.cidr)) {
        donors.add(created);
      }
    });
    addRule(draft, term);
  }
  return drafts;
}

/** Agents up to 1.2.3: `/0` gives its ports to every block, and inheritance ignores `except`s. */
function leakingDrafts(
  rules: readonly AddressTerm[],
  emitted: readonly AddressTerm[],
  ipFamily: AddressFamily,
): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const donors = new Donors();
  // An IPv4 cluster ignores `::/0`, an IPv6 cluster takes `0.0.0.0/0` for its own.
  const wide = emitted.filter(({ cidr }) => cidr.prefixLength === 0 && (ipFamily === "ipv6" || cidr.family === "ipv4"));
  const everywhere = draft(cidrAt(ipFamily, 0n, 0));
  for (const term of wide) {
    addRule(everywhere, term);
  }
  for (const term of broadFirst(rules.filter(({ cidr }) => cidr.prefixLength > 0))) {
    const merged = draftOf(drafts, term.cidr, (created) => {
      for (const donor of donors.containing(created.cidr)) {
        inherit(created, donor);
      }
      if (!isHostPrefix(created.cidr)) {
        donors.add(created);
      }
    });
    addRule(merged, term);
  }
  const allowsAll = [...everywhere.items.values()].some(({ protocol }) => protocol === "any");
  for (const narrower of drafts.values()) {
    if (allowsAll) {
      narrower.items.clear();
    }
    inherit(narrower, everywhere);
  }
  if (wide.length > 0) {
    drafts.set(cidrKey(everywhere.cidr), everywhere);
  }
  return drafts;
}

/** Adds the entries that are not rules: the node's, and a denial for each `except` that is no rule's block. */
function withExcepts(
  drafts: ReadonlyMap<string, Draft>,
  rules: readonly AddressTerm[],
  { ipFamily, nodeIp }: VpcCniSemantics,
): AgentMap {
  const byKey = new Map<string, { cidr: Cidr; values: EntryValue[] }>();
  const put = (cidr: Cidr, value: EntryValue) => {
    const key = cidrKey(cidr);
    const entry = byKey.get(key) ?? { cidr, values: [] };
    entry.values.push(value);
    byKey.set(key, entry);
  };
  for (const { cidr, items } of drafts.values()) {
    put(cidr, { items: [...items.values()], excepts: [] });
  }
  const refused: ExceptPlace[] = [];
  for (const [text, places] of exceptPlaces(rules)) {
    if (drafts.has(text)) {
      continue;
    }
    const { term, except } = places[0] as ExceptPlace;
    const key = keyIn(ipFamily, term.excepts[except] as Cidr);
    if (key === undefined) {
      refused.push(...places);
    } else {
      put(key, { items: [], excepts: places });
    }
  }
  const entries: MapEntry[] = [...byKey.values()].map((entry) => ({ ...entry, isNode: false }));
  if (nodeIp !== undefined && nodeIp.family === ipFamily) {
    const cidr = cidrAt(ipFamily, nodeIp.value, ADDRESS_BITS[ipFamily]);
    // Written first, so any other entry with its key replaces it.
    if (!byKey.has(cidrKey(cidr))) {
      const everything: PortGrant = { protocol: "any", range: EVERY_PORT, grants: [] };
      entries.push({ cidr, values: [{ items: [everything], excepts: [] }], isNode: true });
    }
  }
  return { entries, refused };
}

function exceptPlaces(rules: readonly AddressTerm[]): Map<string, ExceptPlace[]> {
  const places = new Map<string, ExceptPlace[]>();
  for (const term of rules) {
    for (const [except, cidr] of term.excepts.entries()) {
      const text = cidrKey(cidr);
      const known = places.get(text);
      if (known === undefined) {
        places.set(text, [{ term, except }]);
      } else {
        known.push({ term, except });
      }
    }
  }
  return places;
}

/**
 * The key that the agent writes for an `except`. One of the other family is written with its prefix length and its first
 * four bytes; `undefined` where the kernel refuses that, because the prefix is longer than an IPv4 key.
 */
function keyIn(ipFamily: AddressFamily, except: Cidr): Cidr | undefined {
  if (except.family === ipFamily) {
    return except;
  }
  if (except.prefixLength > ADDRESS_BITS.ipv4) {
    return undefined;
  }
  return ipFamily === "ipv4"
    ? cidrAt("ipv4", except.first >> 96n, except.prefixLength)
    : cidrAt("ipv6", except.first << 96n, except.prefixLength);
}

/** The agent tells hosts by the text of the prefix length, so an IPv6 /32 counts as one and passes nothing on. */
function isHostPrefix({ prefixLength }: Cidr): boolean {
  return prefixLength === 32 || prefixLength === 128;
}

function draft(cidr: Cidr): Draft {
  return { cidr, items: new Map(), excepts: new Map() };
}

function draftOf(drafts: Map<string, Draft>, cidr: Cidr, onCreate: (created: Draft) => void): Draft {
  const key = cidrKey(cidr);
  let known = drafts.get(key);
  if (known === undefined) {
    known = draft(cidr);
    drafts.set(key, known);
    onCreate(known);
  }
  return known;
}

function addRule(target: Draft, term: AddressTerm): void {
  for (const permission of term.permissions) {
    addItem(target, permission, permission.grants);
  }
  for (const { prefixLength, first } of term.excepts) {
    const known = target.excepts.get(prefixLength);
    if (known === undefined) {
      target.excepts.set(prefixLength, new Set([first]));
    } else {
      known.add(first);
    }
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
  const { protocol, range, endPort } = permission;
  // The agent tells items apart by protocol, port and endPort: 80 and 80-80 take a slot each.
  const key = `${protocol} ${range.from} ${endPort ?? ""}`;
  const known = target.items.get(key);
  target.items.set(key, { ...permission, grants: [...(known?.grants ?? []), ...grants] });
}

/** Whether a network address lies in one of the joined `except`s of a block, however narrow the `except` is. */
function isExcepted({ cidr, excepts }: Draft, address: bigint): boolean {
  for (const [prefixLength, firsts] of excepts) {
    if (firsts.has(cidrAt(cidr.family, address, prefixLength).first)) {
      return true;
    }
  }
  return false;
}

/** The blocks that pass their ports on, by prefix length. */
class Donors {
  private readonly byLength = new Map<number, Map<bigint, Draft>>();

  add(donor: Draft): void {
    const { prefixLength, first } = donor.cidr;
    const known = this.byLength.get(prefixLength) ?? new Map<bigint, Draft>();
    this.byLength.set(prefixLength, known.set(first, donor));
  }

  containing({ family, first, prefixLength }: Cidr): Draft[] {
    const found: Draft[] = [];
    for (const [length, donors] of this.byLength) {
      const donor = length < prefixLength ? donors.get(cidrAt(family, first, length).first) : undefined;
      if (donor !== undefined) {
        found.push(donor);
      }
    }
    return found;
  }
}

/**
 * The verdict of one entry's slots for a packet that `matching` of its items match: certain where the items that do not
 * match cannot fill all slots.
 */
export function slotVerdict({ items }: EntryValue, matching: number): Verdict {
  if (matching === 0) {
    return "deny";
  }
  return items.length - matching < PORT_SLOTS ? "allow" : "order-dependent";
}

import { BITS, type Block, type Family, holds, readAddress, readBlock, writeBlock } from "./addresses.ts";
import type { EmittedRule, PortItem } from "./vpcCniController.ts";

/** One value that the agent may write under a key. */
export type Entry =
  | { readonly kind: "allow" }
  | { readonly kind: "deny" }
  /** Different items, of which a random choice gets the slots. */
  | { readonly kind: "items"; readonly items: readonly PortItem[] }
  /** Whole lists one after the other in any order, duplicates and all, of which the first items get the slots. */
  | { readonly kind: "lists"; readonly lists: readonly (readonly PortItem[])[] };

/** A key of the agent's map; with several entries, the order of a Go map decides which one stays. */
export interface Key {
  readonly block: Block;
  readonly entries: Entry[];
}

export interface AgentOptions {
  readonly ipFamily: Family;
  readonly nodeIp?: string | undefined;
  /** `legacy` is network policy agent 1.2.3 and older, `textual` 1.2.4 to 1.4.1, `current` every later one. */
  readonly agent: "current" | "textual" | "legacy";
}

export const ANY_PROTOCOL = "any";

const ANY: PortItem = { protocol: ANY_PROTOCOL, port: 0, endPort: 0 };

/** The agent's map for a pod: what is written for a list of rules, step by step as the agent does it. */
export function agentMap(rules: readonly EmittedRule[], options: AgentOptions): readonly Key[] {
  const sorted = rules.toSorted((a, b) => lengthOf(a.cidr) - lengthOf(b.cidr));
  const keys = options.agent === "legacy" ? legacyKeys(sorted, options) : currentKeys(sorted, options);
  // The node's entry is written first of all, so that any other entry under its key replaces it.
  if (options.nodeIp !== undefined) {
    const node = readBlock(`${options.nodeIp}/${BITS[options.ipFamily]}`);
    if (find(keys, node) === undefined) {
      keys.push({ block: node, entries: [{ kind: "allow" }] });
    }
  }
  return keys;
}

interface Compiled {
  readonly cidr: string;
  ports: readonly PortItem[];
  except: readonly string[];
}

function currentKeys(rules: readonly EmittedRule[], options: AgentOptions): Key[] {
  // From 1.4.2 on a block is known by its canonical text, whatever the policy has; before, by the policy's own.
  const known = (text: string) => (options.agent === "textual" ? text : writeBlock(readBlock(text)));
  const compiled: Compiled[] = [];
  const excepts = new Set<string>();
  for (const written of rules) {
    for (const except of written.except) {
      excepts.add(known(except));
    }
    const rule = { ...written, cidr: known(written.cidr) };
    if (isSkipped(rule, options)) {
      continue;
    }
    const ports = rule.ports.length === 0 ? [ANY] : rule.ports;
    const same = compiled.find(({ cidr }) => cidr === rule.cidr);
    if (same !== undefined) {
      same.ports = [...same.ports, ...ports];
      same.except = [...same.except, ...rule.except];
      continue;
    }
    const inherited = compiled.filter((donor) => donates(donor, rule.cidr)).flatMap((donor) => donor.ports);
    compiled.push({ cidr: rule.cidr, ports: [...ports, ...inherited], except: rule.except });
  }
  const written: { readonly cidr: string; readonly entry: Entry }[] = compiled.map(({ cidr, ports }) => ({
    cidr,
    entry: { kind: "items", items: unique(ports) },
  }));
  for (const except of excepts) {
    if (!compiled.some(({ cidr }) => cidr === except)) {
      written.push({ cidr: except, entry: { kind: "deny" } });
    }
  }
  // The agent goes through a Go map here: of two entries under one key, either may be the last.
  const keys: Key[] = [];
  for (const { cidr, entry } of written) {
    const block = keyOf(readBlock(cidr), options.ipFamily);
    const key = find(keys, block);
    if (key === undefined) {
      keys.push({ block, entries: [entry] });
    } else {
      key.entries.push(entry);
    }
  }
  return keys;
}

/** A block gives its ports to a narrower one that starts inside it, unless it starts inside one of the block's excepts. */
function donates(donor: Compiled, cidr: string): boolean {
  const start = startOf(cidr);
  return (
    !isHostText(donor.cidr) &&
    holds(readBlock(donor.cidr), start) &&
    !donor.except.some((except) => holds(readBlock(except), start))
  );
}

function legacyKeys(rules: readonly EmittedRule[], options: AgentOptions): Key[] {
  const keys: Key[] = [];
  const everywhere = rules.filter(
    ({ cidr }) => lengthOf(cidr) === 0 && !(options.ipFamily === "ipv4" && familyOf(cidr) === "ipv6"),
  );
  const lists = everywhere.map(({ ports }) => ports);
  const allowAll = everywhere.some(({ ports }) => ports.length === 0);
  if (everywhere.length > 0) {
    // Alone among all entries this one keeps its duplicates: a rule without `to` counts twice in an IPv6 cluster.
    const entry: Entry = allowAll ? { kind: "allow" } : { kind: "lists", lists };
    overwrite(keys, keyOf(readBlock("0.0.0.0/0"), options.ipFamily), entry);
  }
  const hosts = new Map<string, readonly PortItem[]>();
  const blocks = new Map<string, readonly PortItem[]>();
  for (const rule of rules) {
    if (isSkipped(rule, options)) {
      continue;
    }
    if (lengthOf(rule.cidr) !== 0) {
      const seen = isHostText(rule.cidr) ? hosts : blocks;
      const known = seen.get(rule.cidr);
      const inherited = [...blocks]
        .filter(([cidr]) => cidr !== rule.cidr && holds(readBlock(cidr), startOf(rule.cidr)))
        .flatMap(([, ports]) => ports);
      const ports = [...(rule.ports.length === 0 ? [ANY] : rule.ports), ...(known ?? inherited)];
      seen.set(rule.cidr, ports);
      const entry: Entry = allowAll ? { kind: "allow" } : { kind: "items", items: unique([...ports, ...lists.flat()]) };
      overwrite(keys, keyOf(readBlock(rule.cidr), options.ipFamily), entry);
    }
    for (const except of rule.except) {
      overwrite(keys, keyOf(readBlock(except), options.ipFamily), { kind: "deny" });
    }
  }
  return keys;
}

/** Rules of the other family, and rules whose text starts with the node's address whatever their length. */
export function isSkipped({ cidr }: EmittedRule, { ipFamily, nodeIp }: AgentOptions): boolean {
  if (familyOf(cidr) !== ipFamily) {
    return true;
  }
  return nodeIp !== undefined && readAddress(nodeIp).value === readAddress(cidr.split("/")[0] ?? "").value;
}

/** The agent tests the text: /32 is a host in IPv6 too. */
function isHostText(cidr: string): boolean {
  return cidr.endsWith("/32") || cidr.endsWith("/128");
}

function startOf(cidr: string) {
  const { family, first } = readBlock(cidr);
  return { family, value: first };
}

/** What the text says, by which the agent sorts: 96 more than it means for a mapped block. */
function lengthOf(cidr: string): number {
  return Number(cidr.split("/")[1]);
}

function familyOf(cidr: string): Family {
  return readBlock(cidr).family;
}

/**
 * Where a block lands in a map of the cluster's family: a prefix length and the first bytes of the address, as many as
 * the key has. A block of the other family keeps its prefix length, even if it is longer than the key.
 */
export function keyOf(block: Block, ipFamily: Family): Block {
  if (block.family === ipFamily) {
    return block;
  }
  const first = ipFamily === "ipv4" ? block.first >> 96n : block.first << 96n;
  const free = BigInt(Math.max(0, BITS[ipFamily] - block.prefixLength));
  return { family: ipFamily, prefixLength: block.prefixLength, first, last: first + 2n ** free - 1n };
}

function unique(ports: readonly PortItem[]): PortItem[] {
  return [...new Map(ports.map((item) => [`${item.protocol}-${item.port}-${item.endPort}`, item])).values()];
}

function find(keys: readonly Key[], block: Block): Key | undefined {
  return keys.find((key) => key.block.first === block.first && key.block.prefixLength === block.prefixLength);
}

function overwrite(keys: Key[], block: Block, entry: Entry): void {
  const key = find(keys, block);
  if (key === undefined) {
    keys.push({ block, entries: [entry] });
  } else {
    key.entries.splice(0, key.entries.length, entry);
  }
}

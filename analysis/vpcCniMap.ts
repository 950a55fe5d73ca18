import { ADDRESS_BITS, type AddressFamily } from "./address.ts";
import { type Cidr, cidrAt, cidrKey, hostOf } from "./cidr.ts";
import type { EntryValue, MapEntry, RefusedBlock } from "./normalForm.ts";
import { isReadableByAgent, isWrittenMapped, writtenAddress } from "./policyCidr.ts";
import type { PortGrant } from "./ports.ts";
import { EVERY_PORT } from "./protocol.ts";
import { leaksEveryPort, tellsBlocksByText, type VpcCniSemantics } from "./semantics.ts";
import type { AddressTerm } from "./terms.ts";
import { type Drafts, mergeRules, mergeRulesLeaking } from "./vpcCniRules.ts";

/** The compiled map, and the blocks because of which the agent does not load it. */
export interface AgentMap {
  readonly entries: readonly MapEntry[];
  readonly refused: readonly RefusedBlock[];
  /** What the entry of every single address holds besides its own items, wherever it is: those of the family's whole block. */
  readonly ofEveryHost: readonly PortGrant[];
}

/**
 * The map that the AWS network policy agent gives to its eBPF program: what its rule compiler makes of all egress rules
 * of a pod (`pkg/fwruleprocessor` of aws-network-policy-agent, read at 4588cb0 and later; docs/semantics.md).
 */
export function agentMap(terms: readonly AddressTerm[], semantics: VpcCniSemantics): AgentMap {
  const { ipFamily, nodeIp } = semantics;
  const leaking = leaksEveryPort(semantics.agentVersion);
  const byText = tellsBlocksByText(semantics.agentVersion);
  const keyOf = byText ? textKey : cidrKey;
  // A rule without a numeric port is never emitted (`ports` with names only).
  const emitted = terms.filter((term) => term.permissions.length > 0);
  const isSkipped = ({ cidr }: AddressTerm) =>
    cidr.family !== ipFamily || (nodeIp !== undefined && nodeIp.value === (byText ? writtenAddress(cidr) : cidr.first));
  const rules = emitted.filter((term) => !isSkipped(term));
  const drafts = leaking ? mergeRulesLeaking(rules, emitted, ipFamily, keyOf) : mergeRules(rules, keyOf);
  // Since 1.2.4 the `except`s of skipped rules count, those of the other family included.
  const excepting = leaking ? rules : emitted;
  const { entries, refused } = withExcepts(drafts, excepting, semantics, keyOf);
  const whole = drafts.get(cidrKey(cidrAt(ipFamily, 0n, 0)));
  // Inherited unless excepted somewhere; agents up to 1.2.3 do not ask.
  const isInherited = whole !== undefined && (leaking || whole.excepts.isEmpty);
  return {
    entries,
    refused: [...unreadableBlocks(rules, excepting, byText), ...refused],
    ofEveryHost: isInherited ? [...whole.items.values()] : [],
  };
}

/** Two ways of writing one block are two keys to agents up to 1.4.1. */
function textKey(cidr: Cidr): ReturnType<typeof cidrKey> {
  return cidr.written ?? cidrKey(cidr);
}

/** Blocks that the agent cannot parse, and mapped ones for agents whose reading of them is not known. */
function unreadableBlocks(
  rules: readonly AddressTerm[],
  excepting: readonly AddressTerm[],
  isMappedUnknown: boolean,
): RefusedBlock[] {
  const isUnreadable = (cidr: Cidr) => !isReadableByAgent(cidr) || (isMappedUnknown && isWrittenMapped(cidr));
  const blocks = [
    ...rules.map((term) => ({ term, except: undefined, cidr: term.cidr })),
    ...excepting.flatMap((term) => term.excepts.map((cidr, except) => ({ term, except, cidr }))),
  ];
  return blocks
    .filter(({ cidr }) => isUnreadable(cidr))
    .map(({ term, except }) => ({ term, except, why: "unreadable" }));
}

/** Adds the entries that are not rules: the node's, and a denial for each `except` that is no rule's block. */
function withExcepts(
  drafts: Drafts,
  rules: readonly AddressTerm[],
  { ipFamily, nodeIp }: VpcCniSemantics,
  keyOf: typeof cidrKey,
): Omit<AgentMap, "ofEveryHost"> {
  const entries = new Map<ReturnType<typeof cidrKey>, MapEntry & { readonly values: EntryValue[] }>();
  const put = (cidr: Cidr, value: EntryValue) => {
    const key = cidrKey(cidr);
    const known = entries.get(key);
    if (known === undefined) {
      entries.set(key, { cidr, values: [value], isNode: false });
    } else {
      known.values.push(value);
    }
  };
  for (const { cidr, items, lists } of drafts.values()) {
    put(cidr, { items: [...items.values()], ...(lists === undefined ? {} : { lists }), excepts: [] });
  }
  const denied = Map.groupBy(
    rules.flatMap((term) => term.excepts.map((_, except) => ({ term, except }))),
    ({ term, except }) => keyOf(term.excepts[except] as Cidr),
  );
  const refused: RefusedBlock[] = [];
  for (const [text, excepts] of denied) {
    const [{ term, except }] = excepts as [{ term: AddressTerm; except: number }];
    const key = keyIn(ipFamily, term.excepts[except] as Cidr);
    if (drafts.has(text)) {
      continue;
    }
    if (key === undefined) {
      refused.push(...excepts.map((place) => ({ ...place, why: "key-too-long" as const })));
    } else {
      put(key, { items: [], excepts });
    }
  }
  const node = nodeIp && hostOf(nodeIp);
  // Written first, so any other entry with its key replaces it.
  if (node !== undefined && !entries.has(cidrKey(node))) {
    const everything: PortGrant = { protocol: "any", range: EVERY_PORT, grants: [] };
    entries.set(cidrKey(node), { cidr: node, values: [{ items: [everything], excepts: [] }], isNode: true });
  }
  return { entries: [...entries.values()], refused };
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

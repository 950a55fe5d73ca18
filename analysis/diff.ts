import { ADDRESS_FAMILIES, type AddressFamily, LAST_ADDRESS } from "./address.ts";
import { type Change, type ChangeBox, type ChangedRange, fewestBoxes, type PortChange, tableChanges } from "./boxes.ts";
import { type AddressRange, compareRanges } from "./cidr.ts";
import type { EgressAnalysis } from "./compile.ts";
import { type Explanation, explain } from "./explain.ts";
import { type NamedAddresses, namesIn } from "./names.ts";
import type { PortRange } from "./networkPolicy.ts";
import type { Partition } from "./partition.ts";
import type { Point } from "./point.ts";
import { PORTLESS_PROTOCOLS, type Protocol } from "./ports.ts";
import { boxSize } from "./regions.ts";
import {
  everyPodAllowed,
  isNarrowerPodSet,
  type PodSet,
  type SelectorRegion,
  selectorRegion,
} from "./selectorRegions.ts";
import { openness } from "./verdict.ts";

/** A box of destinations that a change opens or closes. */
export interface DiffBox extends Change {
  readonly range: AddressRange;
  readonly protocols: readonly Protocol[];
  readonly ports: PortRange;
  /** (address, port) pairs for one of the protocols. */
  readonly pairs: bigint;
  /** One destination in the box. */
  readonly witness: Point;
  /** What the addresses are called. */
  readonly names: readonly string[];
  /** Why the witness had, and has, its verdict: the rules and `except`s to blame. */
  readonly explanations: { readonly before: Explanation; readonly after: Explanation };
}

/** Ports that a change opens or closes on pods chosen by labels. */
export interface DiffPods {
  /** The pods, as {@link formatPodSet} writes them. */
  readonly text: string;
  readonly pods: PodSet;
  readonly protocols: readonly Protocol[];
  /** Numbers, or the name of a container port. */
  readonly ports: PortRange | string;
}

/** What a change opens and closes. */
export interface Diff<Box = DiffBox> {
  readonly gained: { readonly boxes: readonly Box[]; readonly pods: readonly DiffPods[] };
  readonly lost: { readonly boxes: readonly Box[]; readonly pods: readonly DiffPods[] };
}

/**
 * What the pod may reach after a change that it could not before, and the other way round, in few boxes, exactly. A
 * verdict that becomes `order-dependent` is a gain from `deny` and a loss from `allow`. `names` are given to addresses
 * besides those of the IANA registries, such as a VPC's own blocks.
 *
 * Pods chosen by labels are compared selector by selector: a selector counts as covered by one that is provably wider.
 */
export function diff(before: EgressAnalysis, after: EgressAnalysis, names: readonly NamedAddresses[] = []): Diff {
  const bare = bareDiff(before, after);
  const describe = (box: ChangeBox) => describeBox(before, after, box, names);
  return {
    gained: { ...bare.gained, boxes: bare.gained.boxes.map(describe) },
    lost: { ...bare.lost, boxes: bare.lost.boxes.map(describe) },
  };
}

/** Adds a witness, names and explanations to a box of {@link bareDiff}. */
export function describeBox(
  before: EgressAnalysis,
  after: EgressAnalysis,
  box: ChangeBox,
  names: readonly NamedAddresses[] = [],
): DiffBox {
  const witness = witnessOf(box);
  return {
    ...box,
    pairs: boxSize(box.range, box.ports),
    witness,
    names: namesIn(box.range, names),
    explanations: { before: explain(before, witness), after: explain(after, witness) },
  };
}

/** Whether two sets of policies allow exactly the same. */
export function equals(a: EgressAnalysis, b: EgressAnalysis): boolean {
  return isEmptyDiff(bareDiff(a, b));
}

export function isEmptyDiff({ gained, lost }: Diff<unknown>): boolean {
  return [gained, lost].every(({ boxes, pods }) => boxes.length === 0 && pods.length === 0);
}

/** Exact numbers of changed (address, port) pairs, by family and protocol. */
export type DiffCounts = Readonly<Record<AddressFamily, Readonly<Partial<Record<Protocol, bigint>>>>>;

/** Counts what a change opens and closes on addresses, port 0 included. */
export function countDiff(
  before: EgressAnalysis,
  after: EgressAnalysis,
  protocols: readonly Protocol[],
): { gained: DiffCounts; lost: DiffCounts } {
  const { gained, lost } = bareDiff(before, after);
  const count = (boxes: readonly ChangeBox[]): DiffCounts => {
    const sums = { ipv4: zeros(protocols), ipv6: zeros(protocols) };
    for (const { range, protocols: changed, ports } of boxes) {
      for (const protocol of changed) {
        sums[range.family][protocol] = (sums[range.family][protocol] ?? 0n) + boxSize(range, ports);
      }
    }
    return sums;
  };
  return { gained: count(gained.boxes), lost: count(lost.boxes) };
}

function zeros(protocols: readonly Protocol[]): Partial<Record<Protocol, bigint>> {
  return Object.fromEntries(protocols.map((protocol) => [protocol, 0n]));
}

/** The same difference without explanations, for callers that count or compare, or show only some of it. */
export function bareDiff(before: EgressAnalysis, after: EgressAnalysis): Diff<ChangeBox> {
  const boxes = ADDRESS_FAMILIES.flatMap((family) =>
    fewestBoxes(changedRanges(before.partitions[family], after.partitions[family])),
  ).sort(compareBoxes);
  const isGain = (box: ChangeBox) => openness(box.after) > openness(box.before);
  return {
    gained: { boxes: boxes.filter(isGain), pods: newPods(before, after) },
    lost: { boxes: boxes.filter((box) => !isGain(box)), pods: newPods(after, before) },
  };
}

function compareBoxes(a: ChangeBox, b: ChangeBox): number {
  return (
    compareRanges(a.range, b.range) || a.ports.from - b.ports.from || (a.protocols.join() < b.protocols.join() ? -1 : 1)
  );
}

function changedRanges(before: Partition, after: Partition): ChangedRange[] {
  const { family } = before;
  const memo = new Map<string, readonly PortChange[]>();
  const ranges: ChangedRange[] = [];
  let left = 0;
  let right = 0;
  for (let first = 0n; first <= LAST_ADDRESS[family]; ) {
    const a = before.cells[left]?.table;
    const b = after.cells[right]?.table;
    const nextLeft = before.starts[left + 1];
    const nextRight = after.starts[right + 1];
    const end = LAST_ADDRESS[family] + 1n;
    const next = smaller(nextLeft ?? end, nextRight ?? end);
    if (a !== undefined && b !== undefined && a !== b && a.signature !== b.signature) {
      const key = `${a.signature}|${b.signature}`;
      const changes = memo.get(key) ?? tableChanges(a, b);
      memo.set(key, changes);
      if (changes.length > 0) {
        ranges.push({ range: { family, first, last: next - 1n }, changes });
      }
    }
    left += nextLeft === next ? 1 : 0;
    right += nextRight === next ? 1 : 0;
    first = next;
  }
  return ranges;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/**
 * One destination in a box. The first address is the network's; the one after it, where there is one, looks more like a
 * host.
 */
export function witnessOf({ range, protocols, ports }: Pick<ChangeBox, "range" | "protocols" | "ports">): Point {
  const value = range.last > range.first ? range.first + 1n : range.first;
  const protocol = protocols[0] as Protocol;
  const common = [443, 80].find((port) => ports.from <= port && port <= ports.to);
  // Port 0 is in a range of all ports, but nothing listens there.
  const port = PORTLESS_PROTOCOLS.includes(protocol) ? 0 : (common ?? Math.min(Math.max(ports.from, 1), ports.to));
  return { address: { family: range.family, value }, protocol, port };
}

/** What `after` allows on pods by label and `before` does not. */
function newPods(before: EgressAnalysis, after: EgressAnalysis): DiffPods[] {
  const found: DiffPods[] = [];
  for (const region of after.selectors) {
    const previous = before.isolated ? selectorRegion(before.podGrants, region.pods) : everyPodAllowed();
    for (const { ports, protocols, ...change } of tableChanges(previous.table, region.table)) {
      if (openness(change.after) > openness(change.before)) {
        found.push({ text: region.text, pods: region.pods, protocols, ports });
      }
    }
    if (before.isolated) {
      found.push(...newNamedPorts(previous, region));
    }
  }
  return found.filter((entry) => !found.some((other) => other !== entry && covers(other, entry)));
}

function newNamedPorts(before: SelectorRegion, after: SelectorRegion): DiffPods[] {
  const known = new Set(before.namedPorts.map(({ protocol, name }) => `${protocol} ${name}`));
  const fresh = new Map(after.namedPorts.map((port) => [`${port.protocol} ${port.name}`, port]));
  return [...fresh.entries()]
    .filter(([key, { protocol }]) => !known.has(key) && !isWideOpen(before, protocol))
    .map(([, { protocol, name }]) => ({ text: after.text, pods: after.pods, protocols: [protocol], ports: name }));
}

function isWideOpen({ table }: SelectorRegion, protocol: Protocol): boolean {
  return (table.spans[protocol] ?? []).every(({ verdict }) => verdict === "allow");
}

/** Whether a row says all that another says. */
function covers(wide: DiffPods, narrow: DiffPods): boolean {
  return (
    isNarrowerPodSet(narrow.pods, wide.pods) &&
    !isNarrowerPodSet(wide.pods, narrow.pods) &&
    narrow.protocols.every((protocol) => wide.protocols.includes(protocol)) &&
    (typeof wide.ports === "string" || typeof narrow.ports === "string"
      ? wide.ports === narrow.ports
      : wide.ports.from <= narrow.ports.from && narrow.ports.to <= wide.ports.to)
  );
}

import { ADDRESS_FAMILIES } from "./address.ts";
import { type AddressMaps, cellRange, zip } from "./addressMap.ts";
import { type AddressRange, compareRanges, contains } from "./cidr.ts";
import type { Point } from "./normalForm.ts";
import { type PortSpan, type PortTable, spanPairs } from "./ports.ts";
import { PORTLESS_PROTOCOLS, type PortRange, PROTOCOLS, type Protocol } from "./protocol.ts";
import { credentialEndpoints } from "./specialPurpose.ts";
import type { Verdict } from "./verdict.ts";

/** A verdict before and after. */
export interface Change {
  readonly before: Verdict;
  readonly after: Verdict;
}

/** Ports of some protocols on which the verdict changes in one way. */
export interface PortChange extends Change {
  readonly protocols: readonly Protocol[];
  readonly ports: PortRange;
}

/** A changed stretch of addresses, protocols and ports. */
export interface ChangeBox extends PortChange {
  readonly range: AddressRange;
}

/** What changes on every address of a range. */
export interface ChangedRange {
  readonly range: AddressRange;
  readonly changes: readonly PortChange[];
}

/** One list for all tables that are equal, so that neighbours of them are one stretch. */
const UNCHANGED: PortChange[] = [];

/** Compares two tables; protocols that only one of them has are left out. */
export function tableChanges(before: PortTable, after: PortTable): PortChange[] {
  if (before.signature === after.signature) {
    return UNCHANGED;
  }
  const byShape = new Map<string, { change: Change; ports: PortRange; protocols: Protocol[] }>();
  for (const protocol of PROTOCOLS) {
    for (const { from, to, ...change } of spanChanges(before.spans[protocol] ?? [], after.spans[protocol] ?? [])) {
      const key = `${from}-${to} ${change.before}>${change.after}`;
      const known = byShape.get(key);
      if (known === undefined) {
        byShape.set(key, { change, ports: { from, to }, protocols: [protocol] });
      } else {
        known.protocols.push(protocol);
      }
    }
  }
  return [...byShape.values()].map(({ change, ports, protocols }) => ({ ...change, ports, protocols }));
}

/** Runs of ports whose verdict differs, merged where the same change goes on. */
function spanChanges(before: readonly PortSpan[], after: readonly PortSpan[]): (PortRange & Change)[] {
  const changes: { from: number; to: number; before: Verdict; after: Verdict }[] = [];
  for (const [a, b, from, to] of spanPairs(before, after)) {
    const last = changes.at(-1);
    if (a.verdict === b.verdict) {
      continue;
    }
    if (last !== undefined && last.to === from - 1 && last.before === a.verdict && last.after === b.verdict) {
      last.to = to;
    } else {
      changes.push({ from, to, before: a.verdict, after: b.verdict });
    }
  }
  return changes;
}

/**
 * Where verdicts differ, as few boxes, by family, address and port.
 *
 * @param compare what differs between two tables. Default: {@link tableChanges}.
 */
export function changedBoxes(
  before: AddressMaps<PortTable>,
  after: AddressMaps<PortTable>,
  compare: typeof tableChanges = tableChanges,
): ChangeBox[] {
  return ADDRESS_FAMILIES.flatMap((family) => {
    const changes = zip(before[family], after[family], compare);
    return fewestBoxes(
      changes.cells.flatMap((cell, index) =>
        cell.length === 0 ? [] : [{ range: cellRange(changes, index), changes: cell }],
      ),
    );
  }).sort(
    (a, b) =>
      compareRanges(a.range, b.range) ||
      a.ports.from - b.ports.from ||
      (a.protocols.join() < b.protocols.join() ? -1 : 1),
  );
}

/**
 * Covers changed ranges, which come in order, with few boxes. Two ways of cutting are tried: as the changes come, and
 * with all ports cut at the same places; each then merges along addresses, the second along ports too. For the shapes
 * that policies have, the better one is the fewest possible; in general that is a covering problem.
 */
function fewestBoxes(ranges: readonly ChangedRange[]): ChangeBox[] {
  const whole = mergeAlongAddresses(ranges);
  // Protocols without ports, whose only port is 0, would cut every other box there for nothing.
  const withPorts = whole.filter(
    ({ protocols }) => !protocols.every((protocol) => PORTLESS_PROTOCOLS.includes(protocol)),
  );
  const cuts = [...new Set(withPorts.flatMap(({ ports }) => [ports.from, ports.to + 1]))].sort((a, b) => a - b);
  // Many different port lists side by side would be cut to pieces for nothing.
  if (cuts.length < 3 || cuts.length > 64) {
    return whole;
  }
  const cut = ranges.map(({ range, changes }) => ({
    range,
    changes: changes.flatMap((change) => split(change, cuts)),
  }));
  const pieces = mergeAlongPorts(mergeAlongAddresses(cut));
  return pieces.length < whole.length ? pieces : whole;
}

function split(change: PortChange, cuts: readonly number[]): PortChange[] {
  const { from, to } = change.ports;
  const starts = [from, ...cuts.filter((cut) => from < cut && cut <= to)];
  return starts.map((start, index) => ({ ...change, ports: { from: start, to: (starts[index + 1] ?? to + 1) - 1 } }));
}

function shapeOf({ before, after, protocols, ports }: PortChange): string {
  return `${before}>${after} ${protocols.join()} ${ports.from}-${ports.to}`;
}

function mergeAlongAddresses(ranges: readonly ChangedRange[]): ChangeBox[] {
  const boxes: ChangeBox[] = [];
  let open = new Map<string, ChangeBox>();
  for (const { range, changes } of ranges) {
    const next = new Map<string, ChangeBox>();
    for (const change of changes) {
      const shape = shapeOf(change);
      const growing = open.get(shape);
      if (growing !== undefined && growing.range.last + 1n === range.first && growing.range.family === range.family) {
        next.set(shape, { ...growing, range: { ...growing.range, last: range.last } });
        open.delete(shape);
      } else {
        next.set(shape, { ...change, range });
      }
    }
    boxes.push(...open.values());
    open = next;
  }
  boxes.push(...open.values());
  return boxes;
}

function mergeAlongPorts(boxes: readonly ChangeBox[]): ChangeBox[] {
  const byPlace = new Map<string, ChangeBox[]>();
  for (const box of boxes) {
    const key = `${box.range.family} ${box.range.first}-${box.range.last} ${box.before}>${box.after} ${box.protocols.join()}`;
    byPlace.set(key, [...(byPlace.get(key) ?? []), box]);
  }
  return [...byPlace.values()].flatMap((stack) => {
    const merged: ChangeBox[] = [];
    for (const box of stack.sort((a, b) => a.ports.from - b.ports.from)) {
      const below = merged.at(-1);
      if (below !== undefined && below.ports.to + 1 === box.ports.from) {
        merged[merged.length - 1] = { ...below, ports: { from: below.ports.from, to: box.ports.to } };
      } else {
        merged.push(box);
      }
    }
    return merged;
  });
}

/**
 * One destination in a box: an endpoint that hands out credentials, on its own port, where the box has one. Else an
 * address that looks like a host's: the first is the network's.
 */
export function witnessOf({ range, protocols, ports }: Pick<ChangeBox, "range" | "protocols" | "ports">): Point {
  const credentials = credentialEndpoints().find(
    ({ cidr, port }) => contains(range, cidr) && protocols.includes("TCP") && ports.from <= port && port <= ports.to,
  );
  if (credentials !== undefined) {
    return {
      address: { family: range.family, value: credentials.cidr.first },
      protocol: "TCP",
      port: credentials.port,
    };
  }
  const value = range.last > range.first ? range.first + 1n : range.first;
  const protocol = protocols[0] as Protocol;
  const common = [443, 80].find((port) => ports.from <= port && port <= ports.to);
  // Port 0 is in a range of all ports, but nothing listens there.
  const port = PORTLESS_PROTOCOLS.includes(protocol) ? 0 : (common ?? Math.min(Math.max(ports.from, 1), ports.to));
  return { address: { family: range.family, value }, protocol, port };
}

import { ADDRESS_FAMILIES } from "../address.ts";
import { tableChanges } from "../boxes.ts";
import { type AddressRange, cidrsOf, formatRange } from "../cidr.ts";
import type { EgressAnalysis } from "../compile.ts";
import { type NamedAddresses, namesOfRanges } from "../names.ts";
import { EVERY_PORT, POLICY_PROTOCOLS, type PortRange } from "../networkPolicy.ts";
import { combineTables, type PortTable, type Protocol, uniformTable } from "../ports.ts";
import { rangeSet, subtract } from "../rangeSet.ts";
import { openness } from "../verdict.ts";
import type { PodRow } from "./podReach.ts";
import { Reach } from "./reach.ts";
import { zip } from "./tableMap.ts";

/** More ranges than this are told by what is left out of the block around them. */
const MOST_RANGES = 4;

/**
 * What one set of policies allows its sender beside another, a line for each kind of change: `it also allows
 * 10.0.0.0/8 on every port (...)`, `for 0.0.0.0/0 except 14 blocks it allows only 443/TCP (public internet)`. "It" is
 * `now`. Empty exactly where both allow the same; the other address family of an EKS cluster and protocols without ports
 * are left out.
 */
export function changeInWords(
  was: EgressAnalysis,
  now: EgressAnalysis,
  names: readonly NamedAddresses[] = [],
): string[] {
  const [before, after] = [Reach.of(was), Reach.of(now)];
  return [
    ...addressChanges(before, after).map(({ ranges, old, fresh }) => addressLine(ranges, old, fresh, names)),
    ...after.minus(before).pods.map((row) => `it also allows ${formatPodRow(row)}`),
    ...before.minus(after).pods.map((row) => `it does not allow ${formatPodRow(row)}`),
  ];
}

/** Addresses whose ports change from one table to another. */
interface AddressChange {
  readonly ranges: AddressRange[];
  readonly old: PortTable;
  readonly fresh: PortTable;
}

function addressChanges(before: Reach, after: Reach): AddressChange[] {
  const changes = new Map<string, AddressChange>();
  for (const family of ADDRESS_FAMILIES) {
    const pairs = zip(before.maps[family], after.maps[family], (old, fresh) => ({
      old: withPorts(old),
      fresh: withPorts(fresh),
    }));
    for (const { range, value } of pairs) {
      if (value.old.signature !== value.fresh.signature) {
        const key = `${value.old.signature}|${value.fresh.signature}|${family}`;
        const known = changes.get(key);
        changes.set(key, known ?? { ...value, ranges: [] });
        changes.get(key)?.ranges.push(range);
      }
    }
  }
  return [...changes.values()];
}

const NO_PORTS = uniformTable("deny", POLICY_PROTOCOLS);

/** A table of the protocols that a policy can name. */
function withPorts(table: PortTable): PortTable {
  return combineTables(table, NO_PORTS, (span) => span);
}

function addressLine(
  ranges: readonly AddressRange[],
  old: PortTable,
  fresh: PortTable,
  names: readonly NamedAddresses[],
): string {
  const where = formatRanges(ranges);
  const called = namesOfRanges(ranges, names)
    .map((name) => name.replace(`${where}, `, ""))
    .join("; ");
  const [had, has] = [formatTable(old), formatTable(fresh)];
  const changes = tableChanges(old, fresh);
  const isGain = changes.every(({ before, after }) => openness(after) > openness(before));
  const isLoss = changes.every(({ before, after }) => openness(after) < openness(before));
  if (had === undefined) {
    return `it also allows ${where} on ${has} (${called})`;
  }
  if (has === undefined) {
    return `it does not allow ${where} on ${had} (${called})`;
  }
  if (isGain) {
    return `for ${where} it also allows ${has === EVERYTHING ? EVERYTHING : formatTable(gain(old, fresh))} (${called})`;
  }
  return isLoss
    ? `for ${where} it allows only ${has}, not ${had} (${called})`
    : `for ${where} it allows ${has} instead of ${had} (${called})`;
}

function gain(old: PortTable, fresh: PortTable): PortTable {
  return combineTables(fresh, old, (left, right) =>
    openness(left.verdict) > openness(right.verdict) ? left : { verdict: "deny", grants: [] },
  );
}

const EVERYTHING = "every port";

/** `443/TCP, 53/UDP`, `every port`, `8000-9000/TCP (at random)`; `undefined`: nothing. */
function formatTable(table: PortTable): string | undefined {
  const changes = tableChanges(NO_PORTS, table);
  const texts = changes.flatMap(({ protocols, ports, after }) => {
    const random = after === "order-dependent" ? " (at random)" : "";
    return isEverything(protocols, ports)
      ? [`${EVERYTHING}${random}`]
      : protocols.map((protocol) => `${formatPortRange(ports)}/${protocol}${random}`);
  });
  return texts.length === 0 ? undefined : texts.join(", ");
}

function isEverything(protocols: readonly Protocol[], { from, to }: PortRange): boolean {
  return (
    from === EVERY_PORT.from && to === EVERY_PORT.to && POLICY_PROTOCOLS.every((known) => protocols.includes(known))
  );
}

function formatPortRange({ from, to }: PortRange): string {
  return from === to ? `${from}` : from === EVERY_PORT.from && to === EVERY_PORT.to ? EVERYTHING : `${from}-${to}`;
}

/** `pods app=web in namespace shop on 8080/TCP`, `all pods in namespace shop on port "http"/TCP`. */
export function formatPodRow({ text, protocols, ports }: PodRow): string {
  if (typeof ports === "string") {
    return `${text} on ${protocols.map((protocol) => `"${ports}"/${protocol}`).join(", ")}`;
  }
  return `${text} on ${
    isEverything(protocols, ports)
      ? EVERYTHING
      : protocols.map((protocol) => `${formatPortRange(ports)}/${protocol}`).join(", ")
  }`;
}

/** Ranges of one family as text: a few as they are, more as the block around them and what it leaves out. */
export function formatRanges(ranges: readonly AddressRange[]): string {
  const joined = rangeSet(ranges);
  if (joined.length <= MOST_RANGES) {
    return joined.map(formatRange).join(", ");
  }
  const [first, last] = [joined[0] as AddressRange, joined.at(-1) as AddressRange];
  const around = blockAround({ ...first, last: last.last });
  const holes = subtract([around], joined).flatMap(cidrsOf);
  return holes.length <= MOST_RANGES
    ? `${formatRange(around)} except ${holes.map(formatRange).join(", ")}`
    : `${formatRange(around)} except ${holes.length} blocks`;
}

/** The smallest block that holds a range. */
function blockAround({ family, first, last }: AddressRange): AddressRange {
  let hostBits = 0n;
  while (first >> hostBits !== last >> hostBits) {
    hostBits += 1n;
  }
  return { family, first: (first >> hostBits) << hostBits, last: (((last >> hostBits) + 1n) << hostBits) - 1n };
}

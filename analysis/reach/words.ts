import { ADDRESS_FAMILIES } from "../address.ts";
import { cellRange, zip } from "../addressMap.ts";
import { tableChanges } from "../boxes.ts";
import { type AddressRange, blockAround, cidrsOf, formatRange } from "../cidr.ts";
import { type NamedAddresses, namesOfRanges } from "../names.ts";
import type { EgressAnalysis } from "../normalForm.ts";
import { combineTables, type Grant, type PortTable, uniformTable } from "../ports.ts";
import { EVERY_PORT, formatPorts, POLICY_PROTOCOLS, type PortRange, type Protocol } from "../protocol.ts";
import { rangeSet, subtract, wholeFamilies } from "../rangeSet.ts";
import { openness } from "../verdict.ts";
import type { PodRow } from "./podReach.ts";
import { EVERY_POD } from "./podSets.ts";
import { Reach } from "./reach.ts";

/** More ranges or rows than this are counted, not listed. */
const MOST_LISTED = 4;

const ALL = Reach.over({ addresses: wholeFamilies(), pods: [EVERY_POD] });

/**
 * What one set of policies allows its sender beside another, a line for each kind of change: `it also allows
 * 10.9.0.0/16 on every port (...)`, `for 0.0.0.0/0 except 14 blocks it allows only 443/TCP, not every port (...)`. "It"
 * is `now`. Empty exactly where both allow the same on protocols that have ports.
 */
export function changeInWords(
  was: EgressAnalysis,
  now: EgressAnalysis,
  names: readonly NamedAddresses[] = [],
): string[] {
  const [before, after] = [Reach.of(was).withPorts, Reach.of(now).withPorts];
  if (isEverything(after) && !isEverything(before)) {
    return [
      "it also allows every destination on every port: everything is open, the EC2 instance metadata " +
        "(169.254.169.254:80/tcp) first",
    ];
  }
  return [
    ...addressChanges(before, after).map(({ ranges, old, fresh }) => addressLine(ranges, old, fresh, names)),
    ...podLines("it also allows", after, before),
    ...podLines("it does not allow", before, after),
  ];
}

function isEverything(reach: Reach): boolean {
  return ALL.minus(reach).isEmpty;
}

/** Exactly the pods and ports of one reach that another lacks; where that takes many lines, the rules that add them. */
function podLines(verb: string, more: Reach, less: Reach): string[] {
  const exact = more.minus(less).pods;
  if (exact.length <= MOST_LISTED) {
    return exact.map((row) => `${verb} ${formatPodRow(row)}`);
  }
  const places = new Set(exact.flatMap(({ grants }) => grants.map(placeKey)));
  const whole = more.pods.filter(({ grants }) => grants.some((grant) => places.has(placeKey(grant))));
  return whole.map((row) => `${verb} all of ${formatPodRow(row)}`);
}

function placeKey({ policy, rule, peer, port }: Grant): string {
  return [policy, rule, peer, port].join();
}

/** Addresses whose ports change from one table to another. */
interface AddressChange {
  readonly ranges: AddressRange[];
  readonly old: PortTable;
  readonly fresh: PortTable;
}

function addressChanges(before: Reach, after: Reach): AddressChange[] {
  return ADDRESS_FAMILIES.flatMap((family) => {
    const pairs = zip(before.maps[family], after.maps[family], (old, fresh) => ({ old, fresh }));
    const changed = pairs.cells
      .map((pair, index) => ({ ...pair, range: cellRange(pairs, index) }))
      .filter(({ old, fresh }) => old.signature !== fresh.signature);
    const alike = Map.groupBy(changed, ({ old, fresh }) => `${old.signature}|${fresh.signature}`);
    return [...alike.values()].map((some) => ({
      ...(some[0] as (typeof some)[0]),
      ranges: some.map(({ range }) => range),
    }));
  });
}

const NO_PORTS = uniformTable("deny", POLICY_PROTOCOLS);

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
  const texts = tableChanges(NO_PORTS, table).map(({ protocols, ports, after }) =>
    formatPortsOf(protocols, ports, after === "order-dependent" ? " (at random)" : ""),
  );
  return texts.length === 0 ? undefined : texts.join(", ");
}

/** `443/TCP, 443/UDP`, `every port/TCP`, `every port` where it is of every protocol. */
function formatPortsOf(protocols: readonly Protocol[], ports: PortRange, suffix = ""): string {
  const isAll = ports.from === EVERY_PORT.from && ports.to === EVERY_PORT.to;
  const text = isAll ? EVERYTHING : formatPorts(ports);
  return isAll && POLICY_PROTOCOLS.every((known) => protocols.includes(known))
    ? `${text}${suffix}`
    : protocols.map((protocol) => `${text}/${protocol}${suffix}`).join(", ");
}

/** `pods app=web in namespace shop on 8080/TCP`, `all pods in namespace shop on port "http"/TCP`. */
function formatPodRow({ text, protocols, ports }: PodRow): string {
  return `${text} on ${
    typeof ports === "string"
      ? protocols.map((protocol) => `"${ports}"/${protocol}`).join(", ")
      : formatPortsOf(protocols, ports)
  }`;
}

/** Ranges of one family as text: one by one, or where that is shorter by the block around them and what it leaves out. */
export function formatRanges(ranges: readonly AddressRange[]): string {
  const joined = rangeSet(ranges);
  const around = blockAround({ ...(joined[0] as AddressRange), last: (joined.at(-1) as AddressRange).last });
  const holes = subtract([around], joined);
  const isShorter = holes.length < joined.length || (joined.length > MOST_LISTED && sizeOf(joined) > sizeOf(holes));
  if (!isShorter) {
    const rest = joined.length - MOST_LISTED;
    return `${joined.slice(0, MOST_LISTED).map(formatRange).join(", ")}${rest > 0 ? ` and ${rest} more ranges` : ""}`;
  }
  if (holes.length === 0) {
    return formatRange(around);
  }
  return `${formatRange(around)} except ${
    holes.length <= MOST_LISTED ? holes.map(formatRange).join(", ") : `${holes.flatMap(cidrsOf).length} blocks`
  }`;
}

function sizeOf(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

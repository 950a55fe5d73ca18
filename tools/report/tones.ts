import { type AddressMap, cellRange, zip } from "../../analysis/addressMap.ts";
import { tableChanges } from "../../analysis/boxes.ts";
import type { AddressRange } from "../../analysis/cidr.ts";
import type { Partition } from "../../analysis/normalForm.ts";
import { type PortTable, spanAt } from "../../analysis/ports.ts";
import { POLICY_PROTOCOLS, type Protocol } from "../../analysis/protocol.ts";
import { openness, type Verdict } from "../../analysis/verdict.ts";

/** What addresses are painted as: a verdict on their ports together, or how it changes. */
export type Tone = "open" | "ports" | "closed" | "random" | "gained" | "lost" | "narrowed" | "both";

/** The order in which tones win where a cell of the map holds several: what must not be overlooked comes first. */
export const TONES: readonly Tone[] = ["gained", "both", "lost", "narrowed", "random", "ports", "open", "closed"];

/** One port, or all together. */
export type PortFilter = { readonly protocol: Protocol; readonly port: number } | undefined;

/** What a pod may do at some addresses. */
function toneOf(table: PortTable, filter: PortFilter): Tone {
  const verdicts =
    filter === undefined
      ? POLICY_PROTOCOLS.flatMap((protocol) => (table.spans[protocol] ?? []).map(({ verdict }) => verdict))
      : [verdictAt(table, filter)];
  if (verdicts.includes("order-dependent")) {
    return "random";
  }
  const allows = verdicts.includes("allow");
  return allows ? (verdicts.includes("deny") ? "ports" : "open") : "closed";
}

/** How what a pod may do at some addresses changes; the tone that it keeps where nothing does. */
function changeTone(before: PortTable, after: PortTable, filter: PortFilter): Tone {
  const changes =
    filter === undefined
      ? tableChanges(before, after)
      : [{ before: verdictAt(before, filter), after: verdictAt(after, filter) }];
  const [gains, losses] = [1, -1].map((sign) =>
    changes.some((change) => sign * (openness(change.after) - openness(change.before)) > 0),
  );
  if (gains) {
    return losses ? "both" : "gained";
  }
  const left = toneOf(after, filter);
  return losses ? (left === "closed" ? "lost" : "narrowed") : left;
}

function verdictAt(table: PortTable, { protocol, port }: NonNullable<PortFilter>): Verdict {
  return spanAt(table.spans[protocol] ?? [], port)?.verdict ?? "deny";
}

/** The tones of a family's addresses. With `before`, those of the change. */
export function toneMap(after: Partition, before: Partition | undefined, filter: PortFilter): AddressMap<Tone> {
  return zip(before ?? after, after, (old, { table }) =>
    before === undefined ? toneOf(table, filter) : changeTone(old.table, table, filter),
  );
}

/** A stretch of addresses, and what a map has there. */
export interface Stretch<Value> {
  readonly range: AddressRange;
  readonly value: Value;
}

/** What a map has in a range of addresses, in order. */
export function stretchesIn<Value>(map: AddressMap<Value>, { family, first, last }: AddressRange): Stretch<Value>[] {
  return map.cells.flatMap((value, index) => {
    const cell = cellRange(map, index);
    return cell.last < first || last < cell.first
      ? []
      : [
          {
            range: {
              family,
              first: cell.first > first ? cell.first : first,
              last: cell.last < last ? cell.last : last,
            },
            value,
          },
        ];
  });
}

/**
 * Paints a grid: for each of `cells` equal parts of a range, the tones in it as a bit set (bit `i` is `TONES[i]`). The range
 * has at least as many addresses as there are cells, and a whole number for each.
 */
export function paintTones(runs: readonly Stretch<Tone>[], range: AddressRange, cells: number): Uint8Array {
  const painted = new Uint8Array(cells);
  const perCell = (range.last - range.first + 1n) / BigInt(cells);
  for (const { range: run, value: tone } of runs) {
    const bit = 1 << TONES.indexOf(tone);
    const last = Number((run.last - range.first) / perCell);
    for (let cell = Number((run.first - range.first) / perCell); cell <= last; cell++) {
      painted[cell] = (painted[cell] ?? 0) | bit;
    }
  }
  return painted;
}

/** The tones of a painted cell, the most important first. */
export function tonesIn(bits: number): Tone[] {
  return TONES.filter((_, index) => (bits & (1 << index)) !== 0);
}

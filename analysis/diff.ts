import type { AddressFamily } from "./address.ts";
import { byFamily } from "./addressMap.ts";
import { type Change, type ChangeBox, changedBoxes, witnessOf } from "./boxes.ts";
import type { AddressRange } from "./cidr.ts";
import { type Explanation, explain } from "./explain.ts";
import { type NamedAddresses, namesIn } from "./names.ts";
import type { EgressAnalysis, Point } from "./normalForm.ts";
import type { PortRange, Protocol } from "./protocol.ts";
import { type PodRow, podRows, subtractPodGrants } from "./reach/podReach.ts";
import { Reach } from "./reach/reach.ts";
import { boxSize } from "./regions.ts";
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

/** What a change opens and closes. */
export interface Diff<Box = DiffBox> {
  readonly gained: { readonly boxes: readonly Box[]; readonly pods: readonly PodRow[] };
  readonly lost: { readonly boxes: readonly Box[]; readonly pods: readonly PodRow[] };
}

/**
 * What the pod may reach after a change that it could not before, and the other way round, in few boxes, exactly. A
 * verdict that becomes `order-dependent` is a gain from `deny` and a loss from `allow`. `names` are given to addresses
 * besides those of the IANA registries, such as a VPC's own blocks.
 *
 * Pods chosen by labels are compared as sets of labels, exactly.
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
  const count = (boxes: readonly ChangeBox[]): DiffCounts =>
    byFamily((family) => {
      const sizeOf = (protocol: Protocol) =>
        boxes
          .filter(({ range, protocols }) => range.family === family && protocols.includes(protocol))
          .reduce((sum, { range, ports }) => sum + boxSize(range, ports), 0n);
      return Object.fromEntries(protocols.map((protocol) => [protocol, sizeOf(protocol)]));
    });
  return { gained: count(gained.boxes), lost: count(lost.boxes) };
}

/** The same difference without explanations, for callers that count or compare, or show only some of it. */
export function bareDiff(before: EgressAnalysis, after: EgressAnalysis): Diff<ChangeBox> {
  const [old, now] = [Reach.of(before), Reach.of(after)];
  const boxes = changedBoxes(old.maps, now.maps);
  const isGain = (box: ChangeBox) => openness(box.after) > openness(box.before);
  return {
    gained: { boxes: boxes.filter(isGain), pods: podRows(subtractPodGrants(now.grants, old.grants)) },
    lost: { boxes: boxes.filter((box) => !isGain(box)), pods: podRows(subtractPodGrants(old.grants, now.grants)) },
  };
}

import type { ChangeBox } from "../analysis/boxes.ts";
import {
  type AddressRange,
  bareDiff,
  type EgressAnalysis,
  formatPorts,
  formatRange,
  POLICY_PROTOCOLS,
  PORTLESS_PROTOCOLS,
  subtract,
} from "../analysis/index.ts";

/**
 * What `wide` allows, or may allow, and `narrow` does not, on addresses. Only of the protocols that a policy can name: the
 * others come and go with rules for every port.
 */
export function allowedBeyond(narrow: EgressAnalysis, wide: EgressAnalysis): ChangeBox[] {
  return bareDiff(narrow, wide).gained.boxes.flatMap((box) => {
    const protocols = box.protocols.filter((protocol) => !PORTLESS_PROTOCOLS.includes(protocol));
    return protocols.length === 0 ? [] : [{ ...box, protocols }];
  });
}

/** The parts of boxes that lie in some ranges. */
export function within(boxes: readonly ChangeBox[], ranges: readonly AddressRange[]): ChangeBox[] {
  return boxes.flatMap((box) => ranges.flatMap((range) => overlap(box, { ...box, range })));
}

/** The parts of boxes that other boxes have too. */
export function intersection(boxes: readonly ChangeBox[], others: readonly ChangeBox[]): ChangeBox[] {
  return boxes.flatMap((box) => others.flatMap((other) => overlap(box, other)));
}

/** Whether other boxes hold all of a box. */
export function isCovered(box: ChangeBox, others: readonly ChangeBox[]): boolean {
  const holding = others.filter(
    ({ range, ports, protocols }) =>
      range.family === box.range.family &&
      ports.from <= box.ports.from &&
      box.ports.to <= ports.to &&
      box.protocols.every((protocol) => protocols.includes(protocol)),
  );
  return (
    subtract(
      [box.range],
      holding.map(({ range }) => range),
    ).length === 0
  );
}

/** The common part of two boxes, with the change of the first; empty or one. */
function overlap(box: ChangeBox, other: Pick<ChangeBox, "range" | "protocols" | "ports">): ChangeBox[] {
  const { family } = box.range;
  const first = box.range.first > other.range.first ? box.range.first : other.range.first;
  const last = box.range.last < other.range.last ? box.range.last : other.range.last;
  const from = Math.max(box.ports.from, other.ports.from);
  const to = Math.min(box.ports.to, other.ports.to);
  const protocols = box.protocols.filter((protocol) => other.protocols.includes(protocol));
  return family === other.range.family && first <= last && from <= to && protocols.length > 0
    ? [{ ...box, range: { family, first, last }, ports: { from, to }, protocols }]
    : [];
}

/** `10.0.0.0/8 TCP, UDP 443`, `10.0.0.0/8 all ports`. */
export function formatBox({ range, protocols, ports }: Pick<ChangeBox, "range" | "protocols" | "ports">): string {
  const every = ports.from === 0 && ports.to === 65535 && POLICY_PROTOCOLS.every((each) => protocols.includes(each));
  return `${formatRange(range)} ${every ? "" : `${protocols.join(", ")} `}${formatPorts(ports)}`;
}

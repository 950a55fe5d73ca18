import type { Cidr } from "./cidr.ts";
import {
  EVERY_PORT,
  PORTLESS_PROTOCOLS,
  type PolicyProtocol,
  type PortRange,
  PROTOCOLS,
  type Protocol,
} from "./protocol.ts";
import type { Verdict } from "./verdict.ts";

/** Where a permission is written: indices into the analysis' policies, `spec.egress`, `to` and `ports`. */
export interface Grant {
  readonly policy: number;
  readonly rule: number;
  /** `undefined`: the rule has no `to`. */
  readonly peer: number | undefined;
  /** `undefined`: the rule has no `ports`. */
  readonly port: number | undefined;
  /** Under `vpc-cni`: the wider block from whose map entry this permission was copied. */
  readonly through?: Cidr;
}

/** A permission for a range of ports of one protocol, or of `any` protocol at all. */
export interface PortGrant {
  readonly protocol: PolicyProtocol | "any";
  readonly range: PortRange;
  /** The end of the range where the policy writes it. */
  readonly endPort?: number;
  readonly grants: readonly Grant[];
}

/** Ports of one protocol with one verdict, and what grants it; empty for a denial. */
export interface PortSpan extends PortRange {
  readonly verdict: Verdict;
  readonly grants: readonly Grant[];
}

/** The verdict of every port of every protocol at some destination. */
export interface PortTable {
  /** Spans cover 0 to 65535 without gaps; portless protocols have one span, port 0. */
  readonly spans: Readonly<Partial<Record<Protocol, readonly PortSpan[]>>>;
  /** Equal exactly for tables that give equal verdicts everywhere. */
  readonly signature: string;
}

/** Ports of protocols that are asked about. */
export interface PortQuestion {
  readonly protocols: readonly Protocol[];
  readonly ports: readonly PortRange[];
}

/** Whether permissions cover any of the ports. */
export function permitsSome(permissions: readonly PortGrant[], { protocols, ports }: PortQuestion): boolean {
  return permissions.some(
    ({ protocol, range }) =>
      (protocol === "any" || protocols.includes(protocol)) &&
      ports.some(({ from, to }) => range.from <= to && from <= range.to),
  );
}

/** Whether permissions cover one port of one protocol. */
export function permits(
  permissions: readonly PortGrant[],
  { protocol, port }: { readonly protocol: Protocol; readonly port: number },
): boolean {
  return permitsSome(permissions, { protocols: [protocol], ports: [{ from: port, to: port }] });
}

/** Turns the permissions that meet at a port into a verdict. */
export type Judge = (matching: readonly PortGrant[]) => Verdict;

/** Kubernetes: one permission is enough. */
export const anyGrantAllows: Judge = (matching) => (matching.length > 0 ? "allow" : "deny");

/** The table in which every port of the given protocols has one verdict. */
export function uniformTable(
  verdict: Verdict,
  protocols: readonly Protocol[],
  grants: readonly Grant[] = [],
): PortTable {
  const spans = protocols.map((protocol) => [protocol, [{ ...portsOf(protocol), verdict, grants }]] as const);
  return withSignature(Object.fromEntries(spans));
}

/** Builds the table of a destination from all permissions that reach it. */
export function portTable(permissions: readonly PortGrant[], protocols: readonly Protocol[], judge: Judge): PortTable {
  const spans: Partial<Record<Protocol, readonly PortSpan[]>> = {};
  for (const protocol of protocols) {
    const matching = permissions.filter((grant) => grant.protocol === "any" || grant.protocol === protocol);
    spans[protocol] = spansOf(matching, portsOf(protocol), judge);
  }
  return withSignature(spans);
}

/** The verdicts that several tables agree on; `order-dependent` where they do not. */
export function commonTable(tables: readonly PortTable[]): PortTable {
  return tables.reduce((common, table) =>
    combineTables(common, table, (left, right) => ({
      verdict: left.verdict === right.verdict ? left.verdict : "order-dependent",
      grants: [...left.grants, ...right.grants],
    })),
  );
}

/** Two tables as one, port by port; protocols that only one of them judges are left out. */
export function combineTables(
  a: PortTable,
  b: PortTable,
  combine: (left: PortSpan, right: PortSpan) => Pick<PortSpan, "verdict" | "grants">,
): PortTable {
  const spans: Partial<Record<Protocol, readonly PortSpan[]>> = {};
  for (const protocol of PROTOCOLS) {
    const [left, right] = [a.spans[protocol], b.spans[protocol]];
    if (left !== undefined && right !== undefined) {
      spans[protocol] = [...spanPairs(left, right)].map(([one, other, from, to]) => ({
        ...combine(one, other),
        from,
        to,
      }));
    }
  }
  return withSignature(spans);
}

/** Two lists of spans side by side, cut where either is. */
export function* spanPairs(
  a: readonly PortSpan[],
  b: readonly PortSpan[],
): Generator<[left: PortSpan, right: PortSpan, from: number, to: number]> {
  for (let from = 0, at = 0, other = 0; ; ) {
    const [left, right] = [a[at], b[other]];
    if (left === undefined || right === undefined) {
      return;
    }
    const to = Math.min(left.to, right.to);
    yield [left, right, from, to];
    at += left.to === to ? 1 : 0;
    other += right.to === to ? 1 : 0;
    from = to + 1;
  }
}

/** The same table with some ports of one protocol replaced; its one port where it has none. */
export function withPorts(
  table: PortTable,
  protocol: Protocol,
  { verdict, grants }: Pick<PortSpan, "verdict" | "grants">,
  { from, to } = portsOf(protocol),
): PortTable {
  const spans = table.spans[protocol] ?? [];
  return withSignature({
    ...table.spans,
    [protocol]: [
      ...spans.filter((span) => span.from < from).map((span) => ({ ...span, to: Math.min(span.to, from - 1) })),
      { from, to, verdict, grants },
      ...spans.filter((span) => span.to > to).map((span) => ({ ...span, from: Math.max(span.from, to + 1) })),
    ],
  });
}

/** The span that holds a port; spans cover all ports, so a missing one is a protocol without a verdict. */
export function spanAt(spans: readonly PortSpan[], port: number): PortSpan | undefined {
  let low = 0;
  let high = spans.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((spans[middle] as PortSpan).from <= port) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return spans[low];
}

function portsOf(protocol: Protocol): PortRange {
  return PORTLESS_PROTOCOLS.includes(protocol) ? { from: 0, to: 0 } : EVERY_PORT;
}

function spansOf(permissions: readonly PortGrant[], within: PortRange, judge: Judge): PortSpan[] {
  const starts = new Set([within.from]);
  for (const { range } of permissions) {
    starts.add(Math.max(range.from, within.from));
    starts.add(range.to + 1);
  }
  const sorted = [...starts].filter((start) => start <= within.to).sort((a, b) => a - b);
  const spans: PortSpan[] = [];
  for (const [index, from] of sorted.entries()) {
    const matching = permissions.filter(({ range }) => range.from <= from && from <= range.to);
    const to = (sorted[index + 1] ?? within.to + 1) - 1;
    spans.push({ from, to, verdict: judge(matching), grants: matching.flatMap(({ grants }) => grants) });
  }
  return spans;
}

function withSignature(spans: PortTable["spans"]): PortTable {
  const parts: string[] = [];
  for (const protocol of PROTOCOLS) {
    let previous: Verdict | undefined;
    for (const { from, verdict } of spans[protocol] ?? []) {
      if (verdict !== previous) {
        parts.push(`${protocol}${from}${verdict[0]}`);
        previous = verdict;
      }
    }
  }
  return { spans, signature: parts.join(" ") };
}

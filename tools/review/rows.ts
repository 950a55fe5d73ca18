import {
  type AddressFamily,
  boxSize,
  type DiffBox,
  type EgressAnalysis,
  formatPoint,
  formatPorts,
  formatRange,
  formatReference,
  POLICY_PROTOCOLS,
  PORTLESS_PROTOCOLS,
  type PodRow,
  type PortRange,
  type Protocol,
  Reach,
  referenceTo,
  type Verdict,
} from "../../analysis/index.ts";
import { CONCERNS, type Concern, concernsOf } from "./concerns.ts";
import { type Names, namesOfPods } from "./networkFacts.ts";
import type { Comparison } from "./stackReview.ts";
import { shortName } from "./wording.ts";

/** How a policy is read: as Kubernetes specifies, or as the AWS agent enforces it. */
export type SemanticsName = "kubernetes" | "vpc-cni";

/** One thing that a change opens or closes. */
export interface ReviewRow {
  readonly direction: "gained" | "lost";
  /** A block, a range of addresses, or pods by label. */
  readonly destination: string;
  readonly kind: "addresses" | "pods";
  /** What the addresses are called, the most telling first. */
  readonly names: readonly string[];
  /** `all`, or the protocols. */
  readonly protocols: readonly Protocol[] | "all";
  readonly ports: PortRange | string;
  /** How many addresses; `undefined` for pods. */
  readonly addresses: bigint | undefined;
  /** How many (address, port) pairs of one protocol; `undefined` for pods. */
  readonly pairs: bigint | undefined;
  readonly before: Verdict;
  readonly after: Verdict;
  /** A destination in it, as `egress explain` takes it. */
  readonly witness: string | undefined;
  /** The rules and `except`s that make the difference, in words. */
  readonly because: string;
  /** Why a gain matters; empty for a loss. */
  readonly concerns: readonly Concern[];
  /** The readings under which it is so. */
  readonly semantics: readonly SemanticsName[];
}

/** Turns the differences under one or two readings into rows; what both say is one row. */
export function reviewRows(comparisons: readonly Comparison[], names: Names): ReviewRow[] {
  const rows = new Map<string, ReviewRow>();
  const add = (row: ReviewRow) => {
    const { direction, kind, destination, protocols, ports, before, after } = row;
    const key = JSON.stringify([direction, kind, destination, protocols, ports, before, after]);
    const known = rows.get(key);
    rows.set(key, known === undefined ? row : { ...known, semantics: [...known.semantics, ...row.semantics] });
  };
  const [ipFamily] = comparisons.flatMap(({ after: { semantics } }) =>
    semantics.name === "vpc-cni" ? [semantics.ipFamily] : [],
  );
  for (const { semantics, before, after, diff } of comparisons) {
    for (const direction of ["gained", "lost"] as const) {
      for (const box of foldPortless(diff[direction].boxes)) {
        add(boxRow(box, direction, semantics, names));
      }
      const other = direction === "gained" ? before : after;
      for (const pods of diff[direction].pods.filter((row) => !isReachedByAddress(row, other, ipFamily, names))) {
        add(podsRow(pods, direction, semantics, direction === "gained" ? after : before, names));
      }
    }
  }
  // Gains before losses, those that matter most first.
  const rank = ({ direction, concerns }: ReviewRow) =>
    direction === "lost" ? CONCERNS.length + 1 : concerns[0] === "credentials" ? 0 : 1;
  return [...rows.values()].sort((a, b) => rank(a) - rank(b));
}

/**
 * Whether a side lets the pods reach all of some pods by their addresses anyway: those of the VPC, where pods have
 * theirs. A rule by label that comes or goes then opens or closes nothing.
 */
function isReachedByAddress(
  { protocols, ports }: PodRow,
  side: EgressAnalysis,
  ipFamily: AddressFamily | undefined,
  { blocks }: Names,
): boolean {
  const addresses = blocks
    .filter(({ place, cidr: { family } }) => place === "vpc" && family === (ipFamily ?? family))
    .map(({ cidr }) => cidr);
  const space = { addresses, protocols, ...(typeof ports === "string" ? {} : { ports: [ports] }) };
  return side.isolated && addresses.length > 0 && Reach.over(space).minus(Reach.of(side)).boxes.length === 0;
}

/**
 * The boxes of one direction, a box for protocols without ports folded into the box for all ports of the same addresses:
 * both come from a rule without `ports`, which to a reader is one thing.
 */
function foldPortless(boxes: readonly DiffBox[]): DiffBox[] {
  const placeOf = ({ range, before, after }: DiffBox) => `${formatRange(range)} ${before}>${after}`;
  const whole = new Set(boxes.filter((box) => isEveryProtocol(box.protocols) && isEveryPort(box.ports)).map(placeOf));
  return boxes.filter((box) => box.protocols.some(isPolicyProtocol) || !whole.has(placeOf(box)));
}

function isEveryPort({ from, to }: PortRange): boolean {
  return from === 0 && to === 65535;
}

function boxRow(
  box: DiffBox,
  direction: ReviewRow["direction"],
  semantics: SemanticsName,
  { blocks }: Names,
): ReviewRow {
  const destination = formatRange(box.range);
  return {
    direction,
    destination,
    kind: "addresses",
    names: box.names.map((name) => shortName(name, destination)),
    protocols: isEveryProtocol(box.protocols) ? "all" : box.protocols.filter((protocol) => hasFamily(protocol, box)),
    ports: box.ports,
    addresses: boxSize(box.range, { from: 0, to: 0 }),
    pairs: box.pairs,
    before: box.before,
    after: box.after,
    witness: formatPoint(box.witness),
    because: `after: ${box.explanations.after.decision}; before: ${box.explanations.before.decision}`,
    concerns: direction === "gained" ? concernsOf(box, blocks) : [],
    semantics: [semantics],
  };
}

/** ICMP is of IPv4, ICMPv6 of IPv6. */
function hasFamily(protocol: Protocol, { range: { family } }: DiffBox): boolean {
  return protocol === "ICMP" ? family === "ipv4" : protocol === "ICMPv6" ? family === "ipv6" : true;
}

function podsRow(
  { text, protocols, ports, grants }: PodRow,
  direction: ReviewRow["direction"],
  semantics: SemanticsName,
  allowing: EgressAnalysis,
  names: Names,
): ReviewRow {
  const isGain = direction === "gained";
  const rules = [...new Set(grants.map((grant) => formatReference(referenceTo(allowing, grant))))].join(" and ");
  return {
    direction,
    destination: text,
    kind: "pods",
    names: namesOfPods(text, names),
    protocols: isEveryProtocol(protocols) ? "all" : protocols,
    ports,
    addresses: undefined,
    pairs: undefined,
    before: isGain ? "deny" : "allow",
    after: isGain ? "allow" : "deny",
    witness: undefined,
    because: `${isGain ? "after" : "before"}: allowed ${rules === "" ? "because no policy isolates the egress of this pod" : `by ${rules}`}`,
    concerns: isGain ? ["pods"] : [],
    semantics: [semantics],
  };
}

function isPolicyProtocol(protocol: Protocol): boolean {
  return (POLICY_PROTOCOLS as readonly Protocol[]).includes(protocol);
}

function isEveryProtocol(protocols: readonly Protocol[]): boolean {
  return POLICY_PROTOCOLS.every((protocol) => protocols.includes(protocol));
}

/** `every protocol and port`, `TCP 5432`, `TCP and UDP 53`, `TCP port "metrics"`. */
export function formatRowPorts({ protocols, ports }: Pick<ReviewRow, "protocols" | "ports">): string {
  const numbers = typeof ports === "string" ? `port "${ports}"` : formatPorts(ports);
  if (protocols === "all" || isEveryProtocol(protocols)) {
    return numbers === "all ports" ? "every protocol and port" : `every protocol, ${numbers}`;
  }
  const names = protocols.join(" and ");
  return protocols.every((protocol) => PORTLESS_PROTOCOLS.includes(protocol)) ? names : `${names} ${numbers}`;
}

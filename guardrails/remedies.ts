import {
  type Cidr,
  cidrAt,
  cidrKey,
  cidrsOf,
  contains,
  type Explanation,
  formatCidr,
  isNat64,
  NAT64_PREFIX,
  nat64Image,
  overlaps,
  POLICY_PROTOCOLS,
  type PolicyProtocol,
  Reach,
  type ReachBox,
  rangeSet,
  subtract,
} from "../analysis/index.ts";
import type { Ports } from "../runner/contract.ts";
import type { Declaration, Destination } from "./declaration.ts";
import { peersAt, type RunnerReach } from "./policySet.ts";
import { destinationReach, privateSpace } from "./wanted.ts";

/**
 * What somebody changes in a declaration after the network has changed, to the value. A change is proposed only if it
 * settles what was found, so that nobody under time pressure needs a second round.
 */

/** Values that go into or out of a member of the declaration. */
export interface DeclarationEdit {
  readonly action: "add" | "remove";
  readonly values: readonly string[];
  /** `destinations.database.cidrs`. */
  readonly member: string;
}

/** More values than this nobody types; the regions of the message say them. */
export const MOST_VALUES = 12;

/** `add "10.1.103.0/24" to declaration.destinations.database.cidrs in the pack's config`, or the command that does it. */
export function formatEdits(edits: readonly DeclarationEdit[], declaration: Declaration): string {
  const texts = edits.map(({ action, values, member }) => {
    const list = values.map((value) => JSON.stringify(value)).join(", ");
    return (
      declaration.source?.updateOf?.(member) ??
      `${action} ${list} ${action === "add" ? "to" : "from"} ${memberIn(declaration, member)}`
    );
  });
  return [...new Set(texts)].join(" and ");
}

/** Where a member of the declaration is written; of one that was derived, where it comes from. */
export function memberIn({ source }: Pick<Declaration, "source">, member: string): string {
  return source?.placeOf(member) ?? `${member} of the declaration, which the contract and the facts make`;
}

/** The blocks that a finding is about: as the rule that decides writes them where those fit, else the fewest that do. */
function blocksOf(boxes: readonly ReachBox[], reach: RunnerReach, why: Explanation): Cidr[] {
  const ranges = rangeSet(boxes.map(({ range }) => range));
  const own = writtenBlocks(reach, why).filter((cidr) => ranges.some((range) => contains(range, cidr)));
  return subtract(ranges, own).length === 0 ? distinct(own) : ranges.flatMap(cidrsOf);
}

/** The blocks of the rule that decides. */
function writtenBlocks(reach: RunnerReach, { allowedBy }: Explanation): Cidr[] {
  return peersAt(reach, allowedBy[0]).flatMap((peer) => (peer.kind === "ipBlock" ? [peer.cidr] : []));
}

/** A region as a destination's members, such as `"cidrs": ["10.1.103.0/24"], "ports": ["5432/TCP"]`. */
export function regionMembers(boxes: readonly ReachBox[], reach: RunnerReach, why: Explanation): string | undefined {
  const ports = portsOf(boxes);
  const cidrs = blocksOf(boxes, reach, why);
  if (cidrs.length > MOST_VALUES || ports === undefined || !isExactly(boxes, { cidrs, pods: [], ports }, reach)) {
    return undefined;
  }
  const texts = ports.map(
    ({ protocol, port, endPort }) => `${port}${endPort === undefined ? "" : `-${endPort}`}/${protocol}`,
  );
  return `"cidrs": ${listText(cidrs.map(formatCidr))}, "ports": ${listText(texts)}`;
}

/** The blocks of a finding for the destination that they belong to: one with the same ports. */
export function destinationEdit(
  { destinations }: Declaration,
  boxes: readonly ReachBox[],
  reach: RunnerReach,
  why: Explanation,
): DeclarationEdit | undefined {
  const cidrs = blocksOf(boxes, reach, why);
  if (cidrs.length > MOST_VALUES) {
    return undefined;
  }
  const fitting = destinations.filter(
    ({ cidrs: own, ports }) => own.length > 0 && isExactly(boxes, { cidrs, pods: [], ports }, reach),
  );
  // Of two with the same ports the one that the rule serves already.
  const written = writtenBlocks(reach, why);
  const served = fitting.find(({ cidrs }) => cidrs.some((cidr) => written.some((block) => overlaps(cidr, block))));
  const destination = served ?? fitting[0];
  return destination === undefined
    ? undefined
    : { action: "add", values: cidrs.map(formatCidr), member: `destinations.${destination.name}.cidrs` };
}

/** Declared blocks of the VPC that are open altogether, if none of this would be private without them. */
export function staleVpcEdit(declaration: Declaration, boxes: readonly ReachBox[]): DeclarationEdit | undefined {
  const { vpcCidrs } = declaration;
  const ranges = rangeSet(boxes.map(({ range }) => range));
  const stale = vpcCidrs.filter((cidr) =>
    [cidr, ...imageOf(cidr)].some((block) => subtract([block], ranges).length === 0),
  );
  const rest = { ...declaration, vpcCidrs: vpcCidrs.filter((cidr) => !stale.includes(cidr)) };
  return stale.length === 0 || privateSpace(rest).some((block) => ranges.some((range) => overlaps(block, range)))
    ? undefined
    : { action: "remove", values: stale.map(formatCidr), member: "vpcCidrs" };
}

/** Blocks of a destination that are lost altogether, if they are all that is lost. */
export function lostBlocksEdit(
  { name, cidrs, ports }: Destination,
  lost: readonly ReachBox[],
  { reach }: RunnerReach,
): DeclarationEdit | undefined {
  const gone = cidrs.filter((cidr) => destinationReach({ cidrs: [cidr], pods: [], ports }).intersection(reach).isEmpty);
  const isAll = lost.every(({ range }) => subtract([range], gone).length === 0);
  return gone.length === 0 || !isAll || gone.length > MOST_VALUES
    ? undefined
    : { action: "remove", values: gone.map(formatCidr), member: `destinations.${name}.cidrs` };
}

/**
 * The `except`s that take public addresses away, if nothing would be lost were they blocks of the VPC.
 *
 * @param losesWith whether anything is lost with another declaration
 */
export function vpcBlocksEdit(
  declaration: Declaration,
  lost: readonly ReachBox[],
  { policies }: RunnerReach,
  losesWith: (declaration: Declaration) => boolean,
): { readonly edit: DeclarationEdit; readonly declaration: Declaration; readonly blocks: readonly Cidr[] } | undefined {
  const ranges = rangeSet(lost.map(({ range }) => range));
  const excepts = policies.flatMap(({ policy }) =>
    policy.egress.flatMap(({ to }) => (to ?? []).flatMap((peer) => (peer.kind === "ipBlock" ? peer.excepts : []))),
  );
  const lostExcepts = excepts.filter((except) => ranges.some((range) => contains(range, except)));
  // The VPC has the IPv4 block, not its image behind NAT64.
  const blocks = distinct(lostExcepts.map((block) => (isNat64(block) ? ipv4Of(block) : block)));
  const widened = { ...declaration, vpcCidrs: [...declaration.vpcCidrs, ...blocks] };
  return blocks.length === 0 || blocks.length > MOST_VALUES || losesWith(widened)
    ? undefined
    : { edit: { action: "add", values: blocks.map(formatCidr), member: "vpcCidrs" }, declaration: widened, blocks };
}

/** Whether a destination would declare all of some boxes, and nothing that is not reachable. */
function isExactly(
  boxes: readonly ReachBox[],
  region: Pick<Destination, "cidrs" | "pods" | "ports">,
  { reach }: RunnerReach,
): boolean {
  const declared = destinationReach(region);
  return (
    declared.minus(reach).isEmpty &&
    boxes.every(
      ({ range, protocols, ports }) =>
        Reach.over({ addresses: [range], protocols: namedIn(protocols), ports: [ports] }).minus(declared).isEmpty,
    )
  );
}

function namedIn(protocols: ReachBox["protocols"]): PolicyProtocol[] {
  return POLICY_PROTOCOLS.filter((protocol) => protocols.includes(protocol));
}

/** All ports of boxes; `undefined` where port 0 is among them, which no declaration names. */
function portsOf(boxes: readonly ReachBox[]): Ports[] | undefined {
  if (boxes.some(({ ports }) => ports.from === 0)) {
    return undefined;
  }
  const all = boxes.flatMap(({ protocols, ports: { from, to } }) =>
    namedIn(protocols).map((protocol) => ({ protocol, port: from, ...(to > from && { endPort: to }) })),
  );
  return [...new Map(all.map((ports) => [JSON.stringify(ports), ports])).values()];
}

/** Where IPv6 pods reach an IPv4 block. */
function imageOf(cidr: Cidr): Cidr[] {
  return cidr.family === "ipv4" ? [nat64Image(cidr)] : [];
}

/** The IPv4 block whose image behind NAT64 this is. */
function ipv4Of({ first, prefixLength }: Cidr): Cidr {
  return cidrAt("ipv4", first - NAT64_PREFIX.first, prefixLength - NAT64_PREFIX.prefixLength);
}

/** Each block once. */
export function distinct(cidrs: readonly Cidr[]): Cidr[] {
  return [...new Map(cidrs.map((cidr) => [cidrKey(cidr), cidr])).values()];
}

function listText(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;
}

import { type Address, BITS, blockAt, type Family, readAddress, readBlock } from "./addresses.ts";
import { cidrsOf, portRangesOf } from "./points.ts";
import { type NetworkPolicy, PORT_PROTOCOLS, type PortProtocol } from "./policy.ts";
import { keyOf } from "./vpcCniAgent.ts";

/** A verdict on one (address, protocol, port); the address is a number and is taken as it stands, IPv4-mapped or not. */
export type VerdictAt = (address: Address, protocol: PortProtocol, port: number) => string;

export type Counts = Readonly<Record<Family, Readonly<Record<PortProtocol, bigint>>>>;

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/**
 * How many (address, port) pairs of each family and protocol have a wanted outcome, port 0 included.
 *
 * Addresses and ports are cut wherever one of the policy sets names a boundary, so that a verdict is the same all over a
 * cell; each cell is asked once, at its first address and port, and counts with its size. Cuts that are not needed do no
 * harm, so every block is cut in both families (the VPC CNI agent writes some into the other one) and so is the node.
 */
export function countPairs(
  sets: readonly (readonly NetworkPolicy[])[],
  isWanted: (address: Address, protocol: PortProtocol, port: number) => boolean,
  nodeIp?: string,
): Counts {
  const policies = sets.flat();
  const ports = cellsOf(
    portRangesOf(policies).flatMap(([first, last]) => [BigInt(first), BigInt(last) + 1n]),
    65536n,
  );
  const counts: Record<Family, Record<PortProtocol, bigint>> = {
    ipv4: { TCP: 0n, UDP: 0n, SCTP: 0n },
    ipv6: { TCP: 0n, UDP: 0n, SCTP: 0n },
  };
  for (const family of FAMILIES) {
    for (const addresses of cellsOf(addressCuts(policies, family, nodeIp), 2n ** BigInt(BITS[family]))) {
      for (const protocol of PORT_PROTOCOLS) {
        for (const { first, size } of ports) {
          if (isWanted({ family, value: addresses.first }, protocol, Number(first))) {
            counts[family][protocol] += addresses.size * size;
          }
        }
      }
    }
  }
  return counts;
}

/** The pairs with a given verdict. */
export function countVerdict(
  policies: readonly NetworkPolicy[],
  verdictAt: VerdictAt,
  verdict: string,
  nodeIp?: string,
): Counts {
  return countPairs([policies], (...point) => verdictAt(...point) === verdict, nodeIp);
}

/** How open each verdict is. */
const OPENNESS: Readonly<Record<string, number>> = { deny: 0, "order-dependent": 1, allow: 2 };

/** The pairs whose verdict a change makes more open, and those that it makes less open. */
export function countChange(
  before: readonly NetworkPolicy[],
  after: readonly NetworkPolicy[],
  verdictOf: (policies: readonly NetworkPolicy[]) => VerdictAt,
  nodeIp?: string,
): { readonly gained: Counts; readonly lost: Counts } {
  const [was, is] = [verdictOf(before), verdictOf(after)];
  const opening = (...point: Parameters<VerdictAt>) => (OPENNESS[is(...point)] ?? 0) - (OPENNESS[was(...point)] ?? 0);
  return {
    gained: countPairs([before, after], (...point) => opening(...point) > 0, nodeIp),
    lost: countPairs([before, after], (...point) => opening(...point) < 0, nodeIp),
  };
}

function addressCuts(policies: readonly NetworkPolicy[], family: Family, nodeIp: string | undefined): bigint[] {
  const node = nodeIp === undefined ? [] : [readAddress(nodeIp)];
  return [
    ...cidrsOf(policies)
      .map((cidr) => keyOf(readBlock(cidr), family))
      .filter(({ prefixLength }) => prefixLength <= BITS[family]),
    ...node.filter((address) => address.family === family).map(({ value }) => blockAt(family, value, BITS[family])),
  ].flatMap(({ first, last }) => [first, last + 1n]);
}

/** The runs between consecutive cuts of 0 … end - 1. */
function cellsOf(cuts: readonly bigint[], end: bigint): { readonly first: bigint; readonly size: bigint }[] {
  const starts = [...new Set([0n, ...cuts.filter((cut) => cut < end)])].sort((a, b) => (a < b ? -1 : 1));
  return starts.map((first, index) => ({ first, size: (starts[index + 1] ?? end) - first }));
}

import { type Address, BITS, blockAt, type Family, readAddress, readBlock } from "./addresses.ts";
import { cidrsOf, portRangesOf } from "./points.ts";
import { type NetworkPolicy, PORT_PROTOCOLS, type PortProtocol } from "./policy.ts";
import { keyOf } from "./vpcCniAgent.ts";

/** A verdict on one (address, protocol, port); the address is a number and is taken as it stands, IPv4-mapped or not. */
export type VerdictAt = (address: Address, protocol: PortProtocol, port: number) => string;

export type Counts = Readonly<Record<Family, Readonly<Record<PortProtocol, bigint>>>>;

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/**
 * How many (address, port) pairs of each family and protocol fall into each class, port 0 included.
 *
 * Addresses and ports are cut wherever one of the policy sets names a boundary, so that a verdict is the same all over a
 * cell; each cell is asked once, at its first address and port, and counts with its size. Cuts that are not needed do no
 * harm, so every block is cut in both families (the VPC CNI agent writes some into the other one) and so is the node.
 */
export function countPairs<Class extends string>(
  sets: readonly (readonly NetworkPolicy[])[],
  classOf: (address: Address, protocol: PortProtocol, port: number) => Class,
  nodeIp?: string,
): (wanted: Class) => Counts {
  const policies = sets.flat();
  const ports = cellsOf(
    portRangesOf(policies).flatMap(([first, last]) => [BigInt(first), BigInt(last) + 1n]),
    65536n,
  );
  const sizes = new Map<string, bigint>();
  for (const family of FAMILIES) {
    for (const addresses of cellsOf(addressCuts(policies, family, nodeIp), 2n ** BigInt(BITS[family]))) {
      for (const protocol of PORT_PROTOCOLS) {
        for (const { first, size } of ports) {
          const key = `${family} ${protocol} ${classOf({ family, value: addresses.first }, protocol, Number(first))}`;
          sizes.set(key, (sizes.get(key) ?? 0n) + addresses.size * size);
        }
      }
    }
  }
  return (wanted) => {
    const of = (family: Family) => {
      const size = (protocol: PortProtocol) => sizes.get(`${family} ${protocol} ${wanted}`) ?? 0n;
      return { TCP: size("TCP"), UDP: size("UDP"), SCTP: size("SCTP") };
    };
    return { ipv4: of("ipv4"), ipv6: of("ipv6") };
  };
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
  const counts = countPairs(
    [before, after],
    (...point) => {
      const opening = (OPENNESS[is(...point)] ?? 0) - (OPENNESS[was(...point)] ?? 0);
      return opening > 0 ? "gained" : opening < 0 ? "lost" : "same";
    },
    nodeIp,
  );
  return { gained: counts("gained"), lost: counts("lost") };
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

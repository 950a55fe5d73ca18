import { ADDRESS_BITS, type AddressFamily } from "../analysis/address.ts";
import { type Cidr, cidrAt, formatCidr, leastSet, overlaps, parseCidr } from "../analysis/cidr.ts";
import { NAT64_PREFIX, nat64Image, notGloballyReachable, PRIVATE_OF_OTHER_FAMILY } from "../analysis/specialPurpose.ts";

/** What the rule for the public internet excepts, for each family, and what it had to leave out. */
export interface ExceptLists {
  readonly ipv4: readonly Cidr[];
  readonly ipv6: readonly Cidr[];
  /** Blocks of the VPC that are missing on purpose, with the reason; none in an IPv4 cluster. */
  readonly leftOut: readonly { readonly cidr: Cidr; readonly reason: string }[];
}

/** What the except lists depend on. */
export interface ExceptFacts {
  readonly ipFamily: AddressFamily;
  readonly vpcCidrs: readonly Cidr[];
  /** Blocks that other rules of the policy allow. */
  readonly allowedCidrs: readonly Cidr[];
  /** Blocks of the cluster's family to except on top. Default: none. */
  readonly further?: readonly Cidr[];
}

/** Public IPv6 unicast, RFC 4291 section 2.4. */
const GLOBAL_UNICAST = parseCidr("2000::/3");

/**
 * The `except` lists of `0.0.0.0/0` and `::/0`, least sets in address order: KeeperHub's own, every special-purpose
 * block that is not globally reachable, and the VPC's and `further` blocks that those do not cover.
 *
 * Only the cluster's own family gets the whole list. The VPC CNI's agent writes the excepts of the other family into
 * the same map, cut to its address size (aws-network-policy-agent #631, seen in its compiler 2026-11):
 *
 * - In an IPv4 cluster an IPv6 `except` longer than /32 freezes the map and a shorter one denies public IPv4 addresses
 *   (`2002::/16` would deny `32.2.0.0/16`). KeeperHub's two fall into `240.0.0.0/4`, which is denied anyway.
 * - In an IPv6 cluster an IPv4 `except` denies the IPv6 block with the same first bytes. KeeperHub's six fall outside
 *   global unicast. Of the VPC's blocks those stay whose image denies nothing that is allowed; the rest is left out.
 */
export function exceptLists({ ipFamily, vpcCidrs, allowedCidrs, further = [] }: ExceptFacts): ExceptLists {
  const vpc = (family: AddressFamily) => vpcCidrs.filter((cidr) => cidr.family === family);
  const ipv4 = leastSet([...PRIVATE_OF_OTHER_FAMILY.ipv4, ...notGloballyReachable("ipv4"), ...vpc("ipv4")]);
  if (ipFamily === "ipv4") {
    return { ipv4: leastSet([...ipv4, ...further]), ipv6: leastSet(PRIVATE_OF_OTHER_FAMILY.ipv6), leftOut: [] };
  }

  const ipv6 = leastSet([
    ...PRIVATE_OF_OTHER_FAMILY.ipv6,
    ...notGloballyReachable("ipv6"),
    ...ipv4.map(nat64Image),
    ...vpc("ipv6"),
    ...further,
  ]);
  const own: readonly Cidr[] = PRIVATE_OF_OTHER_FAMILY.ipv4;
  const vpcBlocks = leastSet([...own, ...vpc("ipv4")]).filter((cidr) => !own.includes(cidr));
  const judged = vpcBlocks.map((cidr) => {
    const image = imageInIpv6Map(cidr);
    return {
      cidr,
      image,
      hit: [GLOBAL_UNICAST, NAT64_PREFIX, ...allowedCidrs].find((block) => overlaps(image, block)),
    };
  });
  return {
    ipv4: leastSet([...own, ...judged.filter(({ hit }) => hit === undefined).map(({ cidr }) => cidr)]),
    ipv6,
    leftOut: judged.flatMap(({ cidr, image, hit }) => {
      const reason =
        hit &&
        `in an IPv6 cluster the VPC CNI's agent would write it as ${formatCidr(image)} and deny ${formatCidr(hit)} there; ` +
          "IPv4 egress of an IPv6 cluster is not enforced anyway";
      return reason === undefined ? [] : [{ cidr, reason }];
    }),
  };
}

/** The IPv6 key that the agent makes of an IPv4 `except`: the same leading bytes, the same prefix length. */
export function imageInIpv6Map(ipv4: Cidr): Cidr {
  return cidrAt("ipv6", ipv4.first << BigInt(ADDRESS_BITS.ipv6 - ADDRESS_BITS.ipv4), ipv4.prefixLength);
}

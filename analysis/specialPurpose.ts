import { type Address, type AddressFamily, LAST_ADDRESS } from "./address.ts";
import { type AddressRange, type Cidr, cidrAt, contains, formatCidr, leastSet, overlaps, parseCidr } from "./cidr.ts";
import { type RangeSet, subtract } from "./rangeSet.ts";

/**
 * Whether the registry says that packets to a block may be forwarded across the whole internet. `not-applicable` is the
 * registry's own word for Teredo and 6to4, whose answer depends on the IPv4 address inside; a blank there (deprecated
 * blocks) counts the same.
 */
export type GloballyReachable = "yes" | "no" | "not-applicable";

/** One row: a block, what it is for, who says so. */
export interface SpecialPurposeBlock {
  readonly cidr: Cidr;
  /** The registry's name, as a reader would say it. */
  readonly name: string;
  /** The defining document(s). */
  readonly reference: string;
  readonly globallyReachable: GloballyReachable;
}

const ROWS: readonly (readonly [cidr: string, name: string, reference: string, reachable: GloballyReachable])[] = [
  ["0.0.0.0/8", "this network", "RFC 791", "no"],
  ["0.0.0.0/32", "this host on this network", "RFC 1122", "no"],
  ["10.0.0.0/8", "private use", "RFC 1918", "no"],
  ["100.64.0.0/10", "shared address space", "RFC 6598", "no"],
  ["127.0.0.0/8", "loopback", "RFC 1122", "no"],
  ["169.254.0.0/16", "link-local", "RFC 3927", "no"],
  ["172.16.0.0/12", "private use", "RFC 1918", "no"],
  ["192.0.0.0/24", "IETF protocol assignments", "RFC 6890", "no"],
  ["192.0.0.0/29", "IPv4 service continuity prefix", "RFC 7335", "no"],
  ["192.0.0.8/32", "IPv4 dummy address", "RFC 7600", "no"],
  ["192.0.0.9/32", "port control protocol anycast", "RFC 7723", "yes"],
  ["192.0.0.10/32", "TURN anycast", "RFC 8155", "yes"],
  ["192.0.0.170/32", "NAT64/DNS64 discovery", "RFC 8880, RFC 7050", "no"],
  ["192.0.0.171/32", "NAT64/DNS64 discovery", "RFC 8880, RFC 7050", "no"],
  ["192.0.2.0/24", "documentation (TEST-NET-1)", "RFC 5737", "no"],
  ["192.31.196.0/24", "AS112-v4", "RFC 7535", "yes"],
  ["192.52.193.0/24", "AMT", "RFC 7450", "yes"],
  ["192.88.99.0/24", "6to4 relay anycast (deprecated)", "RFC 7526", "not-applicable"],
  ["192.88.99.2/32", "6a44 relay anycast", "RFC 6751", "no"],
  ["192.168.0.0/16", "private use", "RFC 1918", "no"],
  ["192.175.48.0/24", "direct delegation AS112", "RFC 7534", "yes"],
  ["198.18.0.0/15", "benchmarking", "RFC 2544", "no"],
  ["198.51.100.0/24", "documentation (TEST-NET-2)", "RFC 5737", "no"],
  ["203.0.113.0/24", "documentation (TEST-NET-3)", "RFC 5737", "no"],
  ["240.0.0.0/4", "reserved", "RFC 1112", "no"],
  ["255.255.255.255/32", "limited broadcast", "RFC 8190, RFC 919", "no"],
  ["::/128", "unspecified address", "RFC 4291", "no"],
  ["::1/128", "loopback", "RFC 4291", "no"],
  ["64:ff9b::/96", "IPv4-IPv6 translation (NAT64)", "RFC 6052", "yes"],
  ["64:ff9b:1::/48", "local-use IPv4-IPv6 translation", "RFC 8215", "no"],
  ["100::/64", "discard only", "RFC 6666", "no"],
  ["100:0:0:1::/64", "dummy IPv6 prefix", "RFC 9780", "no"],
  ["2001::/23", "IETF protocol assignments", "RFC 2928", "no"],
  ["2001::/32", "Teredo", "RFC 4380, RFC 8190", "not-applicable"],
  ["2001:1::1/128", "port control protocol anycast", "RFC 7723", "yes"],
  ["2001:1::2/128", "TURN anycast", "RFC 8155", "yes"],
  ["2001:1::3/128", "DNS-SD service registration anycast", "RFC 9665", "yes"],
  ["2001:2::/48", "benchmarking", "RFC 5180", "no"],
  ["2001:3::/32", "AMT", "RFC 7450", "yes"],
  ["2001:4:112::/48", "AS112-v6", "RFC 7535", "yes"],
  ["2001:10::/28", "ORCHID (deprecated)", "RFC 4843", "not-applicable"],
  ["2001:20::/28", "ORCHIDv2", "RFC 7343", "yes"],
  ["2001:30::/28", "drone remote identification", "RFC 9374", "yes"],
  ["2001:db8::/32", "documentation", "RFC 3849", "no"],
  ["2002::/16", "6to4", "RFC 3056", "not-applicable"],
  ["2620:4f:8000::/48", "direct delegation AS112", "RFC 7534", "yes"],
  ["3fff::/20", "documentation", "RFC 9637", "no"],
  ["5f00::/16", "segment routing (SRv6) SIDs", "RFC 9602", "no"],
  ["fc00::/7", "unique local", "RFC 4193, RFC 8190", "no"],
  ["fe80::/10", "link-local", "RFC 4291", "no"],
  // What the special-purpose registries leave out because other IANA registries hold it, and what a guard has to deny all
  // the same: no unicast host of the internet answers there.
  ["224.0.0.0/4", "multicast", "RFC 5771", "no"],
  ["::/96", "IPv4-compatible (deprecated)", "RFC 4291", "no"],
  ["::ffff:0:0:0/96", "IPv4-translated", "RFC 2765", "no"],
  ["fec0::/10", "site-local (deprecated)", "RFC 3879", "no"],
  ["ff00::/8", "multicast", "RFC 4291", "no"],
];

/**
 * The IANA special-purpose address registries and the rows of their neighbours (RFC 6890, RFC 8190), as of 2026-07-18. One
 * row of the registry is missing on purpose: `::ffff:0:0/96`, IPv4-mapped (RFC 4291). Linux sends those packets as IPv4,
 * so the IPv4 rows decide, and the API server refuses the block as an `except`.
 */
export const SPECIAL_PURPOSE_BLOCKS: readonly SpecialPurposeBlock[] = ROWS.map(
  ([cidr, name, reference, globallyReachable]) => ({ cidr: parseCidr(cidr), name, reference, globallyReachable }),
);

/** A single address that AWS gives a meaning of its own. */
export interface AwsEndpoint {
  /** A block of one address. */
  readonly cidr: Cidr;
  readonly name: string;
  /** The TCP port on which whoever reaches it may get credentials of the instance, the task or the pod. */
  readonly credentialsPort?: number;
}

const endpoint = (address: string, name: string, credentialsPort?: number): AwsEndpoint => ({
  cidr: parseCidr(`${address}/${address.includes(":") ? 128 : 32}`),
  name,
  ...(credentialsPort === undefined ? {} : { credentialsPort }),
});

/** Link-local and unique-local services of an EC2 instance (EC2, ECS and EKS user guides, as of 2026-07). */
export const AWS_ENDPOINTS: readonly AwsEndpoint[] = [
  endpoint("169.254.169.254", "EC2 instance metadata (IMDS)", 80),
  endpoint("fd00:ec2::254", "EC2 instance metadata (IMDS)", 80),
  endpoint("169.254.170.2", "ECS task credentials", 80),
  endpoint("169.254.170.23", "EKS Pod Identity credentials", 80),
  endpoint("fd00:ec2::23", "EKS Pod Identity credentials", 80),
  endpoint("169.254.169.253", "Route 53 Resolver"),
  endpoint("fd00:ec2::253", "Route 53 Resolver"),
  endpoint("169.254.169.123", "Amazon Time Sync"),
  endpoint("fd00:ec2::123", "Amazon Time Sync"),
  endpoint("169.254.20.10", "NodeLocal DNSCache"),
];

/** The AWS service at exactly this address, if there is one. */
export function awsEndpointAt({ family, value }: Address): string | undefined {
  return AWS_ENDPOINTS.find(({ cidr }) => cidr.family === family && cidr.first === value)?.name;
}

/** The most specific block of the registries that holds the whole range. */
export function specialPurposeBlockOf(range: AddressRange): SpecialPurposeBlock | undefined {
  return specialPurposeBlocksIn(range).findLast(({ cidr }) => contains(cidr, range));
}

/** Every block of the registries that a range touches, widest first; what a reader would call a larger range. */
export function specialPurposeBlocksIn(range: AddressRange): SpecialPurposeBlock[] {
  return SPECIAL_PURPOSE_BLOCKS.filter(({ cidr }) => overlaps(cidr, range)).sort(
    (a, b) => a.cidr.prefixLength - b.cidr.prefixLength,
  );
}

/**
 * The blocks that a rule for the public internet has to except: every row that is not globally reachable, without those
 * that lie inside another. A reachable row inside an unreachable one (`192.0.0.9/32`, `2001:20::/28`) goes with it: an
 * `except` has no exceptions, and no public service lives there.
 */
export function notGloballyReachable(family: AddressFamily): Cidr[] {
  const rows = SPECIAL_PURPOSE_BLOCKS.filter((row) => row.cidr.family === family && row.globallyReachable !== "yes");
  return leastSet(rows.map(({ cidr }) => cidr));
}

/** Ways in which an IPv6 address carries an IPv4 one. */
export type EmbeddingMechanism = "IPv4-mapped" | "NAT64" | "6to4" | "Teredo" | "IPv4-compatible";

/** The IPv4 address inside an IPv6 one. */
export interface EmbeddedIpv4 {
  readonly mechanism: EmbeddingMechanism;
  readonly reference: string;
  readonly ipv4: Address;
}

/** The well-known NAT64 prefix, RFC 6052. */
export const NAT64_PREFIX = parseCidr("64:ff9b::/96");

/** Blocks whose addresses carry an IPv4 address in the 32 bits above the lowest `shift`; Teredo's is stored inverted. */
const EMBEDDINGS: readonly (Omit<EmbeddedIpv4, "ipv4"> & { readonly cidr: Cidr; readonly shift: bigint })[] = [
  {
    cidr: cidrAt("ipv6", 0xffffn << 32n, 96),
    shift: 0n,
    mechanism: "IPv4-mapped",
    reference: "RFC 4291 section 2.5.5.2",
  },
  { cidr: NAT64_PREFIX, shift: 0n, mechanism: "NAT64", reference: "RFC 6052" },
  { cidr: parseCidr("2002::/16"), shift: 80n, mechanism: "6to4", reference: "RFC 3056" },
  { cidr: parseCidr("2001::/32"), shift: 0n, mechanism: "Teredo", reference: "RFC 4380" },
  { cidr: parseCidr("::/96"), shift: 0n, mechanism: "IPv4-compatible", reference: "RFC 4291 section 2.5.5.1" },
];

/** The IPv4 address that an IPv6 address carries, and how; `undefined` for `::`, `::1` and all others. */
export function embeddedIpv4({ family, value }: Address): EmbeddedIpv4 | undefined {
  const found = EMBEDDINGS.find(({ cidr }) => value > 1n && contains(cidr, { family, first: value, last: value }));
  if (found === undefined) {
    return undefined;
  }
  const { mechanism, reference, shift } = found;
  const carried = (value >> shift) & LAST_ADDRESS.ipv4;
  const ipv4 = mechanism === "Teredo" ? carried ^ LAST_ADDRESS.ipv4 : carried;
  return { mechanism, reference, ipv4: { family: "ipv4", value: ipv4 } };
}

/**
 * The address that is really on the wire: Linux sends a packet to an IPv4-mapped address as IPv4, so the IPv4 rules
 * decide. All others are sent as they are.
 */
export function onTheWire(address: Address): Address {
  return address.family === "ipv6" && address.value >> 32n === 0xffffn
    ? { family: "ipv4", value: address.value & LAST_ADDRESS.ipv4 }
    : address;
}

/** The block of `64:ff9b::/96` through which a NAT64 gateway reaches an IPv4 block. */
export function nat64Image(ipv4: Cidr): Cidr {
  return cidrAt("ipv6", NAT64_PREFIX.first | ipv4.first, 96 + ipv4.prefixLength);
}

/** Whether a block lies wholly in the NAT64 prefix. */
export function isNat64(cidr: Cidr): boolean {
  return contains(NAT64_PREFIX, cidr);
}

/** Where public hosts are: all of IPv4; of IPv6 global unicast (RFC 4291) and what NAT64 carries (RFC 6052). */
export const UNICAST_SPACE: Readonly<Record<AddressFamily, readonly Cidr[]>> = {
  ipv4: [parseCidr("0.0.0.0/0")],
  ipv6: [NAT64_PREFIX, parseCidr("2000::/3")],
};

/**
 * The public internet of a family: where public hosts are, without what is not globally reachable, without the blocks of
 * one's own VPC, and behind NAT64 without the images of both.
 */
export function publicInternet(family: AddressFamily, vpcCidrs: readonly Cidr[] = []): RangeSet {
  return subtract(UNICAST_SPACE[family], notPublic(family, vpcCidrs));
}

function notPublic(family: AddressFamily, vpcCidrs: readonly Cidr[]): Cidr[] {
  const own = (of: AddressFamily) => [...notGloballyReachable(of), ...vpcCidrs.filter((cidr) => cidr.family === of)];
  return family === "ipv4" ? own("ipv4") : [...own("ipv6"), ...leastSet(own("ipv4")).map(nat64Image)];
}

/**
 * What counts as private in the family that the cluster's pods do not have. Nothing there can be reached or enforced, but
 * a policy that opens it is a mistake all the same. It is no longer list because it cannot be: the AWS agent writes
 * `except`s of the other family into its own map, where an IPv6 one longer than /32 freezes it and a shorter one denies
 * public IPv4 addresses (aws-network-policy-agent #631, seen in its compiler 2026-11). These fall into reserved space;
 * KeeperHub's manifests of June 2026 except the same.
 */
export const PRIVATE_OF_OTHER_FAMILY: Readonly<Record<AddressFamily, readonly Cidr[]>> = {
  ipv4: ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"].map(
    parseCidr,
  ),
  ipv6: ["fc00::/7", "fe80::/10"].map(parseCidr),
};

/**
 * Everything that is not public: in the cluster's own family every block that is not globally reachable, the VPC's
 * blocks, and behind NAT64 the images of both; in the other family the blocks that can be excepted. Disjoint, in address
 * order.
 */
export function privateSpace(ipFamily: AddressFamily, vpcCidrs: readonly Cidr[]): Cidr[] {
  const other = ipFamily === "ipv4" ? "ipv6" : "ipv4";
  return leastSet([...notPublic(ipFamily, vpcCidrs), ...PRIVATE_OF_OTHER_FAMILY[other]]);
}

/** A metadata or credential service as the pods of a cluster can address it. */
export interface CredentialEndpoint {
  readonly name: string;
  /** The single address. */
  readonly cidr: Cidr;
  /** The TCP port that it answers on. */
  readonly port: number;
  /** EKS Pod Identity: a runner may need it, and then declares it. */
  readonly declarable: boolean;
}

/**
 * The endpoints that hand out credentials to pods: in an IPv4 cluster those of IPv4; in an IPv6 cluster all of them, and
 * the IPv4 ones behind NAT64. Without a family: all, and none behind NAT64.
 */
export function credentialEndpoints(ipFamily?: AddressFamily): CredentialEndpoint[] {
  return AWS_ENDPOINTS.flatMap(({ cidr, name, credentialsPort: port }) => {
    if (port === undefined) {
      return [];
    }
    const endpoint = { name, cidr, port, declarable: name.includes("Pod Identity") };
    return cidr.family === "ipv4" && ipFamily === "ipv6"
      ? [endpoint, { ...endpoint, name: `${name} behind NAT64`, cidr: nat64Image(cidr) }]
      : [endpoint];
  });
}

/** A block as a person reads it: `100.64.0.0/10, shared address space (RFC 6598)`. */
export function describeBlock({ cidr, name, reference }: SpecialPurposeBlock): string {
  return `${formatCidr(cidr)}, ${name} (${reference})`;
}

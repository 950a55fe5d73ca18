import type { Address } from "./address.ts";
import { type Cidr, cidrAt, contains, parseCidr } from "./cidr.ts";

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

const MAPPED_FIRST = 0xffff00000000n;
const LOW_32_BITS = 0xffffffffn;

interface Embedding {
  readonly mechanism: EmbeddingMechanism;
  readonly reference: string;
  readonly within: { readonly first: bigint; readonly last: bigint };
  readonly extract: (value: bigint) => bigint;
}

const lowBits = (value: bigint) => value & LOW_32_BITS;

const EMBEDDINGS: readonly Embedding[] = [
  {
    mechanism: "IPv4-mapped",
    reference: "RFC 4291 section 2.5.5.2",
    within: { first: MAPPED_FIRST, last: MAPPED_FIRST + LOW_32_BITS },
    extract: lowBits,
  },
  { mechanism: "NAT64", reference: "RFC 6052", within: NAT64_PREFIX, extract: lowBits },
  {
    mechanism: "6to4",
    reference: "RFC 3056",
    within: parseCidr("2002::/16"),
    extract: (value) => (value >> 80n) & LOW_32_BITS,
  },
  {
    mechanism: "Teredo",
    reference: "RFC 4380",
    within: parseCidr("2001::/32"),
    // The client's address, stored inverted.
    extract: (value) => (value & LOW_32_BITS) ^ LOW_32_BITS,
  },
  { mechanism: "IPv4-compatible", reference: "RFC 4291 section 2.5.5.1", within: parseCidr("::/96"), extract: lowBits },
];

/** The IPv4 address that an IPv6 address carries, and how; `undefined` for `::`, `::1` and all others. */
export function embeddedIpv4(address: Address): EmbeddedIpv4 | undefined {
  if (address.family === "ipv4" || address.value <= 1n) {
    return undefined;
  }
  for (const { mechanism, reference, within, extract } of EMBEDDINGS) {
    if (within.first <= address.value && address.value <= within.last) {
      return { mechanism, reference, ipv4: { family: "ipv4", value: extract(address.value) } };
    }
  }
  return undefined;
}

/**
 * The address that is really on the wire: Linux sends a packet to an IPv4-mapped address as IPv4, so the IPv4 rules
 * decide. All others are sent as they are.
 */
export function onTheWire(address: Address): Address {
  const embedded = embeddedIpv4(address);
  return embedded?.mechanism === "IPv4-mapped" ? embedded.ipv4 : address;
}

/** The block of `64:ff9b::/96` through which a NAT64 gateway reaches an IPv4 block. */
export function nat64Image(ipv4: Cidr): Cidr {
  return cidrAt("ipv6", NAT64_PREFIX.first | ipv4.first, 96 + ipv4.prefixLength);
}

/** Whether a block lies wholly in the NAT64 prefix. */
export function isNat64(cidr: Cidr): boolean {
  return contains(NAT64_PREFIX, cidr);
}

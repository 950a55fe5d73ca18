import { IPv4, IPv6 } from "ip-num";

export type Family = "ipv4" | "ipv6";

export const BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A CIDR block as its first and last address. */
export interface Block {
  readonly family: Family;
  readonly prefixLength: number;
  readonly first: bigint;
  readonly last: bigint;
}

const MAPPED = 0xffffn;

/** Reads an address. `::ffff:a.b.c.d` is the IPv4 address it carries, since that is what a host sends. */
export function readAddress(text: string): Address {
  const address = read(text);
  return address.family === "ipv6" && address.value >> 32n === MAPPED
    ? { family: "ipv4", value: address.value & 0xffffffffn }
    : address;
}

// A long run reads the same few hundred texts millions of times, and ip-num takes some 14 µs for an IPv6 address.
const knownAddresses = new Map<string, Address>();
const knownBlocks = new Map<string, Block>();

/** Reads `address/length` as Go does: bits after the prefix do not count, and an IPv4-mapped block is the IPv4 block. */
export function readBlock(cidr: string): Block {
  let block = knownBlocks.get(cidr);
  if (block === undefined) {
    const [text = "", length = ""] = cidr.split("/");
    const { family, value } = read(text);
    block = blockAt(family, value, Number(length));
    if (family === "ipv6" && block.prefixLength >= 96 && block.first >> 32n === MAPPED) {
      block = blockAt("ipv4", block.first & 0xffffffffn, block.prefixLength - 96);
    }
    knownBlocks.set(cidr, block);
  }
  return block;
}

export function blockAt(family: Family, value: bigint, prefixLength: number): Block {
  const size = 2n ** BigInt(BITS[family] - prefixLength);
  const first = value - (value % size);
  return { family, prefixLength, first, last: first + size - 1n };
}

export function holds(block: Block, address: Address): boolean {
  return block.family === address.family && block.first <= address.value && address.value <= block.last;
}

/** Writes an address; IPv6 is compressed by the URL parser, which follows RFC 5952 save for its dotted forms. */
export function writeAddress({ family, value }: Address): string {
  if (family === "ipv4") {
    return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  }
  const groups = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) {
    groups.push(((value >> shift) & 0xffffn).toString(16));
  }
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

export function writeBlock(block: Block): string {
  return `${writeAddress({ family: block.family, value: block.first })}/${block.prefixLength}`;
}

function read(text: string): Address {
  let address = knownAddresses.get(text);
  if (address === undefined) {
    address = text.includes(":")
      ? { family: "ipv6", value: IPv6.fromString(text).getValue() }
      : { family: "ipv4", value: IPv4.fromString(text).getValue() };
    knownAddresses.set(text, address);
  }
  return address;
}

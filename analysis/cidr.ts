import {
  ADDRESS_BITS,
  type Address,
  type AddressFamily,
  formatAddress,
  LAST_ADDRESS,
  parseAddress,
} from "./address.ts";

/** A run of addresses of one family, both ends included. */
export interface AddressRange {
  readonly family: AddressFamily;
  readonly first: bigint;
  readonly last: bigint;
}

/** A CIDR block: a range whose first address has no bit set after the prefix. */
export interface Cidr extends AddressRange {
  readonly prefixLength: number;
  /** As a policy writes it, where that is not the canonical form and some reader may take it for another block. */
  readonly written?: string;
}

/**
 * Reads a block such as `10.0.0.0/8` or `fd00::/8`.
 *
 * @throws {RangeError} that says what is wrong: no CIDR notation, a bad address, a prefix length out of range, host bits
 * set (with the block that was probably meant). An IPv4-mapped block is refused, as the API server's strict validation
 * refuses it (KEP-4858): Linux sends such packets as IPv4, so no IPv6 rule ever sees them.
 */
export function parseCidr(text: string): Cidr {
  const { address, prefixLength } = splitCidr(text);
  const cidr = cidrAt(address.family, address.value, prefixLength);
  if (`${prefixLength}` !== text.slice(text.indexOf("/") + 1)) {
    throw notCidr(text);
  }
  if (cidr.first !== address.value) {
    throw new RangeError(`"${text}" has host bits set; the block is ${formatCidr(cidr)}`);
  }
  if (isMapped(cidr)) {
    throw new RangeError(`"${text}" is IPv4-mapped; write the IPv4 block, which is what is sent`);
  }
  return cidr;
}

/**
 * An address and a prefix length of its family.
 *
 * @param read reads the address. Default: {@link parseAddress}.
 * @throws {RangeError} as {@link parseCidr} does.
 */
export function splitCidr(text: string, read = parseAddress): { address: Address; prefixLength: number } {
  const [, start = "", digits] = /^([^/]*)\/(\d+)$/.exec(text) ?? [];
  if (digits === undefined) {
    throw notCidr(text);
  }
  const address = read(start);
  if (address === undefined) {
    throw new RangeError(`"${text}" does not start with an IPv4 or IPv6 address`);
  }
  const bits = ADDRESS_BITS[address.family];
  if (Number(digits) > bits) {
    throw new RangeError(`"${text}" has prefix length ${digits}; ${address.family} allows 0 to ${bits}`);
  }
  return { address, prefixLength: Number(digits) };
}

function notCidr(text: string): RangeError {
  return new RangeError(
    `"${text}" is not CIDR notation, which is ADDRESS/PREFIX-LENGTH such as 10.0.0.0/8 or fd00::/8`,
  );
}

/** Whether a block is in `::ffff:0:0/96`. */
export function isMapped({ family, first, prefixLength }: Cidr): boolean {
  return family === "ipv6" && prefixLength >= 96 && first >> 32n === 0xffffn;
}

/** Writes a block canonically; equal blocks give equal text. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress({ family: cidr.family, value: cidr.first })}/${cidr.prefixLength}`;
}

/** A key that is equal exactly for equal blocks; cheaper than {@link formatCidr} where nobody reads it. */
export function cidrKey({ family, first, prefixLength }: Cidr): string | number {
  return family === "ipv4" ? Number(first) * 64 + prefixLength : `${first}/${prefixLength}`;
}

/** The block of a prefix length that holds an address. */
export function cidrAt(family: AddressFamily, address: bigint, prefixLength: number): Cidr {
  const hostBits = BigInt(ADDRESS_BITS[family] - prefixLength);
  const first = (address >> hostBits) << hostBits;
  return { family, first, last: first + (1n << hostBits) - 1n, prefixLength };
}

/** The block of a single address, /32 or /128. */
export function hostOf({ family, value }: Address): Cidr {
  return cidrAt(family, value, ADDRESS_BITS[family]);
}

/** Every address of a family, `0.0.0.0/0` or `::/0`. */
export function wholeFamily(family: AddressFamily): Cidr {
  return { family, first: 0n, last: LAST_ADDRESS[family], prefixLength: 0 };
}

export function contains(outer: AddressRange, inner: AddressRange): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** IPv4 before IPv6, then by first address, a block before those inside it. */
export function compareRanges(a: AddressRange, b: AddressRange): number {
  if (a.family !== b.family) {
    return a.family === "ipv4" ? -1 : 1;
  }
  if (a.first !== b.first) {
    return a.first < b.first ? -1 : 1;
  }
  return a.last === b.last ? 0 : a.last > b.last ? -1 : 1;
}

/**
 * The blocks without those inside another, each once, in address order. Two neighbours stay two: a block that somebody
 * knows by name must be found again.
 */
export function leastSet(cidrs: readonly Cidr[]): Cidr[] {
  const least: Cidr[] = [];
  for (const cidr of [...cidrs].sort(compareRanges)) {
    const last = least.at(-1);
    if (last === undefined || !contains(last, cidr)) {
      least.push(cidr);
    }
  }
  return least;
}

/** The smallest block that holds a range. */
export function blockAround({ family, first, last }: AddressRange): Cidr {
  let hostBits = 0;
  while (first >> BigInt(hostBits) !== last >> BigInt(hostBits)) {
    hostBits += 1;
  }
  return cidrAt(family, first, ADDRESS_BITS[family] - hostBits);
}

/** The fewest blocks that together are exactly a range, in order. */
export function cidrsOf({ family, first, last }: AddressRange): Cidr[] {
  const blocks: Cidr[] = [];
  for (let next = first; next <= last; next = (blocks.at(-1) as Cidr).last + 1n) {
    let block = cidrAt(family, next, ADDRESS_BITS[family]);
    while (
      block.prefixLength > 0 &&
      contains({ family, first: next, last }, cidrAt(family, next, block.prefixLength - 1))
    ) {
      block = cidrAt(family, next, block.prefixLength - 1);
    }
    blocks.push(block);
  }
  return blocks;
}

/** A range as text: the block where it is one, else `FIRST-LAST`. */
export function formatRange(range: AddressRange): string {
  const { family, first, last } = range;
  const block = blockAround(range);
  return contains(range, block)
    ? formatCidr(block)
    : [first, last].map((value) => formatAddress({ family, value })).join("-");
}

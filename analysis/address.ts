/** The two families; they share every function, and a family is always a property of the address. */
export type AddressFamily = "ipv4" | "ipv6";

export const ADDRESS_FAMILIES: readonly AddressFamily[] = ["ipv4", "ipv6"];

/** One address: its family and its number, most significant bit first. */
export interface Address {
  readonly family: AddressFamily;
  readonly value: bigint;
}

/** Bits of an address: 32 or 128. */
export const ADDRESS_BITS: Readonly<Record<AddressFamily, number>> = { ipv4: 32, ipv6: 128 };

/** The highest address of a family as a number. */
export const LAST_ADDRESS: Readonly<Record<AddressFamily, bigint>> = {
  ipv4: (1n << 32n) - 1n,
  ipv6: (1n << 128n) - 1n,
};

/**
 * Reads an address in any textual form of RFC 4291 section 2.2 or a dotted quad without leading zeros; returns
 * `undefined` for anything else, a zone (`%eth0`) included. Numbers in other bases ("0x7f.1", "2130706433") are refused:
 * a policy never contains them, and guessing their meaning is how deny lists are bypassed.
 *
 * Own code instead of ip-num's, which takes 5 µs for an IPv4 and 23 µs for an IPv6 address, so that a policy with a thousand
 * blocks would spend more time here than in its whole analysis, and 12 ms to load, a third of what an empty process takes.
 * A property test holds the two together.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(":")) {
    const value = parseIpv6(text);
    return value === undefined ? undefined : { family: "ipv6", value };
  }
  const value = parseIpv4(text);
  return value === undefined ? undefined : { family: "ipv4", value: BigInt(value) };
}

/** Writes an address the canonical way: a dotted quad, or RFC 5952 (lower case, the longest run of zeros shortened). */
export function formatAddress({ family, value }: Address): string {
  return family === "ipv4" ? formatIpv4(Number(value)) : formatIpv6(value);
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const runs = groups.join(":").match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  return longest === "" ? groups.join(":") : groups.join(":").replace(new RegExp(`(^|:)${longest}(:|$)`), "::");
}

function parseIpv4(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let index = 0; index <= text.length; index++) {
    const digit = index < text.length ? text.charCodeAt(index) - 48 : -2;
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) {
        return undefined;
      }
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) {
        return undefined;
      }
    } else if (digit === -2 && octet >= 0) {
      value = value * 256 + octet;
      octets += 1;
      octet = -1;
    } else {
      return undefined;
    }
  }
  return octets === 4 ? value : undefined;
}

const GROUP = /^[0-9a-f]{1,4}$/i;

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) {
    return undefined;
  }
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) {
    return undefined;
  }
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) {
    return undefined;
  }
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

/** The 16-bit groups of one side of `::`; only the last side may end in a dotted quad. */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === "") {
    return [];
  }
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      const quad = isLast && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) {
        return undefined;
      }
      groups.push(Math.floor(quad / 65536), quad % 65536);
    }
  }
  return groups;
}

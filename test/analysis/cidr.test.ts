import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADDRESS_BITS, type AddressFamily, LAST_ADDRESS } from "../../analysis/address.ts";
import {
  cidrAt,
  cidrsOf,
  compareRanges,
  contains,
  formatCidr,
  formatRange,
  overlaps,
  parseCidr,
} from "../../analysis/cidr.ts";

const family = fc.constantFrom<AddressFamily>("ipv4", "ipv6");
const cidr = family.chain((family) =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: LAST_ADDRESS[family] }), fc.integer({ min: 0, max: ADDRESS_BITS[family] }))
    .map(([address, prefixLength]) => cidrAt(family, address, prefixLength)),
);

describe("parseCidr", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.1.2.3/32", "10.1.2.3/32"],
    ["FC00::/7", "fc00::/7"],
    ["0:0:0:0:0:0:0:0/0", "::/0"],
    ["64:ff9b::10.0.0.0/104", "64:ff9b::a00:0/104"],
  ])("reads %s as %s", (text, canonical) => {
    expect(formatCidr(parseCidr(text))).toBe(canonical);
  });

  it.each([
    ["10.0.0.0", /is not CIDR notation/],
    ["10.0.0.0/", /is not CIDR notation/],
    ["10.0.0.0/08", /is not CIDR notation/],
    ["10.0.0.0/8/8", /is not CIDR notation/],
    ["10.0.0/8", /does not start with an IPv4 or IPv6 address/],
    ["10.0.0.0/33", /prefix length 33; ipv4 allows 0 to 32/],
    ["::/129", /prefix length 129; ipv6 allows 0 to 128/],
    ["10.1.0.0/8", /host bits set; the block is 10\.0\.0\.0\/8/],
    ["fe80::1/10", /host bits set; the block is fe80::\/10/],
    ["::ffff:0:0/96", /IPv4-mapped/],
    ["::ffff:10.0.0.0/104", /IPv4-mapped/],
  ])("refuses %s", (text, message) => {
    expect(() => parseCidr(text)).toThrow(message);
  });

  it("reads back every block that it writes", () => {
    fc.assert(
      fc.property(cidr, (block) => {
        fc.pre(!(block.family === "ipv6" && block.prefixLength >= 96 && block.first >> 32n === 0xffffn));
        expect(parseCidr(formatCidr(block))).toEqual(block);
        expect(formatRange(block)).toBe(formatCidr(block));
      }),
    );
  });
});

describe("ranges", () => {
  it("splits into the fewest blocks, exactly and in order", () => {
    const ends = family.chain((family) =>
      fc
        .tuple(fc.bigInt({ min: 0n, max: LAST_ADDRESS[family] }), fc.bigInt({ min: 0n, max: LAST_ADDRESS[family] }))
        .map(([a, b]) => ({ family, first: a < b ? a : b, last: a < b ? b : a })),
    );
    fc.assert(
      fc.property(ends, (range) => {
        const blocks = cidrsOf(range);
        expect(blocks[0]?.first).toBe(range.first);
        expect(blocks.at(-1)?.last).toBe(range.last);
        for (const [index, block] of blocks.entries()) {
          const next = blocks[index + 1];
          expect(next === undefined || next.first === block.last + 1n).toBe(true);
          // Two blocks that could be one would not be the fewest.
          const merged = cidrAt(block.family, block.first, Math.max(block.prefixLength - 1, 0));
          expect(next !== undefined && merged.first === block.first && merged.last === next.last).toBe(false);
        }
      }),
    );
    expect(cidrsOf({ family: "ipv4", first: 1n, last: 6n }).map(formatCidr)).toEqual([
      "0.0.0.1/32",
      "0.0.0.2/31",
      "0.0.0.4/31",
      "0.0.0.6/32",
    ]);
    expect(formatRange({ family: "ipv4", first: 1n, last: 6n })).toBe("0.0.0.1-0.0.0.6");
  });

  it("orders by family, then address, then width, and knows containment from overlap", () => {
    const blocks = ["fc00::/7", "10.0.0.0/16", "::/0", "10.0.0.0/8", "9.0.0.0/8"].map(parseCidr).sort(compareRanges);
    expect(blocks.map(formatCidr)).toEqual(["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "::/0", "fc00::/7"]);
    const [inner, outer, other] = ["10.1.0.0/16", "10.0.0.0/8", "::/8"].map(parseCidr) as [never, never, never];
    expect([contains(outer, inner), contains(inner, outer), overlaps(inner, outer), overlaps(outer, other)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

import fc from "fast-check";
import { collapseIPv6Number, IPv4, IPv6 } from "ip-num";
import { describe, expect, it } from "vitest";
import { type Address, formatAddress, parseAddress } from "../../analysis/address.ts";

describe("parseAddress", () => {
  it.each([
    ["0.0.0.0", "ipv4", 0n],
    ["255.255.255.255", "ipv4", 0xffffffffn],
    ["10.1.7.7", "ipv4", 0x0a010707n],
    ["::", "ipv6", 0n],
    ["::1", "ipv6", 1n],
    ["FE80::1", "ipv6", (0xfe80n << 112n) + 1n],
    ["::ffff:169.254.169.254", "ipv6", 0xffffa9fea9fen],
    ["64:ff9b::10.0.0.1", "ipv6", (0x64ff9bn << 96n) + 0x0a000001n],
    ["1:2:3:4:5:6:7::", "ipv6", 0x00010002000300040005000600070000n],
    ["::2:3:4:5:6:7:8", "ipv6", 0x00000002000300040005000600070008n],
  ])("reads %s", (text, family, value) => {
    expect(parseAddress(text)).toEqual({ family, value });
  });

  it.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.04",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4/8",
    "١.2.3.4",
    "-1.2.3.4",
    "1e1.2.3.4",
    ":",
    ":::",
    "1:2",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "[::1]",
    "::1.2.3",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "::ffff:1.2.3.04",
  ])("refuses %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("agrees with ip-num, and reads what it writes", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
        fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
        (v4, v6) => {
          const ipv4: Address = { family: "ipv4", value: v4 };
          const ipv6: Address = { family: "ipv6", value: v6 };
          expect(parseAddress(new IPv4(v4).toString())).toEqual(ipv4);
          expect(parseAddress(new IPv6(v6).toString())).toEqual(ipv6);
          expect(parseAddress(formatAddress(ipv4))).toEqual(ipv4);
          expect(parseAddress(formatAddress(ipv6))).toEqual(ipv6);
          expect(formatAddress(ipv6)).toBe(collapseIPv6Number(new IPv6(v6).toString()));
        },
      ),
    );
  });
});

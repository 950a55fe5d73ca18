import { describe, expect, it } from "vitest";
import { parseAddress } from "../../analysis/address.ts";
import { contains, formatCidr, parseCidr } from "../../analysis/cidr.ts";
import {
  awsEndpointAt,
  describeBlock,
  embeddedIpv4,
  isNat64,
  nat64Image,
  notGloballyReachable,
  onTheWire,
  SPECIAL_PURPOSE_BLOCKS,
  specialPurposeBlockOf,
} from "../../analysis/specialPurpose.ts";

const address = (text: string) => {
  const parsed = parseAddress(text);
  if (parsed === undefined) {
    throw new Error(text);
  }
  return parsed;
};

describe("special-purpose blocks", () => {
  it("names each block once, with a document", () => {
    const texts = SPECIAL_PURPOSE_BLOCKS.map(({ cidr }) => formatCidr(cidr));
    expect(new Set(texts).size).toBe(texts.length);
    expect(SPECIAL_PURPOSE_BLOCKS.every(({ reference }) => /^RFC \d+(, RFC \d+)*$/.test(reference))).toBe(true);
  });

  it("excepts exactly these blocks from the IPv4 internet", () => {
    expect(notGloballyReachable("ipv4").map(formatCidr).sort()).toEqual([
      "0.0.0.0/8",
      "10.0.0.0/8",
      "100.64.0.0/10",
      "127.0.0.0/8",
      "169.254.0.0/16",
      "172.16.0.0/12",
      "192.0.0.0/24",
      "192.0.2.0/24",
      "192.168.0.0/16",
      "192.88.99.0/24",
      "198.18.0.0/15",
      "198.51.100.0/24",
      "203.0.113.0/24",
      "224.0.0.0/4",
      "240.0.0.0/4",
    ]);
  });

  it("excepts exactly these blocks from the IPv6 internet", () => {
    expect(notGloballyReachable("ipv6").map(formatCidr).sort()).toEqual([
      "100:0:0:1::/64",
      "100::/64",
      "2001::/23",
      "2001:db8::/32",
      "2002::/16",
      "3fff::/20",
      "5f00::/16",
      "64:ff9b:1::/48",
      "::/96",
      "::ffff:0:0:0/96",
      "fc00::/7",
      "fe80::/10",
      "fec0::/10",
      "ff00::/8",
    ]);
  });

  it("leaves no unreachable row uncovered and no block inside another", () => {
    for (const family of ["ipv4", "ipv6"] as const) {
      const blocks = notGloballyReachable(family);
      for (const row of SPECIAL_PURPOSE_BLOCKS.filter((row) => row.cidr.family === family)) {
        if (row.globallyReachable !== "yes") {
          expect(
            blocks.some((block) => contains(block, row.cidr)),
            formatCidr(row.cidr),
          ).toBe(true);
        }
      }
      expect(blocks.some((a) => blocks.some((b) => a !== b && contains(a, b)))).toBe(false);
    }
  });

  it("names the most specific block and the AWS services", () => {
    const shared = specialPurposeBlockOf(parseCidr("100.64.3.0/24"));
    expect(shared && describeBlock(shared)).toBe("100.64.0.0/10, shared address space (RFC 6598)");
    expect(specialPurposeBlockOf(parseCidr("192.0.0.8/32"))?.name).toBe("IPv4 dummy address");
    expect(specialPurposeBlockOf(parseCidr("8.8.8.8/32"))).toBeUndefined();
    expect(awsEndpointAt(address("169.254.169.254"))).toMatch(/IMDS/);
    expect(awsEndpointAt(address("fd00:ec2:0::254"))).toMatch(/IMDS/);
    expect(awsEndpointAt(address("169.254.169.251"))).toBeUndefined();
  });
});

describe("IPv4 inside IPv6", () => {
  it.each([
    ["::ffff:169.254.169.254", "IPv4-mapped", "169.254.169.254"],
    ["64:ff9b::a9fe:a9fe", "NAT64", "169.254.169.254"],
    ["2002:a00:1::1", "6to4", "10.0.0.1"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo", "192.0.2.45"],
    ["::10.0.0.1", "IPv4-compatible", "10.0.0.1"],
  ])("%s carries, by %s, %s", (text, mechanism, ipv4) => {
    expect(embeddedIpv4(address(text))).toMatchObject({ mechanism, ipv4: address(ipv4) });
  });

  it.each(["::", "::1", "2001:db8::1", "64:ff9b:1::a00:1", "10.0.0.1"])("%s carries none", (text) => {
    expect(embeddedIpv4(address(text))).toBeUndefined();
  });

  it("sends only mapped addresses as IPv4", () => {
    expect(onTheWire(address("::ffff:10.0.0.1"))).toEqual(address("10.0.0.1"));
    expect(onTheWire(address("64:ff9b::a00:1"))).toEqual(address("64:ff9b::a00:1"));
  });

  it("maps blocks into the NAT64 prefix", () => {
    expect(formatCidr(nat64Image(parseCidr("10.0.0.0/8")))).toBe("64:ff9b::a00:0/104");
    expect(formatCidr(nat64Image(parseCidr("169.254.0.0/16")))).toBe("64:ff9b::a9fe:0/112");
    expect(isNat64(nat64Image(parseCidr("0.0.0.0/0")))).toBe(true);
    expect(isNat64(parseCidr("64:ff9b::/95"))).toBe(false);
  });
});

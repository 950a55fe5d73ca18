import { IPv6 } from "ip-num";
import { describe, expect, it } from "vitest";
import { holds, readAddress, readBlock, writeAddress, writeBlock } from "./addresses.ts";
import type { Case } from "./arbitraries.ts";
import { casesFrom } from "./cases.ts";
import { minimise } from "./minimise.ts";
import { boundaryPoints, cidrsOf } from "./points.ts";
import { policyOf, rule } from "./tables.ts";

function take(seed: number, count: number): Case[] {
  const cases = casesFrom(seed);
  return Array.from({ length: count }, () => cases.next().value);
}

describe("casesFrom", () => {
  it("gives the same cases for a seed, and others for another", () => {
    expect(take(7, 20)).toEqual(take(7, 20));
    expect(take(7, 20)).not.toEqual(take(8, 20));
  });

  it("gives only what the API server takes: canonical blocks, strict subsets as excepts, ordered ports", () => {
    const rules = take(9, 1000)
      .flatMap(({ policies }) => policies)
      .flatMap((policy) => policy.spec?.egress ?? []);
    const blocks = rules.flatMap(({ to = [] }) => to).flatMap(({ ipBlock }) => ipBlock ?? []);
    expect(blocks.length).toBeGreaterThan(1000);
    for (const { cidr, except = [] } of blocks) {
      const outer = readBlock(cidr);
      expect(writeBlock(outer)).toBe(cidr);
      for (const text of except) {
        const inner = readBlock(text);
        expect(writeBlock(inner)).toBe(text);
        expect(inner.prefixLength).toBeGreaterThan(outer.prefixLength);
        expect(holds(outer, { family: inner.family, value: inner.first })).toBe(true);
      }
    }
    for (const { port, endPort } of rules.flatMap(({ ports = [] }) => ports)) {
      expect(typeof port === "number" ? port : 1).toBeGreaterThan(0);
      expect(endPort ?? 65535).toBeGreaterThanOrEqual(typeof port === "number" ? port : 0);
    }
  });
});

describe("boundaryPoints", () => {
  const subject: Case = {
    policies: [policyOf([rule("10.0.0.0/8", ["TCP 80-90"], ["10.1.0.0/16"]), rule("fd00::/8")])],
    ipFamily: "ipv4",
    nodeIp: "192.0.2.9",
    agent: "current",
  };

  it("stand on both sides of every block, except, port and endPort, and of the node", () => {
    const points = boundaryPoints(subject);
    const addresses = new Set(points.map(({ ip }) => writeAddress(readAddress(ip))));
    expect([...addresses]).toEqual(
      expect.arrayContaining([
        ...["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
        ...["10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0"],
        ...["192.0.2.8", "192.0.2.9", "192.0.2.10", "0.0.0.0", "255.255.255.255"],
        ...["fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fd00::", "fe00::", "::"],
        // Where the IPv6 block lands in an IPv4 map.
        ...["252.255.255.255", "253.0.0.0", "253.255.255.255", "254.0.0.0"],
      ]),
    );
    const ports = new Set(points.map(({ port }) => port));
    expect([...ports].toSorted((a, b) => a - b)).toEqual([0, 79, 80, 81, 89, 90, 91, 65535]);
    expect(new Set(points.map(({ protocol }) => protocol)).size).toBe(6);
    expect(points.some(({ ip }) => ip.startsWith("::ffff:"))).toBe(true);
  });

  it("ask fewer ports at each address when limited, but each of them somewhere", () => {
    const points = boundaryPoints(subject, { portsEach: 1, portless: false });
    expect(points).toHaveLength(3 * new Set(points.map(({ ip }) => ip)).size);
    expect(new Set(points.map(({ port }) => port)).size).toBe(8);
  });
});

describe("addresses", () => {
  it.each([
    ["::", 0n],
    ["::1", 1n],
    ["2001:db8::1:0:0:1", 0x20010db8000000000001000000000001n],
    ["64:ff9b::a00:1", 0x64ff9b00000000000000000a000001n],
    ["ffff:ffff::", 0xffffffffn << 96n],
  ])("%s is written as it is read", (text, value) => {
    expect(IPv6.fromString(text).getValue()).toBe(value);
    expect(readAddress(text)).toEqual({ family: "ipv6", value });
    expect(writeAddress({ family: "ipv6", value })).toBe(text);
  });
});

describe("minimise", () => {
  it("keeps only what the failure needs", () => {
    const [subject] = take(3, 200).filter(({ policies }) => cidrsOf(policies).some((cidr) => cidr.startsWith("10.1.")));
    const fails = ({ policies }: Case) => cidrsOf(policies).some((cidr) => cidr.startsWith("10.1."));
    const smallest = minimise(subject as Case, fails);
    const [cidr] = cidrsOf(smallest.policies);
    expect(smallest.policies).toEqual([{ spec: { egress: [{ to: [{ ipBlock: { cidr } }] }] } }]);
    expect(smallest).toMatchObject({ agent: "current" });
    expect(smallest.source).toBeUndefined();
  });
});

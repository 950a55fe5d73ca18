import { describe, expect, it } from "vitest";
import {
  cidrsOf,
  compareRanges,
  contains,
  credentialEndpoints,
  formatCidr,
  overlaps,
  parseAddress,
  parseCidr,
  SPECIAL_PURPOSE_BLOCKS,
} from "../../analysis/index.ts";
import { privateSpace, publicInternet } from "../../guardrails/wanted.ts";
import { declare } from "../support/declarations.ts";

const ipv4 = privateSpace(declare({ vpcCidrs: ["10.1.0.0/16", "44.16.0.0/16"].map(parseCidr) }));
const ipv6 = privateSpace(
  declare({ cluster: { ipFamily: "ipv6" }, vpcCidrs: ["44.16.0.0/16", "2600:1f18:1:5600::/56"].map(parseCidr) }),
);
const holds = (space: readonly ReturnType<typeof parseCidr>[], text: string) => {
  const { family, value } = parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;
  return space.some((block) => contains(block, { family, first: value, last: value }));
};

describe("private space", () => {
  it.each([
    ["an IPv4", ipv4],
    ["an IPv6", ipv6],
  ])("of %s cluster is sorted and disjoint", (_, space) => {
    expect([...space].sort(compareRanges)).toEqual(space);
    expect(space.filter((a) => space.some((b) => a !== b && overlaps(a, b)))).toEqual([]);
  });

  it("has every special-purpose block of the cluster's family that is not globally reachable", () => {
    const rows = SPECIAL_PURPOSE_BLOCKS.filter(({ globallyReachable }) => globallyReachable !== "yes");
    const missing = (family: string, space: typeof ipv4) =>
      rows.filter(({ cidr }) => cidr.family === family && !space.some((block) => contains(block, cidr)));
    expect(missing("ipv4", ipv4)).toEqual([]);
    expect(missing("ipv6", ipv6)).toEqual([]);
  });

  it.each([
    ["10.200.0.1", true],
    ["169.254.169.254", true],
    ["44.16.3.4", true],
    ["44.17.0.0", false],
    ["8.8.8.8", false],
    ["172.32.0.0", false],
    ["fd00:ec2::254", true],
    ["fe80::1", true],
    // Excepts for these would freeze or bend the map of an IPv4 cluster's agent.
    ["64:ff9b::a9fe:a9fe", false],
    ["2002:a00::1", false],
  ])("of an IPv4 cluster holds %s: %s", (address, expected) => {
    expect(holds(ipv4, address)).toBe(expected);
  });

  it.each([
    ["fd00:ec2::254", true],
    ["2600:1f18:1:56ff::1", true],
    ["2600:1f18:1:5700::1", false],
    ["64:ff9b::a9fe:a9fe", true],
    ["64:ff9b::2c10:304", true],
    ["64:ff9b::808:808", false],
    ["64:ff9b:1::1", true],
    ["2002:a00::1", true],
    ["10.0.0.1", true],
    ["192.0.2.1", false],
  ])("of an IPv6 cluster holds %s: %s", (address, expected) => {
    expect(holds(ipv6, address)).toBe(expected);
  });
});

it("the public internet of an IPv6 cluster has public IPv4 behind NAT64, without the VPC's images", () => {
  const internet = publicInternet(
    declare({ cluster: { ipFamily: "ipv6" }, vpcCidrs: ["44.16.0.0/16", "2600:1f18:1:5600::/56"].map(parseCidr) }),
  ).flatMap(cidrsOf);
  expect(
    ["64:ff9b::808:808", "64:ff9b::2c10:1", "2600:1f18:1:5600::1", "2600:1f18:1:5700::1"].map((text) =>
      holds(internet, text),
    ),
  ).toEqual([true, false, false, true]);
});

it("credential endpoints are three services in both families, behind NAT64 too where pods have IPv6", () => {
  const texts = (family: "ipv4" | "ipv6") => credentialEndpoints(family).map(({ cidr }) => formatCidr(cidr));
  const plain = [
    "169.254.169.254/32",
    "fd00:ec2::254/128",
    "169.254.170.2/32",
    "169.254.170.23/32",
    "fd00:ec2::23/128",
  ];
  expect(texts("ipv4").sort()).toEqual([...plain].sort());
  expect(texts("ipv6").sort()).toEqual(
    [...plain, "64:ff9b::a9fe:a9fe/128", "64:ff9b::a9fe:aa02/128", "64:ff9b::a9fe:aa17/128"].sort(),
  );
  expect(
    credentialEndpoints("ipv4")
      .filter(({ declarable }) => declarable)
      .map(({ cidr }) => formatCidr(cidr)),
  ).toEqual(["169.254.170.23/32", "fd00:ec2::23/128"]);
});

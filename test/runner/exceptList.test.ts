import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADDRESS_BITS, type AddressFamily, LAST_ADDRESS } from "../../analysis/address.ts";
import { type Cidr, cidrAt, contains, formatCidr, leastSet, overlaps, parseCidr } from "../../analysis/cidr.ts";
import {
  NAT64_PREFIX,
  nat64Image,
  PRIVATE_OF_OTHER_FAMILY,
  SPECIAL_PURPOSE_BLOCKS,
} from "../../analysis/specialPurpose.ts";
import { exceptLists, imageInIpv6Map } from "../../runner/exceptList.ts";
import { boundaries, holds } from "../support/slowEvaluator.ts";

const cidrs = (...texts: string[]) => texts.map(parseCidr);
const texts = (blocks: readonly Cidr[]) => blocks.map(formatCidr);
const lists = (ipFamily: AddressFamily, vpc: string[], allowed: string[] = []) =>
  exceptLists({ ipFamily, vpcCidrs: cidrs(...vpc), allowedCidrs: cidrs(...allowed) });

const block = (family: AddressFamily, shortest = 8) =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: LAST_ADDRESS[family] }), fc.integer({ min: shortest, max: ADDRESS_BITS[family] }))
    .map(([address, prefixLength]) => cidrAt(family, address, prefixLength));

describe("in an IPv4 cluster", () => {
  it("excepts KeeperHub's six blocks and every IPv4 block that is not globally reachable", () => {
    expect(texts(lists("ipv4", ["10.1.0.0/16"]).ipv4)).toEqual([
      "0.0.0.0/8",
      "10.0.0.0/8",
      "100.64.0.0/10",
      "127.0.0.0/8",
      "169.254.0.0/16",
      "172.16.0.0/12",
      "192.0.0.0/24",
      "192.0.2.0/24",
      "192.88.99.0/24",
      "192.168.0.0/16",
      "198.18.0.0/15",
      "198.51.100.0/24",
      "203.0.113.0/24",
      "224.0.0.0/4",
      "240.0.0.0/4",
    ]);
  });

  it("excepts exactly KeeperHub's two blocks for IPv6, whatever IPv6 the VPC has", () => {
    for (const vpc of [[], ["2600:1f18::/56"], ["2600:1f18::/56", "fd00:1::/48"]]) {
      expect(texts(lists("ipv4", ["10.1.0.0/16", ...vpc]).ipv6)).toEqual(["fc00::/7", "fe80::/10"]);
    }
  });

  it.each([
    ["a public block of the VPC", ["10.1.0.0/16", "52.10.0.0/16"], ["52.10.0.0/16"]],
    ["none that a wider block covers", ["10.1.0.0/16", "100.64.0.0/16", "198.19.0.0/16"], []],
    ["two neighbours, unmerged", ["52.10.0.0/16", "52.11.0.0/16"], ["52.10.0.0/16", "52.11.0.0/16"]],
    ["the wider of two", ["52.10.0.0/16", "52.0.0.0/8"], ["52.0.0.0/8"]],
    ["the same block once", ["52.10.0.0/16", "52.10.0.0/16"], ["52.10.0.0/16"]],
    ["a VPC block in place of a narrower special one", ["192.0.0.0/16"], ["192.0.0.0/16"]],
  ])("adds %s", (_, vpc, added) => {
    const usual = texts(lists("ipv4", ["10.1.0.0/16"]).ipv4);
    expect(texts(lists("ipv4", vpc).ipv4).filter((text) => !usual.includes(text))).toEqual(added);
  });

  it("drops the special blocks inside a VPC block", () => {
    expect(texts(lists("ipv4", ["192.0.0.0/16"]).ipv4)).not.toContain("192.0.2.0/24");
  });

  it("leaves nothing out", () => {
    expect(lists("ipv4", ["10.1.0.0/16", "52.10.0.0/16"]).leftOut).toEqual([]);
  });
});

describe("in an IPv6 cluster", () => {
  it("excepts the whole IPv6 list, the NAT64 images of the IPv4 list and the VPC's blocks", () => {
    const list = texts(lists("ipv6", ["10.1.0.0/16", "52.10.0.0/16", "2600:1f18::/56"]).ipv6);
    expect(list).toEqual([
      "::/96",
      "::ffff:0:0:0/96",
      "64:ff9b::/104",
      "64:ff9b::a00:0/104",
      "64:ff9b::340a:0/112",
      "64:ff9b::6440:0/106",
      "64:ff9b::7f00:0/104",
      "64:ff9b::a9fe:0/112",
      "64:ff9b::ac10:0/108",
      "64:ff9b::c000:0/120",
      "64:ff9b::c000:200/120",
      "64:ff9b::c058:6300/120",
      "64:ff9b::c0a8:0/112",
      "64:ff9b::c612:0/111",
      "64:ff9b::c633:6400/120",
      "64:ff9b::cb00:7100/120",
      "64:ff9b::e000:0/100",
      "64:ff9b::f000:0/100",
      "64:ff9b:1::/48",
      "100::/64",
      "100:0:0:1::/64",
      "2001::/23",
      "2001:db8::/32",
      "2002::/16",
      "2600:1f18::/56",
      "3fff::/20",
      "5f00::/16",
      "fc00::/7",
      "fe80::/10",
      "fec0::/10",
      "ff00::/8",
    ]);
  });

  it("keeps public IPv4 reachable through NAT64", () => {
    const list = texts(lists("ipv6", ["10.1.0.0/16"]).ipv6);
    expect(list.some((cidr) => holds(cidr, "64:ff9b::808:808"))).toBe(false);
    expect(list.some((cidr) => holds(cidr, "64:ff9b::a9fe:a9fe"))).toBe(true);
  });

  it("excepts only KeeperHub's six blocks for IPv4, and of the VPC what denies no IPv6 that is allowed", () => {
    const { ipv4, leftOut } = lists("ipv6", ["10.1.0.0/16", "32.10.0.0/16", "52.10.0.0/16", "200.1.0.0/16"]);
    expect(texts(ipv4)).toEqual([...texts(PRIVATE_OF_OTHER_FAMILY.ipv4), "200.1.0.0/16"]);
    expect(leftOut.map(({ cidr, reason }) => [formatCidr(cidr), reason])).toEqual([
      ["32.10.0.0/16", expect.stringContaining("would write it as 200a::/16 and deny 2000::/3")],
      ["52.10.0.0/16", expect.stringContaining("would write it as 340a::/16 and deny 2000::/3")],
    ]);
  });

  it.each([
    ["the NAT64 prefix", "0.100.0.0/16", [], "64:ff9b::/96"],
    ["another allowed block", "200.1.0.0/16", ["c801:1::/64"], "c801:1::/64"],
  ])("leaves out a VPC block whose image denies %s", (_, vpc, allowed, denied) => {
    const { ipv4, leftOut } = lists("ipv6", [vpc], allowed);
    expect(texts(ipv4)).not.toContain(vpc);
    expect(leftOut.map(({ reason }) => reason)).toEqual([expect.stringContaining(`deny ${denied} there`)]);
  });

  it("writes an IPv4 block into the IPv6 map by its leading bytes", () => {
    expect(formatCidr(imageInIpv6Map(parseCidr("10.0.0.0/8")))).toBe("a00::/8");
    expect(formatCidr(imageInIpv6Map(parseCidr("169.254.169.254/32")))).toBe("a9fe:a9fe::/32");
    expect(formatCidr(imageInIpv6Map(parseCidr("0.0.0.0/8")))).toBe("::/8");
  });

  it("has no IPv4 except that bleeds into what the policy allows", () => {
    const vpcCidrs = fc.array(block("ipv4", 16), { maxLength: 6 });
    const allowedCidrs = fc.array(block("ipv6", 16), { maxLength: 3 });
    fc.assert(
      fc.property(vpcCidrs, allowedCidrs, (vpcCidrs, allowedCidrs) => {
        const { ipv4, leftOut } = exceptLists({ ipFamily: "ipv6", vpcCidrs, allowedCidrs });
        const own = texts(PRIVATE_OF_OTHER_FAMILY.ipv4);
        for (const except of ipv4.filter((cidr) => !own.includes(formatCidr(cidr)))) {
          const image = imageInIpv6Map(except);
          expect([parseCidr("2000::/3"), NAT64_PREFIX, ...allowedCidrs].some((open) => overlaps(image, open))).toBe(
            false,
          );
        }
        // Nothing of the VPC gets lost without a word.
        const said = [...ipv4, ...leftOut.map(({ cidr }) => cidr)];
        expect(vpcCidrs.every((cidr) => said.some((other) => contains(other, cidr)))).toBe(true);
      }),
    );
  });
});

describe("the lists of any network", () => {
  const network = fc.record({
    ipFamily: fc.constantFrom<AddressFamily>("ipv4", "ipv6"),
    vpcCidrs: fc.array(fc.oneof(block("ipv4"), block("ipv6", 32)), { maxLength: 8 }),
    allowedCidrs: fc.constant([]),
  });

  it("do not depend on the order or the number of times in which blocks are named", () => {
    const shuffled = network.chain((facts) =>
      fc.tuple(
        fc.constant(facts),
        fc.shuffledSubarray([...facts.vpcCidrs, ...facts.vpcCidrs], { minLength: facts.vpcCidrs.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([facts, vpcCidrs]) => {
        expect(exceptLists({ ...facts, vpcCidrs })).toEqual(exceptLists(facts));
      }),
    );
  });

  it("are least: no block inside another, in address order, and the same when taken again", () => {
    fc.assert(
      fc.property(network, (facts) => {
        const { ipv4, ipv6 } = exceptLists(facts);
        for (const list of [ipv4, ipv6]) {
          expect(leastSet(list)).toEqual(list);
          expect(list.some((a) => list.some((b) => a !== b && overlaps(a, b)))).toBe(false);
          expect([...list].sort((a, b) => (a.first < b.first ? -1 : 1))).toEqual(list);
        }
      }),
    );
  });

  it("cover exactly the blocks they are made of", () => {
    const own = (family: AddressFamily) => [
      ...PRIVATE_OF_OTHER_FAMILY[family],
      ...SPECIAL_PURPOSE_BLOCKS.filter(
        ({ cidr, globallyReachable }) => cidr.family === family && globallyReachable !== "yes",
      ).map(({ cidr }) => cidr),
    ];
    fc.assert(
      fc.property(network, (facts) => {
        const made = exceptLists(facts)[facts.ipFamily];
        const sources = [...own(facts.ipFamily), ...facts.vpcCidrs.filter(({ family }) => family === facts.ipFamily)];
        if (facts.ipFamily === "ipv6") {
          sources.push(
            ...[...own("ipv4"), ...facts.vpcCidrs.filter(({ family }) => family === "ipv4")].map(nat64Image),
          );
        }
        const [is, shall] = [texts(made), texts(sources)];
        const wrong = boundaries(shall).filter(
          (address) => is.some((cidr) => holds(cidr, address)) !== shall.some((cidr) => holds(cidr, address)),
        );
        expect(wrong).toEqual([]);
      }),
    );
  });

  it.each(SPECIAL_PURPOSE_BLOCKS.filter(({ globallyReachable }) => globallyReachable !== "yes"))(
    "cover $name ($reference) in a cluster of its family",
    ({ cidr }) => {
      const list = exceptLists({ ipFamily: cidr.family, vpcCidrs: [], allowedCidrs: [] })[cidr.family];
      expect(list.some((except) => contains(except, cidr))).toBe(true);
    },
  );

  it.each(SPECIAL_PURPOSE_BLOCKS.filter(({ globallyReachable }) => globallyReachable === "yes"))(
    "do not swallow $name ($reference) unless an unreachable block holds it",
    ({ cidr }) => {
      const list = exceptLists({ ipFamily: cidr.family, vpcCidrs: [], allowedCidrs: [] })[cidr.family];
      const inUnreachable = SPECIAL_PURPOSE_BLOCKS.some(
        (other) => other.globallyReachable !== "yes" && contains(other.cidr, cidr),
      );
      expect(list.some((except) => contains(except, cidr))).toBe(inUnreachable);
    },
  );
});

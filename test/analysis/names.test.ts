import { describe, expect, it } from "vitest";
import { formatRange, namesIn, parseCidr, rangeSet, subtract } from "../../analysis/index.ts";

const CREDENTIALS = [
  "EC2 instance metadata (IMDS) 169.254.169.254",
  "ECS task credentials 169.254.170.2",
  "EKS Pod Identity credentials 169.254.170.23",
];

describe("names of addresses", () => {
  it.each([
    ["8.8.8.0/24", ["public internet"]],
    ["100.64.0.0/10", ["100.64.0.0/10, shared address space (RFC 6598)"]],
    ["169.254.169.254/32", ["EC2 instance metadata (IMDS) 169.254.169.254", "169.254.0.0/16, link-local (RFC 3927)"]],
    ["169.254.169.253/32", ["169.254.0.0/16, link-local (RFC 3927)", "Route 53 Resolver 169.254.169.253"]],
    ["169.254.0.0/16", [...CREDENTIALS, "169.254.0.0/16, link-local (RFC 3927)", "3 other AWS services"]],
    ["100.0.0.0/8", ["public internet", "100.64.0.0/10, shared address space (RFC 6598)"]],
    [
      "0.0.0.0/5",
      ["public internet", "0.0.0.0/8, this network (RFC 791)", "0.0.0.0/32, this host on this network (RFC 1122)"],
    ],
    ["0.0.0.0/0", [...CREDENTIALS, "public internet", "3 other AWS services", "22 special-purpose blocks"]],
    ["64:ff9b::a00:0/104", ["64:ff9b::/96, IPv4-IPv6 translation (NAT64) (RFC 6052)"]],
  ])("%s: %j", (cidr, names) => {
    expect(namesIn(parseCidr(cidr))).toEqual(names);
  });

  it("puts the caller's names before the registry's", () => {
    const vpc = { cidr: parseCidr("52.10.0.0/16"), name: "VPC techops-prod" };
    expect(namesIn(parseCidr("52.10.3.0/24"), [vpc])).toEqual(["VPC techops-prod"]);
    expect(namesIn(parseCidr("52.0.0.0/8"), [vpc])).toEqual(["VPC techops-prod", "public internet"]);
    expect(namesIn(parseCidr("10.0.0.0/8"), [vpc])).toEqual(["10.0.0.0/8, private use (RFC 1918)"]);
  });
});

describe("sets of ranges", () => {
  const set = (...cidrs: string[]) => rangeSet(cidrs.map(parseCidr));
  const text = (ranges: ReturnType<typeof set>) => ranges.map(formatRange);
  it("joins what overlaps or touches, of one family", () => {
    expect(text(set("10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "12.0.0.0/8", "::/1"))).toEqual([
      "10.0.0.0/8",
      "12.0.0.0/8",
      "::/1",
    ]);
  });

  it("subtracts", () => {
    expect(text(subtract(set("10.0.0.0/8"), set("10.0.0.0/16", "10.2.0.0/16", "::/0")))).toEqual([
      "10.1.0.0/16",
      "10.3.0.0-10.255.255.255",
    ]);
    expect(text(subtract(set("10.0.0.0/8"), set("0.0.0.0/0")))).toEqual([]);
    expect(text(subtract(set("10.0.0.0/8"), set("10.255.0.0/16")))).toEqual(["10.0.0.0-10.254.255.255"]);
  });
});

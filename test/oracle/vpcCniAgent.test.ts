import { describe, expect, it } from "vitest";
import type { NetworkPolicy } from "./policy.ts";
import { anywhere, policyOf, rule } from "./tables.ts";
import { vpcCniAborts, vpcCniVerdict } from "./vpcCni.ts";
import type { AgentOptions } from "./vpcCniAgent.ts";
import { check, distinctPorts, IPV4, IPV6, LEGACY, LEGACY_IPV6 } from "./vpcCniTables.ts";

describe("port items", () => {
  it("that are the same by protocol, port and endPort take one slot", () => {
    const twice = [rule("192.0.2.0/24", distinctPorts(24)), rule("192.0.2.0/24", distinctPorts(24))];
    check(policyOf(twice), IPV4, [["192.0.2.1", 1000, "TCP", "allow"]]);
  });

  it("80 and 80-80 are two items", () => {
    const ports = [...distinctPorts(23), "TCP 80", "TCP 80-80"];
    check(policyOf([rule("192.0.2.0/24", ports)]), IPV4, [
      // Of 25 items one is lost, and two match port 80.
      ["192.0.2.1", 80, "TCP", "allow"],
      ["192.0.2.1", 1000, "TCP", "order-dependent"],
    ]);
  });

  it("that are inherited count, and a range that covers many ports is one", () => {
    const rules = [
      rule("10.0.0.0/8", distinctPorts(13)),
      rule(
        "10.9.0.0/16",
        distinctPorts(12).map((p) => `UDP${p.slice(3)}`),
      ),
    ];
    check(policyOf(rules), IPV4, [
      ["10.8.0.1", 1000, "TCP", "allow"],
      ["10.9.0.1", 1000, "TCP", "order-dependent"],
    ]);
    check(policyOf([rule("10.0.0.0/8", ["TCP 1000-1999"])]), IPV4, [["10.9.0.1", 1999, "TCP", "allow"]]);
  });

  it("without numbers: none for the rule, and no rule if none is left", () => {
    const named = { to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ protocol: "TCP", port: "http" }] };
    check(policyOf([named]), IPV4, [["192.0.2.1", 80, "TCP", "deny"]]);
    check(policyOf([{ ports: [{ port: "http" }] }]), IPV4, [["192.0.2.1", 80, "TCP", "deny"]]);
    check(policyOf([{ ...named, ports: [...named.ports, { port: 443 }] }]), IPV4, [
      ["192.0.2.1", 443, "TCP", "allow"],
      ["192.0.2.1", 80, "TCP", "deny"],
    ]);
  });

  it("ICMP and GRE need an entry for any protocol, ICMPv6 nothing", () => {
    check(policyOf([rule("192.0.2.0/24", ["TCP", "UDP", "SCTP"])]), IPV4, [
      ["192.0.2.1", 0, "ICMP", "deny"],
      ["192.0.2.1", 0, "GRE", "deny"],
      ["192.0.2.1", 65535, "SCTP", "allow"],
    ]);
    check(policyOf([]), IPV6, [
      ["2001:db8::9", 0, "ICMPv6", "allow"],
      ["2001:db8::9", 0, "ICMP", "deny"],
    ]);
    check(policyOf([]), IPV4, [["192.0.2.1", 0, "ICMPv6", "deny"]]);
  });
});

describe("isolation", () => {
  const ingressOnly: NetworkPolicy = {
    spec: { podSelector: {}, policyTypes: ["Ingress"], egress: [rule("192.0.2.0/24")] },
  };
  it("nothing isolated and nothing emitted: all is allowed, and no node is needed", () => {
    const options: AgentOptions = { ipFamily: "ipv4", agent: "current" };
    check([], options, [["192.0.2.1", 80, "TCP", "allow"]]);
    check({ spec: { podSelector: {}, policyTypes: ["Ingress"] } }, options, [["192.0.2.1", 0, "ICMP", "allow"]]);
    check(policyOf([]), options, [["192.0.2.1", 80, "TCP", "deny"]]);
  });

  it("egress rules under policyTypes Ingress are enforced", () => {
    check(ingressOnly, IPV4, [
      ["192.0.2.1", 80, "TCP", "allow"],
      ["192.0.3.1", 80, "TCP", "deny"],
    ]);
  });

  it("policies that do not select the source count for nothing", () => {
    const policy: NetworkPolicy = { metadata: { namespace: "ci" }, spec: { podSelector: {}, policyTypes: ["Egress"] } };
    const point = { ip: "192.0.2.1", protocol: "TCP", port: 80 } as const;
    expect(vpcCniVerdict([policy], { namespace: "default", labels: {} }, point, IPV4)).toBe("allow");
    expect(vpcCniVerdict([policy], { namespace: "ci", labels: {} }, point, IPV4)).toBe("deny");
  });
});

describe("other families", () => {
  it("pass where the cluster's agent does not look", () => {
    check(policyOf([]), IPV4, [
      ["fd00::1", 443, "TCP", "allow"],
      ["::ffff:192.0.2.1", 443, "TCP", "deny"],
    ]);
    check(policyOf([]), IPV6, [
      ["10.0.0.1", 443, "TCP", "allow"],
      ["::ffff:10.0.0.1", 443, "TCP", "allow"],
      ["fd00::1", 443, "TCP", "deny"],
    ]);
  });

  it("an IPv6 except becomes an IPv4 key, or aborts the refresh", () => {
    const short = policyOf([anywhere("TCP"), rule("2001::/16", [], ["2001:db8::/32"])]);
    check(short, IPV4, [
      ["32.1.13.184", 443, "TCP", "deny"],
      ["32.1.13.185", 443, "TCP", "allow"],
    ]);
    const long = policyOf([rule("2001:db8::/32", [], ["2001:db8::/33"])]);
    expect(vpcCniAborts([long], undefined, IPV4)).toBe(true);
    expect(vpcCniAborts([long], undefined, IPV6)).toBe(false);
    expect(vpcCniAborts([long], undefined, LEGACY)).toBe(false);
    const point = { ip: "192.0.2.1", protocol: "TCP", port: 80 } as const;
    expect(() => vpcCniVerdict([long], undefined, point, IPV4)).toThrow(/aborts/);
  });

  it("an IPv4 except becomes an IPv6 key", () => {
    check(policyOf([rule("::/0"), rule("0.0.0.0/0", [], ["32.1.0.0/16"])]), IPV6, [
      ["2001:db8::9", 443, "TCP", "deny"],
      ["2002:db8::9", 443, "TCP", "allow"],
    ]);
  });

  it("two entries under one key: either may win, where they differ", () => {
    check(policyOf([rule("0.0.0.0/1", ["TCP 443"]), rule("::/0", [], ["::/1"])]), IPV4, [
      ["10.0.0.1", 443, "TCP", "order-dependent"],
      ["10.0.0.1", 80, "TCP", "deny"],
    ]);
  });

  it("the node's entry yields to an except of the other family under its key", () => {
    const node: AgentOptions = { ...IPV4, nodeIp: "32.1.13.184" };
    check(policyOf([rule("2001::/16", [], ["2001:db8::/32"])]), node, [["32.1.13.184", 443, "TCP", "deny"]]);
  });
});

describe("hosts and the node", () => {
  it("a rule that starts at the node's address is skipped, its excepts are not", () => {
    const options: AgentOptions = { ...IPV4, nodeIp: "10.1.0.0" };
    check(policyOf([rule("10.1.0.0/16", [], ["10.1.5.0/24"]), rule("10.0.0.0/8", ["TCP 443"])]), options, [
      ["10.1.4.1", 443, "TCP", "allow"],
      ["10.1.4.1", 80, "TCP", "deny"],
      ["10.1.5.1", 443, "TCP", "deny"],
      ["10.1.0.0", 80, "TCP", "allow"],
    ]);
  });

  it("an IPv6 /32 passes for a host and gives no ports away", () => {
    check(policyOf([rule("2001:db8::/32"), rule("2001:db8:1::/48", ["TCP 443"])]), IPV6, [
      ["2001:db8:1::1", 80, "TCP", "deny"],
      ["2001:db8:2::1", 80, "TCP", "allow"],
    ]);
    check(policyOf([rule("2001:db8::/33"), rule("2001:db8:1::/48", ["TCP 443"])]), IPV6, [
      ["2001:db8:1::1", 80, "TCP", "allow"],
    ]);
  });

  it("an allow for exactly an excepted host is an allow", () => {
    check(policyOf([rule("0.0.0.0/0", [], ["169.254.169.254/32"]), rule("169.254.169.254/32", ["TCP 80"])]), IPV4, [
      ["169.254.169.254", 80, "TCP", "allow"],
      ["169.254.169.254", 81, "TCP", "deny"],
    ]);
  });
});

describe("agents up to 1.2.3", () => {
  it("put the ports of /0 on every narrower rule, excepted or not", () => {
    check(policyOf([rule("0.0.0.0/0", ["TCP 443"], ["10.0.0.0/8"]), rule("10.1.0.0/16", ["TCP 5432"])]), LEGACY, [
      ["10.1.0.1", 443, "TCP", "allow"],
      ["10.1.0.1", 5432, "TCP", "allow"],
      ["10.1.0.1", 80, "TCP", "deny"],
      ["10.2.0.1", 443, "TCP", "deny"],
    ]);
  });

  it("ignore excepts when they inherit", () => {
    const rules = [rule("10.0.0.0/8", ["TCP 443"], ["10.1.0.0/16"]), rule("10.1.0.0/24", ["TCP 5432"])];
    check(policyOf(rules), LEGACY, [
      ["10.1.0.1", 443, "TCP", "allow"],
      ["10.1.1.1", 443, "TCP", "deny"],
    ]);
    check(policyOf(rules), IPV4, [["10.1.0.1", 443, "TCP", "deny"]]);
  });

  it("take 0.0.0.0/0 for ::/0 in an IPv6 cluster", () => {
    check(policyOf([rule("0.0.0.0/0", ["TCP 443"], ["32.0.0.0/8"])]), LEGACY_IPV6, [
      ["2001:db8::1", 443, "TCP", "allow"],
      ["2001:db8::1", 80, "TCP", "deny"],
    ]);
    check(policyOf([rule("0.0.0.0/0", ["TCP 443"])]), IPV6, [["2001:db8::1", 443, "TCP", "deny"]]);
  });

  it("do not encode the excepts of rules that they skip", () => {
    check(policyOf([anywhere("TCP"), rule("2001::/16", [], ["2001:db8::/32"])]), LEGACY, [
      ["32.1.13.184", 443, "TCP", "allow"],
    ]);
  });

  it("keep the first 24 ports under /0, duplicates and all, of rules in any order", () => {
    const [first, second] = [distinctPorts(13), distinctPorts(26).slice(13)];
    const rules = [anywhere(...first), anywhere(...second)];
    // 26 in an IPv4 cluster, 52 in an IPv6 cluster: each rule stands for 0.0.0.0/0 and for ::/0, and both count.
    check(policyOf(rules), LEGACY, [
      ["192.0.2.1", 1010, "TCP", "allow"],
      ["192.0.2.1", 1011, "TCP", "order-dependent"],
    ]);
    check(policyOf(rules), LEGACY_IPV6, [["2001:db8::1", 1000, "TCP", "order-dependent"]]);
    check(policyOf([anywhere(...first)]), LEGACY_IPV6, [["2001:db8::1", 1012, "TCP", "allow"]]);
    // Within a rule the order is the written one.
    check(policyOf([anywhere(...distinctPorts(26))]), LEGACY, [
      ["192.0.2.1", 1023, "TCP", "allow"],
      ["192.0.2.1", 1024, "TCP", "deny"],
    ]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { looseCase } from "./arbitraries.ts";
import { compareVerdicts, SEMANTICS_NAMES } from "./compare.ts";
import { anywhere, internetPolicy, PRIVATE_IPV4, policyOf, rule } from "./tables.ts";
import { vpcCniAborts } from "./vpcCni.ts";
import { check, distinctPorts, IPV4, LEGACY } from "./vpcCniTables.ts";

describe("the runner's policy", () => {
  // The DNS rule is by selector; the controller adds the ClusterIP as a /32, which stands here as an ipBlock.
  const clusterIps = policyOf([rule("172.20.0.10/32", ["UDP 53", "TCP 53"]), rule("10.1.7.9/32", ["TCP 8787"])]);

  it("compiles as intended on a current agent", () => {
    check([internetPolicy, clusterIps], IPV4, [
      ["8.8.8.8", 443, "TCP", "allow"],
      ["8.8.8.8", 0, "ICMP", "allow"],
      ["8.8.8.8", 0, "GRE", "allow"],
      ["10.1.100.7", 5432, "TCP", "allow"],
      ["10.1.100.7", 5433, "TCP", "deny"],
      ["10.1.100.7", 5432, "UDP", "deny"],
      ["10.1.100.7", 0, "ICMP", "deny"],
      ["10.1.103.1", 5432, "TCP", "deny"],
      ["172.16.0.1", 443, "TCP", "deny"],
      ["192.168.0.1", 443, "TCP", "deny"],
      ["169.254.169.254", 80, "TCP", "deny"],
      ["172.20.0.10", 53, "UDP", "allow"],
      ["172.20.0.10", 53, "TCP", "allow"],
      ["172.20.0.10", 443, "TCP", "deny"],
      ["10.1.7.9", 8787, "TCP", "allow"],
      ["10.1.7.9", 443, "TCP", "deny"],
      ["10.1.2.3", 10250, "TCP", "allow"],
      ["10.1.2.3", 0, "ICMP", "allow"],
      ["10.1.2.4", 10250, "TCP", "deny"],
      ["2001:db8::1", 443, "TCP", "allow"],
    ]);
  });

  it("opens every narrower entry on agents up to 1.2.3", () => {
    check([internetPolicy, clusterIps], LEGACY, [
      ["10.1.100.7", 5433, "TCP", "allow"],
      ["10.1.7.9", 443, "TCP", "allow"],
      ["10.1.103.1", 5432, "TCP", "deny"],
      ["8.8.8.8", 443, "TCP", "allow"],
    ]);
  });

  it("aborts no agent, but denies what an IPv6 except lands on", () => {
    expect(vpcCniAborts([internetPolicy], undefined, IPV4)).toBe(false);
    check(internetPolicy, IPV4, [
      // fc00::/7 and fe80::/10 as keys.
      ["252.0.0.1", 443, "TCP", "deny"],
      ["254.128.0.1", 443, "TCP", "deny"],
      ["251.255.255.255", 443, "TCP", "allow"],
    ]);
  });
});

describe("divergences from Kubernetes, eks-enforcement 2.3", () => {
  it("a: excepts bleed to another rule with the same CIDR", () => {
    check(policyOf([anywhere("UDP 53"), rule("0.0.0.0/0", [], PRIVATE_IPV4)]), IPV4, [
      ["172.20.0.10", 53, "UDP", "deny"],
      ["8.8.8.8", 53, "UDP", "allow"],
    ]);
  });

  it("b: an except punches a hole into another rule, across policies too", () => {
    const policies = [policyOf([rule("10.0.0.0/8", ["TCP 5432"])]), policyOf([rule("0.0.0.0/0", [], ["10.1.0.0/16"])])];
    check(policies, IPV4, [
      ["10.1.0.5", 5432, "TCP", "deny"],
      ["10.2.0.5", 5432, "TCP", "allow"],
    ]);
  });

  it("c: a rule that starts where an except starts inherits nothing", () => {
    check(policyOf([rule("0.0.0.0/0", [], ["10.0.0.0/16"]), rule("10.0.0.0/8", ["TCP 5432"])]), IPV4, [
      ["10.200.0.1", 443, "TCP", "deny"],
      ["10.200.0.1", 5432, "TCP", "allow"],
    ]);
  });

  it("d: a rule inside an except inherits through a block between them", () => {
    const rules = [
      rule("0.0.0.0/0", [], ["10.1.100.0/24"]),
      rule("10.1.0.0/16", ["TCP 443"]),
      rule("10.1.100.0/24", ["TCP 5432"]),
    ];
    check(policyOf(rules), IPV4, [["10.1.100.7", 22, "TCP", "allow"]]);
    check(policyOf([rules[0] ?? {}, rules[2] ?? {}]), IPV4, [["10.1.100.7", 22, "TCP", "deny"]]);
  });
});

describe("the shapes of policy-analysis 5", () => {
  it("internet on 443 plus DNS to anywhere denies the cluster's DNS", () => {
    const internet = rule("0.0.0.0/0", ["TCP 443"], ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]);
    check(policyOf([internet, anywhere("UDP 53")]), IPV4, [["172.20.0.10", 53, "UDP", "deny"]]);
    const dns = rule("172.20.0.10/32", ["UDP 53"]);
    check(policyOf([internet, dns]), IPV4, [["172.20.0.10", 53, "UDP", "allow"]]);
  });

  it("10/8 on 5432 plus the internet without 10.0/16 denies both", () => {
    check(policyOf([rule("10.0.0.0/8", ["TCP 5432"]), rule("0.0.0.0/0", ["TCP 443"], ["10.0.0.0/16"])]), IPV4, [
      ["10.200.0.1", 443, "TCP", "deny"],
      ["10.0.0.5", 5432, "TCP", "deny"],
    ]);
  });

  it("three nested blocks allow what is excepted", () => {
    const rules = [
      rule("0.0.0.0/0", ["TCP 443"], ["10.1.0.0/16"]),
      rule("10.0.0.0/8", ["UDP 53"]),
      rule("10.1.0.0/16", ["TCP 5432"]),
    ];
    check(policyOf(rules), IPV4, [
      ["10.1.0.7", 443, "TCP", "allow"],
      ["10.1.0.7", 22, "TCP", "deny"],
    ]);
  });

  it("26 ports on one CIDR: which 24 are kept is random", () => {
    check(policyOf([rule("192.0.2.0/24", distinctPorts(24))]), IPV4, [["192.0.2.1", 1023, "TCP", "allow"]]);
    check(policyOf([rule("192.0.2.0/24", distinctPorts(26))]), IPV4, [
      ["192.0.2.1", 1000, "TCP", "order-dependent"],
      ["192.0.2.1", 1026, "TCP", "deny"],
    ]);
  });

  it("the node is reachable, excepted or not, unless it is excepted exactly", () => {
    check(policyOf([rule("0.0.0.0/0", [], ["10.0.0.0/8"])]), IPV4, [["10.1.2.3", 10250, "TCP", "allow"]]);
    check(policyOf([rule("0.0.0.0/0", [], ["10.1.2.3/32"])]), IPV4, [["10.1.2.3", 443, "TCP", "deny"]]);
  });

  it("an IPv6 rule on an IPv4 cluster is dropped, and still isolates", () => {
    check(policyOf([rule("2001:db8::/32")]), IPV4, [
      ["32.1.13.184", 443, "TCP", "deny"],
      ["10.1.2.3", 443, "TCP", "allow"],
    ]);
  });
});

describe("blocks that are not written canonically", () => {
  it("are read by the engine as by the models, under both semantics and by every agent", () => {
    fc.assert(
      fc.property(looseCase, (subject) => {
        for (const semantics of SEMANTICS_NAMES) {
          expect(compareVerdicts(subject, semantics, 2).disagreement).toBeUndefined();
        }
      }),
      { numRuns: 120 },
    );
  });

  it("overwrite each other at random on agents up to 1.4.1", () => {
    const twice = policyOf([rule("10.0.0.0/8", ["TCP 80"]), rule("10.7.7.7/8", ["TCP 443"])]);
    check(twice, { ...IPV4, agent: "textual" }, [
      // The second inherits from the first, so port 80 is in both entries.
      ["10.9.9.9", 80, "TCP", "allow"],
      ["10.9.9.9", 443, "TCP", "order-dependent"],
    ]);
    check(twice, IPV4, [["10.9.9.9", 443, "TCP", "allow"]]);
  });

  it("may deny their parent as an except", () => {
    const policies = policyOf([rule("10.0.0.0/8", ["TCP 80"]), rule("0.0.0.0/0", ["TCP 443"], ["10.1.0.0/8"])]);
    check(policies, { ...IPV4, agent: "textual" }, [["10.9.9.9", 80, "TCP", "order-dependent"]]);
    check(policies, IPV4, [["10.9.9.9", 80, "TCP", "allow"]]);
  });

  it("come last as mapped ones, so that narrower blocks inherit nothing and give instead", () => {
    const policies = policyOf([rule("::ffff:10.0.0.0/104", ["TCP 443"]), rule("10.0.0.0/24", ["TCP 80"])]);
    check(policies, IPV4, [
      ["10.0.0.1", 443, "TCP", "deny"],
      ["10.9.9.9", 80, "TCP", "allow"],
      ["10.9.9.9", 443, "TCP", "allow"],
    ]);
  });
});

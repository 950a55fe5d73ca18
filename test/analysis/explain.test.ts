import { describe, expect, it } from "vitest";
import { explain, parseAddress, parsePoint, type Semantics } from "../../analysis/index.ts";
import { inventoryOf, podObject } from "../support/inventory.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { analyse, block, KUBERNETES, policy } from "../support/policies.ts";

const V4: Semantics = { name: "vpc-cni", ipFamily: "ipv4" };
const seed = [keeperhubManifest("10.1")];
const textOf = (policies: object[], point: string, semantics: Semantics = KUBERNETES) =>
  explain(analyse(policies, { semantics }), parsePoint(point)).text;

describe("explain, for a person", () => {
  it.each<[string, string, Semantics, string]>([
    [
      "an except",
      "169.254.169.254:80/tcp",
      KUBERNETES,
      "169.254.169.254:80/tcp (EC2 instance metadata (IMDS)) is denied by rule 4 of keeperhub/workflow-runner-block-imds (except 169.254.0.0/16, spec.egress[4].to[0].ipBlock.except[3]).",
    ],
    [
      "a port",
      "10.1.100.7:22/tcp",
      KUBERNETES,
      "10.1.100.7:22/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied by rule 4 of keeperhub/workflow-runner-block-imds (except 10.0.0.0/8, spec.egress[4].to[0].ipBlock.except[0]). Nearest: rule 3 of keeperhub/workflow-runner-block-imds (10.1.100.0/24, spec.egress[3].to[0]), which allows only TCP 5432.",
    ],
    [
      "an allow",
      "8.8.8.8:53/udp",
      KUBERNETES,
      "8.8.8.8:53/udp is allowed by rule 4 of keeperhub/workflow-runner-block-imds (0.0.0.0/0, spec.egress[4].to[0]).",
    ],
    [
      "IPv4-mapped",
      "[::ffff:10.0.0.1]:443/tcp",
      KUBERNETES,
      "[::ffff:a00:1]:443/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied by rule 4 of keeperhub/workflow-runner-block-imds (except 10.0.0.0/8, spec.egress[4].to[0].ipBlock.except[0]). It is 10.0.0.1, IPv4-mapped (RFC 4291 section 2.5.5.2): sent as IPv4, so the IPv4 rules decide.",
    ],
    [
      "NAT64",
      "[64:ff9b::a9fe:a9fe]:80/tcp",
      KUBERNETES,
      "[64:ff9b::a9fe:a9fe]:80/tcp (in 64:ff9b::/96, IPv4-IPv6 translation (NAT64) (RFC 6052)) is allowed by rule 4 of keeperhub/workflow-runner-block-imds (::/0, spec.egress[4].to[1]). It carries 169.254.169.254 (NAT64, RFC 6052), which by itself is denied.",
    ],
    [
      "the longest prefix",
      "10.1.100.7:22/tcp",
      V4,
      "10.1.100.7:22/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied because the longest matching block, 10.1.100.0/24, does not allow the port, and the agent looks at no other. Nearest: rule 3 of keeperhub/workflow-runner-block-imds (10.1.100.0/24, spec.egress[3].to[0]), which allows only TCP 5432.",
    ],
    [
      "the other family",
      "[fd00:ec2::254]:80/tcp",
      V4,
      "[fd00:ec2::254]:80/tcp (EC2 instance metadata (IMDS)) is allowed because the agent enforces only the cluster's own address family.",
    ],
    [
      "the node",
      "10.1.0.10:10250/tcp",
      { ...V4, nodeIp: parseAddress("10.1.0.10") as never },
      "10.1.0.10:10250/tcp (in 10.0.0.0/8, private use (RFC 1918)) is allowed because the agent always allows the pod's own node, on every port.",
    ],
  ])("%s", (_, point, semantics, text) => {
    expect(textOf(seed, point, semantics)).toBe(text);
  });

  it("says which rule an except of another rule keeps from helping", () => {
    const rules = [
      block("10.0.0.0/8", { ports: [{ port: 5432 }] }),
      block("0.0.0.0/0", { except: ["10.0.0.0/16"], ports: [{ port: 443 }] }),
    ];
    expect(textOf([policy(rules)], "10.0.0.5:5432", V4)).toBe(
      "10.0.0.5:5432/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied by rule 1 of keeperhub/runner (except 10.0.0.0/16, spec.egress[1].to[0].ipBlock.except[0]); the agent applies an except to all rules, so rule 0 of keeperhub/runner (10.0.0.0/8, spec.egress[0].to[0]) does not help.",
    );
  });

  it("says it of pods that nothing isolates, of empty policies and of those the agent cannot load", () => {
    expect(textOf([], "10.0.0.1:22")).toContain("is allowed because no policy isolates the egress of this pod.");
    expect(textOf([policy([])], "8.8.8.8:443")).toBe(
      "8.8.8.8:443/tcp is denied because keeperhub/runner isolates the pod and has no egress rule.",
    );
    expect(textOf([policy([block("::/0", { except: ["64:ff9b::/96"] })])], "8.8.8.8:443", V4)).toContain(
      "cannot be told because the agent cannot load this policy",
    );
    const wide = Array.from({ length: 25 }, (_, i) => ({ port: i + 1 }));
    expect(textOf([policy([block("1.0.0.0/8", { ports: wide })])], "1.0.0.1:5", V4)).toContain(
      "is allowed or denied at random because the block 1.0.0.0/8 has more than 24 port entries",
    );
  });

  it("says of a denial which pods by label it is not about, where nobody said their addresses", () => {
    const to = (app: string, ports: object[]) => ({ to: [{ podSelector: { matchLabels: { app } } }], ports });
    const rules = [to("web", [{ port: 443 }]), to("db", [{ port: "postgres" }]), to("cache", [{ port: 6379 }])];
    const unless =
      "Unless it is an address of pods app=db in namespace keeperhub, or of pods app=web in namespace keeperhub, or of a Service in front of them.";
    const at = (point: string, semantics?: Semantics) => textOf([policy(rules)], point, semantics);
    expect(at("10.0.0.1:443")).toContain(unless);
    expect(at("10.0.0.1:443", V4)).toContain(unless);
    expect(at("10.0.0.1:443/udp")).not.toContain("Unless");
    expect(at("169.254.169.254:443")).not.toContain("Unless");
    const inventory = inventoryOf(podObject("web-0", "10.1.0.1", {}));
    expect(explain(analyse([policy(rules)], { inventory }), parsePoint("10.0.0.1:443")).unlessPods).toEqual([]);
    const named = [policy([{ ports: [{ port: "http" }] }])];
    expect(textOf(named, "10.0.0.1:80")).toContain("Unless it is an address of all pods in all namespaces");
    expect(textOf(named, "10.0.0.1:80", V4)).not.toContain("Unless");
  });

  it("judges ICMPv6 to an IPv4-mapped address as what is sent", () => {
    expect(textOf([policy([])], "[::ffff:10.0.0.1]/icmpv6", V4)).toContain(
      "is denied because keeperhub/runner isolates the pod and has no egress rule",
    );
    expect(textOf([policy([])], "[fd00::1]/icmpv6", { name: "vpc-cni", ipFamily: "ipv6" })).toContain(
      "is allowed because the agent lets ICMPv6 pass",
    );
  });

  it("finds the nearest rule by address first, then by port, then by shared bits", () => {
    const rules = [
      block("10.0.0.0/8", { ports: [{ port: 1 }] }),
      block("10.1.2.0/24", { ports: [{ port: 443 }] }),
      { to: [{ podSelector: {} }] },
    ];
    const nearest = (point: string) => explain(analyse([policy(rules)]), parsePoint(point)).nearest;
    expect(nearest("10.1.3.1:443")).toMatchObject({ reference: { rule: 0 }, why: "which allows only TCP 1" });
    expect(nearest("11.0.0.1:443")).toMatchObject({ reference: { rule: 1 }, why: "which does not contain it" });
    expect(nearest("[fd00::1]:1")).toMatchObject({
      reference: { rule: 2 },
      why: "which reaches pods by their labels, not this address",
    });
  });
});

describe("parsePoint", () => {
  it.each([
    ["10.1.7.7", /has no port/],
    ["10.1.7.7:99999", /has port 99999, above 65535/],
    ["10.1.7.7:443/quic", /has protocol quic, not one of tcp, udp, sctp, icmp, icmpv6, gre/],
    ["fd00::1:443/tcp", /has no port, or \[\] are missing/],
    ["example.com:443", /has no address/],
    ["10.1.7.7:8/icmp", /has a port, which ICMP has not/],
  ])("refuses %s", (text, message) => {
    expect(() => parsePoint(text)).toThrow(message);
  });

  it("reads defaults and portless protocols", () => {
    expect(parsePoint("10.1.7.7:443")).toMatchObject({ protocol: "TCP", port: 443 });
    expect(parsePoint("10.1.7.7/ICMP")).toMatchObject({ protocol: "ICMP", port: 0 });
  });
});

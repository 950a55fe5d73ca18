import { describe, expect, it } from "vitest";
import { kubernetesVerdict } from "./kubernetes.ts";
import type { EgressRule, NetworkPolicy, PolicyPort, Protocol, Source } from "./policy.ts";
import { internetPolicy, policyOf } from "./tables.ts";

const point = (ip: string, port: number, protocol: Protocol = "TCP") => ({ ip, port, protocol });

const ask = (egress: readonly EgressRule[], ...where: Parameters<typeof point>) =>
  kubernetesVerdict([policyOf(egress)], undefined, point(...where));

describe("kubernetesVerdict", () => {
  it.each([
    ["8.8.8.8", 443, "TCP", "allow"],
    ["8.8.8.8", 53, "UDP", "allow"],
    ["9.255.255.255", 1, "SCTP", "allow"],
    ["10.0.0.0", 443, "TCP", "deny"],
    ["10.255.255.255", 443, "TCP", "deny"],
    ["11.0.0.0", 443, "TCP", "allow"],
    ["169.254.169.254", 80, "TCP", "deny"],
    ["172.15.255.255", 80, "TCP", "allow"],
    ["172.16.0.0", 80, "TCP", "deny"],
    ["172.31.255.255", 80, "TCP", "deny"],
    ["172.32.0.0", 80, "TCP", "allow"],
    ["100.64.0.1", 80, "TCP", "deny"],
    ["127.0.0.1", 80, "TCP", "deny"],
    ["192.168.1.1", 80, "TCP", "deny"],
    ["10.1.99.255", 5432, "TCP", "deny"],
    ["10.1.100.0", 5432, "TCP", "allow"],
    ["10.1.102.255", 5432, "TCP", "allow"],
    ["10.1.103.0", 5432, "TCP", "deny"],
    ["10.1.100.7", 5431, "TCP", "deny"],
    ["10.1.100.7", 5433, "TCP", "deny"],
    ["10.1.100.7", 5432, "UDP", "deny"],
    // kube-dns is a pod selector, which no bare address is.
    ["172.20.0.10", 53, "UDP", "deny"],
    ["::ffff:10.1.100.7", 5432, "TCP", "allow"],
    ["::ffff:10.0.0.1", 443, "TCP", "deny"],
    ["2606:4700::1111", 443, "TCP", "allow"],
    ["64:ff9b::a00:1", 443, "TCP", "allow"],
    ["fd00:ec2::254", 80, "TCP", "deny"],
    ["fe80::1", 80, "TCP", "deny"],
    ["fec0::1", 80, "TCP", "allow"],
  ] as const)("of the runner's policy: %s port %d/%s is %s", (ip, port, protocol, verdict) => {
    expect(kubernetesVerdict([internetPolicy], undefined, point(ip, port, protocol))).toBe(verdict);
  });

  describe("rules", () => {
    it.each<[string, EgressRule, readonly (readonly [string, number, Protocol, "allow" | "deny"])[]]>([
      [
        "without to and ports match everything",
        {},
        [
          ["10.0.0.1", 0, "SCTP", "allow"],
          ["::1", 65535, "UDP", "allow"],
        ],
      ],
      ["with empty to and ports match everything", { to: [], ports: [] }, [["10.0.0.1", 7, "UDP", "allow"]]],
      [
        "without to limit by port alone",
        { ports: [{ protocol: "UDP", port: 53 }] },
        [
          ["fd00::1", 53, "UDP", "allow"],
          ["fd00::1", 53, "TCP", "deny"],
        ],
      ],
      [
        "take a selector peer for no address",
        { to: [{ podSelector: {} }, { namespaceSelector: {} }] },
        [["10.0.0.1", 80, "TCP", "deny"]],
      ],
      [
        "join their peers",
        { to: [{ ipBlock: { cidr: "10.0.0.0/30" } }, { ipBlock: { cidr: "10.0.0.8/30" } }] },
        [
          ["10.0.0.3", 1, "TCP", "allow"],
          ["10.0.0.4", 1, "TCP", "deny"],
          ["10.0.0.8", 1, "TCP", "allow"],
        ],
      ],
    ])("%s", (_name, rule, points) => {
      for (const [ip, port, protocol, verdict] of points) {
        expect(ask([rule], ip, port, protocol), `${ip} ${port} ${protocol}`).toBe(verdict);
      }
    });

    it.each<[string, PolicyPort, readonly number[], readonly number[]]>([
      ["a single port", { protocol: "TCP", port: 80 }, [80], [0, 79, 81, 65535]],
      ["an inclusive range", { protocol: "TCP", port: 80, endPort: 90 }, [80, 85, 90], [79, 91]],
      ["a range of one port", { protocol: "TCP", port: 80, endPort: 80 }, [80], [79, 81]],
      ["every port of a protocol", { protocol: "TCP" }, [0, 1, 65535], []],
      ["TCP where the protocol is omitted", { port: 443 }, [443], [444]],
      ["all of TCP where everything is omitted", {}, [0, 65535], []],
      ["no address by a named port", { protocol: "TCP", port: "http" }, [], [0, 80, 8080]],
    ])("a port entry matches %s", (_name, port, allowed, denied) => {
      for (const number of allowed) {
        expect(ask([{ ports: [port] }], "10.0.0.1", number)).toBe("allow");
        expect(ask([{ ports: [port] }], "10.0.0.1", number, "UDP")).toBe("deny");
      }
      for (const number of denied) {
        expect(ask([{ ports: [port] }], "10.0.0.1", number)).toBe("deny");
      }
    });

    it("limit only their own block by an except: policies and rules add up", () => {
      const outer = { to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] };
      const inner = { to: [{ ipBlock: { cidr: "10.1.2.0/24" } }], ports: [{ protocol: "TCP", port: 443 }] };
      expect(ask([outer], "10.1.2.3", 443)).toBe("deny");
      expect(ask([outer, inner], "10.1.2.3", 443)).toBe("allow");
      expect(ask([outer, inner], "10.1.2.3", 80)).toBe("deny");
      expect(kubernetesVerdict([policyOf([outer]), policyOf([inner])], undefined, point("10.1.2.3", 443))).toBe(
        "allow",
      );
      expect(ask([outer, { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }], "10.1.2.3", 80)).toBe("allow");
    });
  });

  describe("isolation", () => {
    const somewhere: readonly EgressRule[] = [{ to: [{ ipBlock: { cidr: "192.0.2.1/32" } }] }];
    it.each<[string, NetworkPolicy["spec"], "allow" | "deny"]>([
      ["Egress named, no rules", { policyTypes: ["Egress"] }, "deny"],
      ["Egress named, empty list", { policyTypes: ["Ingress", "Egress"], egress: [] }, "deny"],
      ["types omitted, rules", { egress: somewhere }, "deny"],
      ["types empty, rules", { policyTypes: [], egress: somewhere }, "deny"],
      ["types omitted, empty list", { egress: [] }, "allow"],
      ["types omitted, no list", {}, "allow"],
      ["Ingress only, rules", { policyTypes: ["Ingress"], egress: somewhere }, "allow"],
      ["no spec", undefined, "allow"],
    ])("%s: a destination that no rule names is %s", (_name, spec, verdict) => {
      const policy = spec === undefined ? {} : { spec: { podSelector: {}, ...spec } };
      expect(kubernetesVerdict([policy], undefined, point("10.0.0.1", 443))).toBe(verdict);
    });

    it("a policy that does not isolate egress adds nothing to one that does", () => {
      const ingressOnly = { spec: { podSelector: {}, policyTypes: ["Ingress"], egress: [{}] } };
      expect(kubernetesVerdict([ingressOnly, policyOf([])], undefined, point("10.0.0.1", 443))).toBe("deny");
    });

    it("nothing is isolated without policies", () => {
      expect(kubernetesVerdict([], undefined, point("10.0.0.1", 443))).toBe("allow");
    });
  });

  describe("selection of the source", () => {
    const runner: Source = { namespace: "default", labels: { app: "workflow-runner", tier: "job" } };
    it.each<[string, string | undefined, NonNullable<NetworkPolicy["spec"]>["podSelector"], "allow" | "deny"]>([
      ["everything in its namespace", "default", {}, "deny"],
      ["everything in no namespace, which is default", undefined, {}, "deny"],
      ["everything in another namespace", "ci", {}, "allow"],
      ["its labels", "default", { matchLabels: { app: "workflow-runner", tier: "job" } }, "deny"],
      ["one label that differs", "default", { matchLabels: { app: "workflow-runner", tier: "web" } }, "allow"],
      [
        "In with its value",
        "default",
        { matchExpressions: [{ key: "app", operator: "In", values: ["x", "workflow-runner"] }] },
        "deny",
      ],
      [
        "In without its value",
        "default",
        { matchExpressions: [{ key: "app", operator: "In", values: ["x"] }] },
        "allow",
      ],
      [
        "In on a missing key",
        "default",
        { matchExpressions: [{ key: "team", operator: "In", values: ["x"] }] },
        "allow",
      ],
      [
        "NotIn with its value",
        "default",
        { matchExpressions: [{ key: "app", operator: "NotIn", values: ["workflow-runner"] }] },
        "allow",
      ],
      [
        "NotIn on a missing key",
        "default",
        { matchExpressions: [{ key: "team", operator: "NotIn", values: ["x"] }] },
        "deny",
      ],
      ["Exists", "default", { matchExpressions: [{ key: "tier", operator: "Exists" }] }, "deny"],
      ["Exists on a missing key", "default", { matchExpressions: [{ key: "team", operator: "Exists" }] }, "allow"],
      ["DoesNotExist", "default", { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }, "allow"],
      [
        "DoesNotExist on a missing key",
        "default",
        { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] },
        "deny",
      ],
      [
        "labels and expressions, of which one fails",
        "default",
        { matchLabels: { tier: "job" }, matchExpressions: [{ key: "app", operator: "DoesNotExist" }] },
        "allow",
      ],
    ])("a deny-all policy for %s in %s", (_name, namespace, podSelector, verdict) => {
      const policy: NetworkPolicy = {
        metadata: namespace === undefined ? {} : { namespace },
        spec: { ...(podSelector === undefined ? {} : { podSelector }), policyTypes: ["Egress"] },
      };
      expect(kubernetesVerdict([policy], runner, point("10.0.0.1", 443))).toBe(verdict);
      expect(kubernetesVerdict([policy], undefined, point("10.0.0.1", 443))).toBe("deny");
    });
  });
});

import { describe, expect, it } from "vitest";
import {
  ADDRESS_FAMILIES,
  boxSize,
  type Inventory,
  LAST_ADDRESS,
  parsePoint,
  regions,
  type Semantics,
  sizeByVerdict,
  verdict,
} from "../../analysis/index.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { analyse, block, KUBERNETES, policy } from "../support/policies.ts";

const V4: Semantics = { name: "vpc-cni", ipFamily: "ipv4" };
const V6: Semantics = { name: "vpc-cni", ipFamily: "ipv6" };
const priv = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
const verdictOf = (policies: object[], point: string, semantics: Semantics = KUBERNETES) =>
  verdict(analyse(policies, { semantics }), parsePoint(point));

describe("the seed's policy", () => {
  it.each([
    ["10.1.100.7:5432/tcp", "allow"],
    ["10.1.102.255:5432/tcp", "allow"],
    ["10.1.103.0:5432/tcp", "deny"],
    ["10.1.100.7:5432/udp", "deny"],
    ["10.1.100.7:22/tcp", "deny"],
    ["10.1.7.7:443/tcp", "deny"],
    ["169.254.169.254:80/tcp", "deny"],
    ["169.254.170.23:80/tcp", "deny"],
    ["100.64.0.1:443/tcp", "deny"],
    ["172.32.0.1:443/tcp", "allow"],
    ["172.31.255.255:443/tcp", "deny"],
    ["8.8.8.8:0/udp", "allow"],
    ["8.8.8.8:65535/sctp", "allow"],
    ["[fd00:ec2::254]:80/tcp", "deny"],
    ["[2600::1]:8545/tcp", "allow"],
    ["[::ffff:169.254.169.254]:80/tcp", "deny"],
    ["[::ffff:8.8.8.8]:80/tcp", "allow"],
  ])("%s: %s", (point, expected) => {
    expect(verdictOf([keeperhubManifest("10.1")], point)).toBe(expected);
  });

  it("is enforced as it is written, but for the family that the agent does not look at", () => {
    for (const point of ["10.1.100.7:5432", "10.1.100.7:22", "10.1.7.7:443", "8.8.8.8:53/udp", "169.254.169.254:80"]) {
      expect(verdictOf([keeperhubManifest("10.1")], point, V4), point).toBe(
        verdictOf([keeperhubManifest("10.1")], point),
      );
    }
    expect(verdictOf([keeperhubManifest("10.1")], "[fd00:ec2::254]:80", V4)).toBe("allow");
    expect(verdictOf([keeperhubManifest("10.1")], "169.254.169.254:80", V6)).toBe("allow");
    expect(verdictOf([keeperhubManifest("10.1")], "10.1.100.7:22", { ...V4, agentVersion: "1.2.3" })).toBe("allow");
  });
});

describe("rules without to, without ports, without rules", () => {
  it.each<[string, object[], string, string, Semantics]>([
    ["no policy at all", [], "10.0.0.1:22", "allow", KUBERNETES],
    ["egress: []", [policy([])], "8.8.8.8:443", "deny", KUBERNETES],
    ["an empty rule", [policy([{}])], "10.0.0.1:22/sctp", "allow", KUBERNETES],
    [
      "ports without to",
      [policy([{ ports: [{ port: 53, protocol: "UDP" }] }])],
      "[fc00::1]:53/udp",
      "allow",
      KUBERNETES,
    ],
    ["ports without to, another port", [policy([{ ports: [{ port: 53 }] }])], "8.8.8.8:53/udp", "deny", KUBERNETES],
    ["a protocol without port", [policy([{ ports: [{ protocol: "UDP" }] }])], "8.8.8.8:0/udp", "allow", KUBERNETES],
    [
      "endPort is inclusive",
      [policy([{ ports: [{ port: 8000, endPort: 9000 }] }])],
      "8.8.8.8:9000",
      "allow",
      KUBERNETES,
    ],
    ["beyond endPort", [policy([{ ports: [{ port: 8000, endPort: 9000 }] }])], "8.8.8.8:9001", "deny", KUBERNETES],
    [
      "a named port never matches an address",
      [policy([block("10.0.0.0/8", { ports: [{ port: "http" }] })])],
      "10.0.0.1:80",
      "deny",
      KUBERNETES,
    ],
    ["a selector is no address", [policy([{ to: [{ podSelector: {} }] }])], "10.0.0.1:80", "deny", KUBERNETES],
    [
      "policies add up",
      [policy([block("10.0.0.0/8")]), policy([block("11.0.0.0/8")])],
      "11.0.0.1:80",
      "allow",
      KUBERNETES,
    ],
    [
      "an except is no deny",
      [policy([block("0.0.0.0/0", { except: ["10.0.0.0/8"] }), block("10.1.0.0/16")])],
      "10.1.0.1:80",
      "allow",
      KUBERNETES,
    ],
    [
      "Ingress only does not isolate",
      [policy([block("10.0.0.0/8")], { spec: { policyTypes: ["Ingress"] } })],
      "11.0.0.1:80",
      "allow",
      KUBERNETES,
    ],
    [
      "Ingress only, as the agent has it",
      [policy([block("10.0.0.0/8")], { spec: { policyTypes: ["Ingress"] } })],
      "11.0.0.1:80",
      "deny",
      V4,
    ],
    [
      "Ingress only, with rules that emit nothing",
      [policy([{ ports: [{ port: "http" }] }], { spec: { policyTypes: ["Ingress"] } })],
      "11.0.0.1:80",
      "allow",
      V4,
    ],
    ["ICMP where any protocol is allowed", [policy([block("10.0.0.0/8")])], "10.0.0.1/icmp", "allow", V4],
    [
      "ICMP where ports are listed",
      [policy([block("10.0.0.0/8", { ports: [{ protocol: "TCP" }] })])],
      "10.0.0.1/icmp",
      "deny",
      V4,
    ],
    ["GRE where any protocol is allowed", [policy([block("10.0.0.0/8")])], "10.0.0.1/gre", "allow", V4],
    ["ICMPv6 always passes", [policy([])], "[2600::1]/icmpv6", "allow", V6],
    ["ICMPv6 in IPv4 is any other protocol", [policy([])], "10.0.0.1/icmpv6", "deny", V4],
  ])("%s", (_, policies, point, expected, semantics) => {
    expect(verdictOf(policies, point, semantics)).toBe(expected);
  });

  it("applies only policies that select the pod", () => {
    const policies = [policy([]), policy([], { metadata: { namespace: "other" } })];
    const of = (namespace: string, app: string) =>
      verdict(analyse(policies, { source: { namespace, labels: { app } } }), parsePoint("8.8.8.8:443"));
    expect([of("keeperhub", "workflow-runner"), of("keeperhub", "web"), of("third", "workflow-runner")]).toEqual([
      "deny",
      "allow",
      "allow",
    ]);
  });

  it("has no verdict for what nobody specifies", () => {
    expect(() => verdictOf([policy([])], "10.0.0.1/icmp")).toThrow("ICMP has no verdict under kubernetes semantics");
    expect(() => verdict(analyse([policy([])]), { ...parsePoint("10.0.0.1:1"), port: 65536 })).toThrow(
      "TCP has no port 65536",
    );
    for (const port of [-1, 80.5, Number.NaN]) {
      expect(() => verdict(analyse([policy([])]), { ...parsePoint("10.0.0.1:1"), port })).toThrow(
        `TCP has no port ${port}`,
      );
    }
    const nodeIp = parsePoint("[fd00::1]:1").address;
    expect(() => analyse([], { semantics: { ...V4, nodeIp } as Semantics })).toThrow(
      "nodeIp fd00::1 is ipv6, but the cluster's family is ipv4",
    );
    expect(() => analyse([policy([])], { semantics: { ...V4, agentVersion: "1.2.3.4" } as Semantics })).toThrow(
      '"1.2.3.4" is not an agent version',
    );
    expect(() => analyse([policy([])], { semantics: { ...V4, agentVersion: "latest" } as Semantics })).toThrow(
      '"latest" is not an agent version',
    );
  });
});

describe("what the AWS agent makes of it", () => {
  const internet = block("0.0.0.0/0", { except: priv, ports: [{ port: 443 }] });
  const node = parsePoint("10.1.0.10:1").address;
  it.each<[string, object[], string, string, Semantics]>([
    [
      "a: an except bleeds into a rule with the same block",
      [internet, { ports: [{ port: 53 }] }],
      "172.16.0.10:53",
      "deny",
      V4,
    ],
    [
      "b: an except punches a hole into another rule",
      [
        block("10.0.0.0/8", { ports: [{ port: 5432 }] }),
        block("0.0.0.0/0", { except: ["10.0.0.0/16"], ports: [{ port: 443 }] }),
      ],
      "10.0.0.5:5432",
      "deny",
      V4,
    ],
    [
      "c: a block that shares its first address with an except inherits nothing",
      [
        block("10.0.0.0/8", { ports: [{ port: 5432 }] }),
        block("0.0.0.0/0", { except: ["10.0.0.0/16"], ports: [{ port: 443 }] }),
      ],
      "10.200.0.1:443",
      "deny",
      V4,
    ],
    [
      "d: ports pass through an intermediate block into an except",
      [
        block("0.0.0.0/0", { except: ["10.1.0.0/16"], ports: [{ port: 443 }] }),
        block("10.0.0.0/8", { ports: [{ port: 53 }] }),
        block("10.1.0.0/16", { ports: [{ port: 5432 }] }),
      ],
      "10.1.0.7:443",
      "allow",
      V4,
    ],
    [
      "a narrower rule inherits what a wider one allows",
      [block("10.0.0.0/8", { ports: [{ port: 443 }] }), block("10.1.0.0/16", { ports: [{ port: 53 }] })],
      "10.1.0.1:443",
      "allow",
      V4,
    ],
    [
      "24 ports fit",
      [block("1.0.0.0/8", { ports: Array.from({ length: 24 }, (_, i) => ({ port: i + 1 })) })],
      "1.0.0.1:24",
      "allow",
      V4,
    ],
    [
      "25 do not",
      [block("1.0.0.0/8", { ports: Array.from({ length: 25 }, (_, i) => ({ port: i + 1 })) })],
      "1.0.0.1:24",
      "order-dependent",
      V4,
    ],
    [
      "inherited ones count",
      [
        block("0.0.0.0/0", { ports: Array.from({ length: 24 }, (_, i) => ({ port: i + 1 })) }),
        block("1.0.0.0/8", { ports: [{ port: 99 }] }),
      ],
      "1.0.0.1:99",
      "order-dependent",
      V4,
    ],
    [
      "80 and 80-80 are two",
      [
        block("1.0.0.0/8", {
          ports: [
            { port: 80 },
            { port: 80, endPort: 80 },
            ...Array.from({ length: 23 }, (_, i) => ({ port: 100 + i })),
          ],
        }),
      ],
      "1.0.0.1:100",
      "order-dependent",
      V4,
    ],
    [
      "what does not match cannot fill the slots",
      [
        block("1.0.0.0/8", {
          ports: [
            { port: 80 },
            { port: 80, endPort: 80 },
            ...Array.from({ length: 23 }, (_, i) => ({ port: 100 + i })),
          ],
        }),
      ],
      "1.0.0.1:80",
      "allow",
      V4,
    ],
    ["the node is open", [], "10.1.0.10:22", "allow", { ...V4, nodeIp: node } as Semantics],
    ["its neighbour is not", [], "10.1.0.11:22", "deny", { ...V4, nodeIp: node } as Semantics],
    [
      "an except of exactly the node closes it",
      [block("10.0.0.0/8", { except: ["10.1.0.10/32"] })],
      "10.1.0.10:22",
      "deny",
      { ...V4, nodeIp: node } as Semantics,
    ],
    [
      "an IPv6 except denies the IPv4 block with its first bytes",
      [block("0.0.0.0/0"), block("::/0", { except: ["2002::/16"] })],
      "32.2.0.1:443",
      "deny",
      V4,
    ],
    [
      "and where it meets a rule's block, nobody knows",
      [block("0.0.0.0/1"), block("::/0", { except: ["::/1"] })],
      "1.2.3.4:443",
      "order-dependent",
      V4,
    ],
    [
      "one longer than /32 stops the agent",
      [block("0.0.0.0/0"), block("::/0", { except: ["64:ff9b::/96"] })],
      "8.8.8.8:443",
      "order-dependent",
      V4,
    ],
    [
      "an IPv4 except denies IPv6 in an IPv6 cluster",
      [block("::/0"), block("0.0.0.0/0", { except: ["32.0.0.0/8"] })],
      "[2000::1]:443",
      "deny",
      V6,
    ],
    [
      "an IPv6 /32 passes nothing on",
      [block("2600:1::/32", { ports: [{ port: 443 }] }), block("2600:1:1::/48", { ports: [{ port: 53 }] })],
      "[2600:1:1::1]:443",
      "deny",
      V6,
    ],
    [
      "an IPv6 /31 does",
      [block("2600:0::/31", { ports: [{ port: 443 }] }), block("2600:1:1::/48", { ports: [{ port: 53 }] })],
      "[2600:1:1::1]:443",
      "allow",
      V6,
    ],
    [
      "up to 1.2.3, /0 without ports opens every narrower block",
      [block("0.0.0.0/0", { except: priv }), block("10.1.0.0/24", { ports: [{ port: 5432 }] })],
      "10.1.0.1:22",
      "allow",
      { ...V4, agentVersion: "v1.2.3-eksbuild.1" } as Semantics,
    ],
    [
      "from 1.2.4 on it does not",
      [block("0.0.0.0/0", { except: priv }), block("10.1.0.0/24", { ports: [{ port: 5432 }] })],
      "10.1.0.1:22",
      "deny",
      { ...V4, agentVersion: "1.2.4" } as Semantics,
    ],
  ])("%s", (_, rules, point, expected, semantics) => {
    expect(verdictOf([policy(rules)], point, semantics)).toBe(expected);
  });

  it("names the excepts at which the agent stops", () => {
    const { aborts } = analyse([policy([block("::/0", { except: ["fc00::/7", "64:ff9b::/96"] })])], { semantics: V4 });
    expect(aborts.map(({ except }) => except)).toEqual([1]);
  });
});

describe("an inventory", () => {
  const address = (text: string) => parsePoint(`${text}:1`).address;
  const pod = (name: string, ip: string, more: object = {}) => ({
    name,
    namespace: "keeperhub",
    labels: { app: name },
    addresses: [address(ip)],
    namedPorts: [],
    hostNetwork: false,
    ...more,
  });
  const inventory: Inventory = {
    namespaces: new Map([["keeperhub", { team: "runners" }]]),
    pods: [
      pod("sandbox", "10.1.64.5", {
        labels: { app: "sandbox", extra: "1" },
        namedPorts: [{ name: "http", protocol: "TCP" as const, port: 8787 }],
      }),
      pod("daemon", "10.1.0.10", { hostNetwork: true }),
      pod("stranger", "10.1.65.5", { namespace: "other", labels: { app: "sandbox" } }),
    ],
    services: [
      {
        name: "sandbox",
        namespace: "keeperhub",
        clusterIps: [address("172.20.0.87")],
        selector: { app: "sandbox" },
        ports: [{ protocol: "TCP", port: 80, targetPort: 8787 }],
      },
      {
        name: "tagged",
        namespace: "keeperhub",
        clusterIps: [address("172.20.0.88")],
        selector: { app: "sandbox", extra: "1" },
        ports: [{ protocol: "TCP", port: 80, targetPort: "http" }],
      },
    ],
  };
  const to = (podSelector: object, ports: unknown[], more: object = {}) =>
    policy([{ to: [{ podSelector, ...more }], ports }]);
  it.each<[string, object, string, string, Semantics]>([
    [
      "a selector reaches its pod",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]),
      "10.1.64.5:8787",
      "allow",
      KUBERNETES,
    ],
    [
      "a named port is the pod's",
      to({ matchLabels: { app: "sandbox" } }, [{ port: "http" }]),
      "10.1.64.5:8787",
      "allow",
      KUBERNETES,
    ],
    [
      "a name that the pod has not",
      to({ matchLabels: { app: "sandbox" } }, [{ port: "grpc" }]),
      "10.1.64.5:8787",
      "deny",
      KUBERNETES,
    ],
    [
      "namespaces by label",
      to({}, [{ port: 8787 }], { namespaceSelector: { matchLabels: { team: "runners" } } }),
      "10.1.64.5:8787",
      "allow",
      KUBERNETES,
    ],
    [
      "a name that the pod has for another protocol",
      to({ matchLabels: { app: "sandbox" } }, [{ protocol: "UDP", port: "http" }]),
      "10.1.64.5:8787/udp",
      "deny",
      KUBERNETES,
    ],
    [
      "no namespaceSelector: only the policy's own namespace",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]),
      "10.1.65.5:8787",
      "deny",
      KUBERNETES,
    ],
    ["the same on the agent", to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]), "10.1.65.5:8787", "deny", V4],
    [
      "every namespace",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }], { namespaceSelector: {} }),
      "10.1.65.5:8787",
      "allow",
      KUBERNETES,
    ],
    [
      "another namespace",
      to({}, [{ port: 8787 }], { namespaceSelector: { matchLabels: { team: "web" } } }),
      "10.1.64.5:8787",
      "deny",
      KUBERNETES,
    ],
    [
      "host network pods are not selected",
      to({ matchLabels: { app: "daemon" } }, [{ port: 22 }]),
      "10.1.0.10:22",
      "deny",
      KUBERNETES,
    ],
    [
      "but the agent opens their node",
      to({ matchLabels: { app: "daemon" } }, [{ port: 22 }]),
      "10.1.0.10:22",
      "allow",
      V4,
    ],
    [
      "the agent sees the ClusterIP and the Service's port",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]),
      "172.20.0.87:80",
      "allow",
      V4,
    ],
    [
      "not the target port there",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]),
      "172.20.0.87:8787",
      "deny",
      V4,
    ],
    [
      "nor a policy that names the Service's port",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 80 }]),
      "172.20.0.87:80",
      "deny",
      V4,
    ],
    [
      "a Service whose selector has more labels",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]),
      "172.20.0.88:80",
      "allow",
      V4,
    ],
    [
      "a policy whose selector has more labels",
      to({ matchLabels: { app: "sandbox", extra: "1" } }, [{ port: 8787 }]),
      "172.20.0.87:80",
      "deny",
      V4,
    ],
    [
      "a ClusterIP is its Service: what becomes of its packets at the backends",
      to({ matchLabels: { app: "sandbox" } }, [{ port: 8787 }]),
      "172.20.0.87:80",
      "allow",
      KUBERNETES,
    ],
  ])("%s", (_, input, point, expected, semantics) => {
    expect(verdict(analyse([input], { semantics, inventory }), parsePoint(point))).toBe(expected);
  });

  it("finds named ports of pods for a rule without to, which the agent never gets", () => {
    const named = (semantics: Semantics, port: number, host = "10.1.64.5") =>
      verdict(
        analyse([policy([{ ports: [{ port: "http" }] }])], { semantics, inventory }),
        parsePoint(`${host}:${port}`),
      );
    expect([named(KUBERNETES, 8787), named(KUBERNETES, 8788), named(KUBERNETES, 8787, "10.1.64.6")]).toEqual([
      "allow",
      "deny",
      "deny",
    ]);
    expect(named(V4, 8787)).toBe("deny");
  });

  it("can leave pods to selectors alone", () => {
    const input = [policy([block("10.1.0.0/16")])];
    const with_ = (ipBlockMatchesPods: boolean) =>
      analyse(input, { semantics: { name: "kubernetes", ipBlockMatchesPods }, inventory });
    expect(verdict(with_(true), parsePoint("10.1.64.5:80"))).toBe("allow");
    expect(verdict(with_(false), parsePoint("10.1.64.5:80"))).toBe("deny");
    expect(verdict(with_(false), parsePoint("10.1.64.6:80"))).toBe("allow");
    // A rule without `to` is no block: it reaches pods whatever blocks do.
    const anywhere = analyse([policy([{}])], {
      semantics: { name: "kubernetes", ipBlockMatchesPods: false },
      inventory,
    });
    expect(verdict(anywhere, parsePoint("10.1.64.5:80"))).toBe("allow");
    // A pod of the host network has its node's address, which is no pod's.
    expect(verdict(with_(false), parsePoint("10.1.0.10:80"))).toBe("allow");
  });
});

describe("regions", () => {
  it.each<[string, Semantics]>([
    ["kubernetes", KUBERNETES],
    ["vpc-cni IPv4", V4],
    ["vpc-cni IPv6", V6],
  ])("cover every address and port once under %s", (_, semantics) => {
    const analysis = analyse([keeperhubManifest("10.0")], { semantics });
    for (const family of ADDRESS_FAMILIES) {
      const sizes = sizeByVerdict(analysis, family, "TCP");
      expect(sizes.allow + sizes.deny + sizes["order-dependent"]).toBe((LAST_ADDRESS[family] + 1n) * 65536n);
      const listed = regions(analysis).filter(({ range, protocol }) => range.family === family && protocol === "TCP");
      expect(listed.reduce((sum, { range, ports }) => sum + boxSize(range, ports), 0n)).toBe(
        (LAST_ADDRESS[family] + 1n) * 65536n,
      );
    }
  });
});

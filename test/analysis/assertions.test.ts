import { describe, expect, it } from "vitest";
import {
  type Address,
  type CompileOptions,
  check,
  type ProblemsError,
  parseAddress,
  parseAssertions,
  type Semantics,
} from "../../analysis/index.ts";
import { inventoryOf, podObject } from "../support/inventory.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { analyse, block, KUBERNETES, policy } from "../support/policies.ts";

const outcomes = (assertions: object[], policies: object[], semantics: Semantics = KUBERNETES) =>
  check(analyse(policies, { semantics }), parseAssertions({ assertions })).map(({ outcome }) => outcome);
const seed = [keeperhubManifest("10.1")];

describe("check", () => {
  it.each<[string, object, string]>([
    ["metadata is denied", { expect: "deny", to: ["aws-metadata"] }, "holds"],
    [
      "nothing private is reached but the databases",
      { expect: "deny", to: ["10.0.0.0/8"], except: ["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24"] },
      "holds",
    ],
    ["the databases are in the way", { expect: "deny", to: ["10.0.0.0/8"] }, "fails"],
    [
      "the database port is open",
      { expect: "allow", to: ["10.1.100.0/24"], protocols: ["TCP"], ports: [5432] },
      "holds",
    ],
    [
      "one port too many",
      { expect: "allow", to: ["10.1.100.0/24"], protocols: ["TCP"], ports: ["5432-5433"] },
      "fails",
    ],
    ["the internet is open", { expect: "allow", to: ["public-internet"] }, "holds"],
    [
      "special blocks are not all closed by the seed",
      { expect: "deny", to: ["not-globally-reachable"], except: ["10.1.100.0/22"] },
      "fails",
    ],
    ["everything is too much", { expect: "allow", to: ["everything"] }, "fails"],
    [
      "DNS pods",
      {
        expect: "allow",
        to: [{ namespace: "kube-system", labels: { "k8s-app": "kube-dns" } }],
        protocols: ["UDP", "TCP"],
        ports: [53],
      },
      "holds",
    ],
    [
      "DNS pods on another port",
      { expect: "allow", to: [{ namespace: "kube-system", labels: { "k8s-app": "kube-dns" } }], ports: [54] },
      "fails",
    ],
    [
      "other pods, whose addresses a block may hold",
      { expect: "deny", to: [{ namespace: "kube-system", labels: { "k8s-app": "metrics-server" } }] },
      "inconclusive",
    ],
    [
      "pods that may be the DNS pods",
      { expect: "deny", to: [{ namespace: "kube-system", labels: { app: "x" } }] },
      "inconclusive",
    ],
    ["no destination", { expect: "deny", to: [] }, "vacuous"],
    ["all of it excepted", { expect: "deny", to: ["10.1.0.0/16"], except: ["10.0.0.0/8"] }, "vacuous"],
    ["no ports", { expect: "deny", to: ["10.1.0.0/16"], ports: [] }, "vacuous"],
  ])("%s: %j", (name, assertion, outcome) => {
    expect(outcomes([{ name, ...assertion }], seed)).toEqual([outcome]);
  });

  it("shows every stretch that contradicts, with a witness", () => {
    const [result] = check(
      analyse(seed),
      parseAssertions({ assertions: [{ name: "no private reach", expect: "deny", to: ["10.0.0.0/8"] }] }),
    );
    expect(result?.contradictions.map(({ where, ports }) => `${where} ${ports.from}`)).toEqual([
      "10.1.100.0-10.1.102.255 5432",
    ]);
    expect(result?.text).toBe(
      "no private reach: should deny 10.1.100.0-10.1.102.255, but 10.1.100.1:5432/tcp (in 10.0.0.0/8, private use (RFC 1918)) is allowed by rule 3 of keeperhub/workflow-runner-block-imds (10.1.100.0/24, spec.egress[3].to[0]).",
    );
  });

  it("concludes nothing for a policy that the agent cannot load, and takes chance for a contradiction", () => {
    const v4: Semantics = { name: "vpc-cni", ipFamily: "ipv4" };
    const assertion = { name: "a", expect: "deny", to: ["10.0.0.1"] };
    expect(outcomes([assertion], [policy([block("::/0", { except: ["64:ff9b::/96"] })])], v4)).toEqual([
      "inconclusive",
    ]);
    const wide = Array.from({ length: 25 }, (_, i) => ({ port: i + 1 }));
    expect(outcomes([assertion], [policy([block("10.0.0.0/8", { ports: wide })])], v4)).toEqual(["fails"]);
    expect(
      outcomes([{ ...assertion, expect: "allow", ports: [1] }], [policy([block("10.0.0.0/8", { ports: wide })])], v4),
    ).toEqual(["fails"]);
  });

  it("says for sure that pods cannot be those that a rule names, where labels contradict", () => {
    const rule = (podSelector: object, ports: object[]) => policy([{ to: [{ podSelector }], ports }]);
    const deny = {
      name: "a",
      expect: "deny",
      to: [{ namespace: "keeperhub", labels: { app: "db" } }],
      ports: ["5000-6000"],
    };
    const to = (expression: object, ports: object[] = [{ port: 5432 }]) =>
      outcomes([deny], [rule({ matchExpressions: [expression] }, ports)])[0];
    expect(to({ key: "app", operator: "In", values: ["web", "cache"] })).toBe("holds");
    expect(to({ key: "app", operator: "In", values: ["web", "db"] })).toBe("fails");
    expect(to({ key: "app", operator: "NotIn", values: ["db"] })).toBe("holds");
    expect(to({ key: "app", operator: "NotIn", values: ["web"] })).toBe("fails");
    expect(to({ key: "app", operator: "DoesNotExist" })).toBe("holds");
    expect(to({ key: "tier", operator: "Exists" })).toBe("inconclusive");
    expect(to({ key: "tier", operator: "Exists" }, [{ port: 443 }, { port: 4999 }, { port: 6001 }])).toBe("holds");
    expect(to({ key: "tier", operator: "Exists" }, [{ port: 443 }, { port: 6000 }])).toBe("inconclusive");
    expect(to({ key: "tier", operator: "NotIn", values: ["web"] })).toBe("inconclusive");
  });

  it.each<[string, readonly string[], string]>([
    ["with the label and without it", ["Exists", "DoesNotExist"], "holds"],
    ["only with it", ["Exists"], "inconclusive"],
  ])("takes several rules together for pods that no rule names alone: %s", (_, operators, outcome) => {
    const egress = operators.map((operator) => ({
      to: [{ podSelector: { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator }] } }],
      ports: [{ port: 80 }],
    }));
    const to = [{ namespace: "keeperhub", labels: { app: "web" } }];
    const assertion = { name: "web", expect: "allow", to, protocols: ["TCP"], ports: [80] };
    expect(outcomes([assertion], [policy(egress)])).toEqual([outcome]);
    expect(outcomes([assertion], [policy(egress)], { name: "vpc-cni", ipFamily: "ipv4" })).toEqual([outcome]);
  });

  it("does not deny a port that pods may call by the name that a rule has", () => {
    const rules = [policy([{ to: [{ podSelector: { matchLabels: { app: "db" } } }], ports: [{ port: "postgres" }] }])];
    const deny = (app: string, protocol = "TCP") =>
      outcomes(
        [{ name: "a", expect: "deny", to: [{ namespace: "keeperhub", labels: { app } }], protocols: [protocol] }],
        rules,
      )[0];
    expect(deny("db")).toBe("inconclusive");
    expect(deny("db", "UDP")).toBe("holds");
    expect(deny("web")).toBe("holds");
  });

  it("does not deny pods whose addresses a block may hold, unless blocks match no pods", () => {
    const deny = { name: "a", expect: "deny", to: [{ labels: { app: "db" } }], ports: [5432] };
    const on = (port: number, semantics?: Semantics) =>
      outcomes([deny], [policy([block("10.0.0.0/8", { ports: [{ port }] })])], semantics)[0];
    expect(on(5432)).toBe("inconclusive");
    expect(on(443)).toBe("holds");
    expect(on(5432, { name: "vpc-cni", ipFamily: "ipv4" })).toBe("inconclusive");
    expect(on(5432, { name: "kubernetes", ipBlockMatchesPods: false })).toBe("holds");
  });

  it("says what a denial of addresses leaves out", () => {
    const apart = (rules: object[], ports: number[], options: Partial<CompileOptions> = {}) =>
      check(
        analyse([policy(rules)], options),
        parseAssertions({ assertions: [{ name: "a", expect: "deny", to: ["10.0.0.0/8"], ports }] }),
      )[0];
    const toWeb = [{ to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 443 }] }];
    const pods = "pods and Services that rules name by label";
    expect(apart(toWeb, [443])).toMatchObject({
      outcome: "holds",
      apart: [pods],
      text: `a: denied, apart from ${pods}`,
    });
    expect(apart(toWeb, [80])).toMatchObject({ outcome: "holds", apart: [], text: "a: denied" });
    const inventory = inventoryOf(podObject("web-0", "10.1.0.1", { labels: { app: "web" } }));
    expect(apart(toWeb, [443], { inventory })?.outcome).toBe("fails");
    // No pod has the address of an AWS service, but its neighbour may be one's.
    const toImds = (to: string) =>
      check(
        analyse([policy(toWeb)]),
        parseAssertions({ assertions: [{ name: "a", expect: "deny", to: [to], ports: [443] }] }),
      )[0];
    expect(toImds("169.254.169.254")?.apart).toEqual([]);
    expect(toImds("169.254.169.254/31")?.apart).toEqual([pods]);
    const semantics: Semantics = { name: "vpc-cni", ipFamily: "ipv4" };
    expect(apart(toWeb, [443], { semantics })?.apart).toEqual([pods, "the pod's own node"]);
    const nodeIp = parseAddress("192.168.0.1") as Address;
    expect(apart(toWeb, [80], { semantics: { ...semantics, nodeIp } })?.apart).toEqual([]);
    expect(
      apart(toWeb, [80], { semantics: { ...semantics, nodeIp: parseAddress("10.9.9.9") as Address } })?.outcome,
    ).toBe("fails");
  });

  it("asks about an IPv4-mapped address as the IPv4 address that is sent", () => {
    const asked = (to: string, rest: object = {}) =>
      outcomes([{ name: "a", expect: "deny", to: [to], ...rest }], [policy([block("10.0.0.0/24")])])[0];
    expect(asked("::ffff:10.0.0.1")).toBe("fails");
    expect(asked("::ffff:10.0.1.1")).toBe("holds");
    expect(asked("10.0.0.1", { except: ["::ffff:a00:1"] })).toBe("vacuous");
  });

  it("judges only the addresses that are named, to the last one", () => {
    const rules = [policy([block("10.0.0.0/24"), block("10.0.2.0/24")])];
    const allow = (to: string[]) => outcomes([{ name: "a", expect: "allow", to }], rules)[0];
    expect(allow(["10.0.0.0/24", "10.0.2.0/24"])).toBe("holds");
    expect(allow(["10.0.0.0/23"])).toBe("fails");
    const deny = (to: string[]) => outcomes([{ name: "a", expect: "deny", to }], rules)[0];
    expect(deny(["10.0.1.0/24"])).toBe("holds");
    expect(deny(["10.0.1.255", "10.0.2.0"])).toBe("fails");
    expect(deny(["10.0.3.0"])).toBe("holds");
  });

  it("knows that a pod without policies reaches all pods", () => {
    const pods = { name: "a", to: [{ namespace: "x" }] };
    expect(outcomes([{ ...pods, expect: "deny" }], [])).toEqual(["fails"]);
    expect(outcomes([{ ...pods, expect: "allow" }], [])).toEqual(["holds"]);
  });
});

describe("parseAssertions", () => {
  it("names everything that is wrong at once", () => {
    try {
      parseAssertions({
        assertions: [
          {
            name: "a",
            expect: "denied",
            to: ["10.0.0.0/33", "nowhere", { labels: { a: 1 }, pod: "x" }],
            ports: [65536, "b"],
          },
          { name: "a", expect: "deny", to: "10.0.0.1", protocols: ["ICMP"], exept: [] },
          { name: "b", expect: "deny", to: [{ namespace: "" }, { labels: { "a b": "" } }], ports: [[443]] },
        ],
      });
      expect.unreachable();
    } catch (error) {
      expect((error as ProblemsError).message.split("\n")).toEqual([
        "Not an assertion file:",
        '  - assertions[0].expect is "denied": must be allow or deny',
        '  - assertions[0].to[0]: "10.0.0.0/33" has prefix length 33; ipv4 allows 0 to 32',
        '  - assertions[0].to[1] is "nowhere": must be an address, a CIDR block or one of everything, public-internet, not-globally-reachable, aws-metadata',
        '  - assertions[0].to[2].pod is "x": unknown key; allowed are namespace, labels',
        "  - assertions[0].to[2].labels.a is 1: no pod can have this label; a key and a value must be texts that Kubernetes accepts",
        "  - assertions[0].ports[0] is 65536: must be a port from 0 to 65535, or a range such as 8000-9000",
        '  - assertions[0].ports[1] is "b": must be a port from 0 to 65535, or a range such as 8000-9000',
        "  - assertions[1].exept is []: unknown key; did you mean except? (allowed are name, expect, to, except, protocols, ports)",
        '  - assertions[1].to is "10.0.0.1": must be a list',
        '  - assertions[1].protocols[0] is "ICMP": must be TCP, UDP or SCTP',
        '  - assertions[2].to[0].namespace is "": must be the name of a namespace; leave it out for all of them',
        '  - assertions[2].to[1].labels.a b is "": no pod can have this label; a key and a value must be texts that Kubernetes accepts',
        "  - assertions[2].ports[0] is [443]: must be a port from 0 to 65535, or a range such as 8000-9000",
        '  - assertions[1].name is "a": is used twice',
      ]);
    }
    expect(
      parseAssertions({ assertions: [{ name: "a", expect: "deny", to: ["10.0.0.1"], ports: ["0-65535", 65535] }] })[0]
        ?.ports,
    ).toEqual([
      { from: 0, to: 65535 },
      { from: 65535, to: 65535 },
    ]);
    expect(() => parseAssertions({ assertions: [] })).toThrow("a file without any proves nothing");
    expect(() => parseAssertions({ asertions: [] })).toThrow("asertions is []: unknown key; did you mean assertions?");
  });
});

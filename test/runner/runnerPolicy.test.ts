import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CidrDestination, KEEPERHUB_CONTRACT, type Ports, type RunnerContract } from "../../runner/contract.ts";
import type { NetworkFacts } from "../../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../../runner/networkPolicy.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { keeperhubFacts, networkFacts } from "../support/networkFacts.ts";
import { allowsAddress, boundaries, holds } from "../support/slowEvaluator.ts";

const build = (facts: NetworkFacts, contract: Partial<RunnerContract> = {}) =>
  buildRunnerPolicy({ ...KEEPERHUB_CONTRACT, ...contract }, facts);
const policyOf = (facts: NetworkFacts, contract: Partial<RunnerContract> = {}) => build(facts, contract).policy;
const tcp = (port: number): Ports => ({ protocol: "TCP", port });
const blocksOf = ({ spec }: EgressNetworkPolicy) =>
  spec.egress.flatMap(({ to }) =>
    to.flatMap((peer) => ("ipBlock" in peer ? [peer.ipBlock.cidr, ...(peer.ipBlock.except ?? [])] : [])),
  );

/** The special-purpose blocks that KeeperHub's manifests left reachable. */
const ADDED = [
  "0.0.0.0/8",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

describe.each(["10.0", "10.1"] as const)("for KeeperHub's network %s.0.0/16", (network) => {
  const policy = policyOf(keeperhubFacts(network));
  const manifest = keeperhubManifest(network);

  it("allows the addresses of the hand-written manifest but for the added special-purpose blocks", () => {
    const points = [...boundaries([...blocksOf(policy), ...blocksOf(manifest)]), "169.254.169.254", "8.8.8.8"];
    const differing = points.filter((address) =>
      [53, 443, 3080, 5432, 8787].some((port) =>
        ["TCP", "UDP", "SCTP"].some(
          (protocol) =>
            allowsAddress(policy.spec, address, protocol, port) !==
            (allowsAddress(manifest.spec, address, protocol, port) && !ADDED.some((cidr) => holds(cidr, address))),
        ),
      ),
    );
    expect(points.length).toBeGreaterThan(60);
    expect(differing).toEqual([]);
    expect(
      ADDED.every((cidr) => boundaries([cidr]).some((point) => allowsAddress(manifest.spec, point, "TCP", 1))),
    ).toBe(true);
  });

  it("has the manifest's pods, name and namespace, rule for rule", () => {
    expect({ ...policy, spec: { ...policy.spec, egress: [] } }).toEqual({
      ...manifest,
      spec: { ...manifest.spec, egress: [] },
    });
    const podRules = ({ spec }: EgressNetworkPolicy) =>
      spec.egress
        .filter(({ to }) => to.some((peer) => "podSelector" in peer))
        .map(({ to, ports }) => ({ to, ports: new Set(ports) }));
    expect(podRules(policy)).toEqual(podRules(manifest));
    expect(policy.spec.egress).toHaveLength(manifest.spec.egress.length);
  });
});

it.each([
  ["169.254.169.254", "TCP", 80, false],
  ["169.254.170.23", "TCP", 80, false],
  ["10.1.7.7", "TCP", 443, false],
  ["10.1.100.9", "TCP", 5432, true],
  ["10.1.100.9", "TCP", 22, false],
  ["10.1.100.9", "UDP", 5432, false],
  ["10.1.103.1", "TCP", 5432, false],
  ["172.20.0.10", "UDP", 53, false],
  ["8.8.8.8", "TCP", 8545, true],
  ["8.8.8.8", "SCTP", 1, true],
  ["fd00:ec2::254", "TCP", 80, false],
  ["2606:4700::1", "TCP", 443, true],
])("%s %s %i is allowed: %s", (address, protocol, port, allowed) => {
  expect(allowsAddress(policyOf(keeperhubFacts()).spec, address, protocol, port)).toBe(allowed);
});

describe("what config adds", () => {
  const dns: CidrDestination = {
    name: "node-local-dns",
    cidrs: ["169.254.20.10/32"],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };

  it("opens a block on its ports alone", () => {
    const { spec } = policyOf(keeperhubFacts(), { cidrs: [dns] });
    expect(allowsAddress(spec, "169.254.20.10", "UDP", 53)).toBe(true);
    expect(allowsAddress(spec, "169.254.20.10", "TCP", 80)).toBe(false);
    expect(allowsAddress(spec, "169.254.20.11", "UDP", 53)).toBe(false);
  });

  it("opens a range of ports to its end", () => {
    const { spec } = policyOf(keeperhubFacts(), {
      database: { ports: [{ protocol: "TCP", port: 5432, endPort: 5434 }] },
    });
    expect([5431, 5432, 5434, 5435].map((port) => allowsAddress(spec, "10.1.100.1", "TCP", port))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("gets a rule of its own, after KeeperHub's and before the public internet, by name", () => {
    const service = (name: string) => ({ name, namespace: "tools", podLabels: { app: name }, ports: [tcp(80)] });
    const { spec } = policyOf(keeperhubFacts(), {
      services: [service("zulu"), ...[...KEEPERHUB_CONTRACT.services].reverse(), service("alpha")],
      cidrs: [
        { ...dns, name: "b" },
        { ...dns, name: "a", cidrs: ["169.254.170.23/32"] },
      ],
    });
    const firstPeers = spec.egress.map(({ to: [peer] }) =>
      peer && "ipBlock" in peer ? peer.ipBlock.cidr : JSON.stringify(peer?.podSelector.matchLabels),
    );
    expect(firstPeers).toEqual([
      '{"k8s-app":"kube-dns"}',
      '{"app.kubernetes.io/instance":"keeperhub-sandbox"}',
      '{"app.kubernetes.io/serviceName":"keeperhub-executor-common"}',
      '{"app":"alpha"}',
      '{"app":"zulu"}',
      "10.1.100.0/24",
      "169.254.170.23/32",
      "169.254.20.10/32",
      "0.0.0.0/0",
    ]);
  });
});

describe("a cluster's family", () => {
  it("keeps IPv6 blocks of the database out of an IPv4 cluster", () => {
    const facts = networkFacts({ databaseCidrs: ["10.1.100.0/24", "2600:1f18::/64"], ipv6Cidrs: ["2600:1f18::/56"] });
    expect(blocksOf(policyOf(facts))).not.toContain("2600:1f18::/64");
  });

  it("opens the database's IPv6 blocks in an IPv6 cluster, on its port", () => {
    const facts = networkFacts({
      databaseCidrs: ["10.1.100.0/24", "2600:1f18::/64"],
      ipv6Cidrs: ["2600:1f18::/56"],
      ipFamily: "ipv6",
    });
    const { policy, notices } = build(facts);
    expect(allowsAddress(policy.spec, "2600:1f18::5", "TCP", 5432)).toBe(true);
    expect(allowsAddress(policy.spec, "2600:1f18::5", "TCP", 443)).toBe(false);
    expect(allowsAddress(policy.spec, "2600:1f18:0:1::5", "TCP", 5432)).toBe(false);
    expect(allowsAddress(policy.spec, "64:ff9b::a01:707", "TCP", 443)).toBe(false);
    expect(notices).toEqual([]);
  });

  it("says when an IPv6 cluster's database is reached over IPv4, and which blocks are not excepted", () => {
    const facts = networkFacts({
      ipv4Cidrs: ["10.1.0.0/16", "52.10.0.0/16"],
      ipv6Cidrs: ["2600::/56"],
      ipFamily: "ipv6",
    });
    expect(build(facts).notices).toEqual([
      expect.stringMatching(/^VPC block 52\.10\.0\.0\/16 is not excepted: in an IPv6 cluster/),
      "No database subnet has an IPv6 block, so the runners reach the database over IPv4, which nothing enforces",
    ]);
  });
});

it("says when a destination is public internet anyway", () => {
  const extra = { name: "resolver", cidrs: ["8.8.8.8/32"], ports: [tcp(53)] };
  expect(build(keeperhubFacts(), { cidrs: [extra] }).notices).toEqual([
    "cidrs.resolver: 8.8.8.8/32 is public internet, which the runners reach on every port anyway",
  ]);
  expect(build(keeperhubFacts()).notices).toEqual([]);
});

describe("refuses", () => {
  const problemsOf = (contract: Partial<RunnerContract>, facts = keeperhubFacts()) => {
    try {
      policyOf(facts, contract);
    } catch (error) {
      return (error as Error).message
        .split("\n")
        .slice(1)
        .map((line) => line.slice(4));
    }
    return [];
  };
  const cidr = (cidrs: string[], ports: Ports[] = [tcp(53)]) => ({
    cidrs: [{ name: "extra", cidrs, ports, ...(cidrs[0] === "10.9.0.0/16" && { owner: "peering" }) }],
  });
  const many = (count: number, first = 1000): Ports[] => Array.from({ length: count }, (_, i) => tcp(first + i));

  it.each<[string, Partial<RunnerContract>, string]>([
    [
      "an allowed block around an excepted one",
      cidr(["168.0.0.0/6"]),
      'cidrs.extra is "168.0.0.0/6": it contains 169.254.0.0/16, which the rule for the public internet excepts; the ' +
        "VPC CNI's agent would deny that part here too. Name smaller blocks",
    ],
    [
      "a block around several, in one line",
      cidr(["168.0.0.0/5"]),
      'cidrs.extra is "168.0.0.0/5": it contains 169.254.0.0/16, 172.16.0.0/12, which the rule for the public internet ' +
        "excepts; the VPC CNI's agent would deny that part here too. Name smaller blocks",
    ],
    [
      "a block of the other family",
      cidr(["fd00:ec2::23/128"]),
      'cidrs.extra is "fd00:ec2::23/128": the cluster\'s pods have ipv4 addresses, so nothing enforces or reaches this ' +
        "block; leave it out",
    ],
    [
      "a block with host bits",
      cidr(["169.254.20.10/24"]),
      'cidrs.extra.cidrs: "169.254.20.10/24" has host bits set; the block is 169.254.20.0/24. A single address is ' +
        "ADDRESS/32, or /128 for IPv6",
    ],
    [
      "more ports for a block than the agent keeps, those of the blocks around it included",
      {
        cidrs: [
          { name: "wide", cidrs: ["10.9.0.0/16"], ports: many(20), owner: "peering" },
          { name: "narrow", cidrs: ["10.9.8.0/24"], ports: many(5, 2000), owner: "peering" },
        ],
      },
      'cidrs.narrow is "10.9.8.0/24": it needs 25 port entries, those of the blocks around it included; the VPC CNI\'s ' +
        "agent keeps 24 for each block and drops the others at random. Use port ranges",
    ],
    [
      "a name that the agent would not find",
      { policyName: "a".repeat(58) },
      `policyName is "${"a".repeat(58)}": 58 characters; the VPC CNI finds a policy by its name only up to 57. Shorten it`,
    ],
  ])("%s", (_, contract, problem) => {
    expect(problemsOf(contract)).toEqual([problem]);
  });

  it("a database without a block of the cluster's family", () => {
    expect(problemsOf({}, networkFacts({ databaseCidrs: ["2600:1f18::/64"] }))).toEqual([
      'databaseSubnets is ["subnet-0"]: no block of the cluster\'s family ipv4 to allow',
    ]);
    expect(problemsOf({}, networkFacts({ databaseCidrs: [] }))).toEqual([
      "databaseSubnets is []: no block of the cluster's family ipv4 to allow",
    ]);
  });

  it("everything at once", () => {
    expect(problemsOf({ policyName: "A", ...cidr(["fd00::/8", "1.2.3.4"]) })).toHaveLength(3);
  });

  it("but accepts what lies just inside the limits", () => {
    expect(problemsOf({ policyName: "a".repeat(57) })).toEqual([]);
    expect(problemsOf(cidr(["10.9.0.0/16"], many(24)))).toEqual([]);
    // The same port entry in two rules counts once.
    expect(
      problemsOf({
        cidrs: [
          ...cidr(["10.9.0.0/16"], many(24)).cidrs,
          { name: "b", cidrs: ["10.9.8.0/24"], ports: many(3), owner: "peering" },
        ],
      }),
    ).toEqual([]);
    // An allowed block that equals an except wins there, and punches no hole.
    expect(problemsOf(cidr(["52.10.0.0/16"]), networkFacts({ ipv4Cidrs: ["10.1.0.0/16", "52.10.0.0/16"] }))).toEqual(
      [],
    );
  });
});

describe("the same facts", () => {
  it("give the same policy in any order, byte for byte", () => {
    const facts = networkFacts({
      ipv4Cidrs: ["10.1.0.0/16", "52.10.0.0/16", "100.64.0.0/16", "52.11.0.0/16"],
      ipv6Cidrs: ["2600:1f18::/56", "2600:1f18:8::/56"],
      databaseCidrs: ["10.1.100.0/24", "10.1.101.0/24", "10.1.9.0/24", "10.1.101.0/25"],
    });
    const contract: RunnerContract = {
      ...KEEPERHUB_CONTRACT,
      cidrs: [
        { name: "a", cidrs: ["169.254.20.10/32", "10.1.7.0/24"], ports: [tcp(53), tcp(9)] },
        { name: "b", cidrs: ["169.254.170.23/32"], ports: [tcp(80), { protocol: "UDP", port: 80 }] },
      ],
    };
    const expected = JSON.stringify(buildRunnerPolicy(contract, facts));
    const shuffled = <Item>(items: readonly Item[]) => fc.shuffledSubarray([...items], { minLength: items.length });
    const anyOrder = fc.record({
      ipv4Cidrs: shuffled(facts.vpc.ipv4Cidrs),
      ipv6Cidrs: shuffled(facts.vpc.ipv6Cidrs),
      databaseSubnets: shuffled(facts.databaseSubnets),
      services: shuffled(contract.services),
      cidrs: shuffled(contract.cidrs).chain((cidrs) =>
        fc.tuple(
          ...cidrs.map((destination) =>
            fc.record({
              name: fc.constant(destination.name),
              cidrs: shuffled(destination.cidrs),
              ports: shuffled(destination.ports),
            }),
          ),
        ),
      ),
    });
    fc.assert(
      fc.property(anyOrder, ({ ipv4Cidrs, ipv6Cidrs, databaseSubnets, services, cidrs }) => {
        const again = buildRunnerPolicy(
          { ...contract, services, cidrs },
          { ...facts, vpc: { ...facts.vpc, ipv4Cidrs, ipv6Cidrs }, databaseSubnets },
        );
        expect(JSON.stringify(again)).toBe(expected);
      }),
    );
  });

  it("reach no private address that was not asked for, in any VPC", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const vpc = fc.tuple(fc.integer({ min: 1, max: 223 }), octet).map(([a, b]) => `${a}.${b}.0.0/16`);
    fc.assert(
      fc.property(fc.uniqueArray(vpc, { minLength: 1, maxLength: 5 }), octet, octet, (ipv4Cidrs, c, d) => {
        const prefix = ipv4Cidrs[0]?.split(".").slice(0, 2).join(".");
        const { spec } = policyOf(networkFacts({ ipv4Cidrs, databaseCidrs: [`${prefix}.100.0/24`] }));
        for (const cidr of ipv4Cidrs) {
          const host = `${cidr.split(".").slice(0, 2).join(".")}.${c}.${d}`;
          const isDatabase = cidr === ipv4Cidrs[0] && c === 100;
          expect(allowsAddress(spec, host, "TCP", 443), host).toBe(false);
          expect(allowsAddress(spec, host, "TCP", 5432), host).toBe(isDatabase);
        }
      }),
    );
  });
});

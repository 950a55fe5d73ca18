import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  bareDiff,
  type EgressAnalysis,
  EVERY_POD,
  equals,
  formatRange,
  isEmptyDiff,
  openness,
  type Protocol,
  parseCidr,
  protocolsOf,
  Reach,
  regions,
  type Semantics,
  verdict,
} from "../../../analysis/index.ts";
import { policies } from "../../support/arbitraries.ts";
import { analyse, block, KUBERNETES, policy } from "../../support/policies.ts";

const semantics = fc.constantFrom<Semantics>(
  KUBERNETES,
  { name: "vpc-cni", ipFamily: "ipv4" },
  { name: "vpc-cni", ipFamily: "ipv6" },
);

/** The corners of every region of several analyses: where verdicts change, if they change at all. */
function corners(analyses: readonly EgressAnalysis[]): { address: Address; protocol: Protocol; port: number }[] {
  return analyses
    .flatMap(regions)
    .flatMap(({ range: { family, first, last }, protocol, ports }) =>
      [first, last].map((value) => ({ address: { family, value }, protocol, port: ports.from })),
    )
    .filter(({ address: { family, value } }) => !(family === "ipv6" && value >> 32n === 0xffffn));
}

/** How open a reach is at a point; every point is in one box at most. */
function opennessIn(reach: Reach, { address, protocol, port }: ReturnType<typeof corners>[0]): number {
  const boxes = reach.boxes.filter(
    ({ range, protocols, ports }) =>
      range.family === address.family &&
      range.first <= address.value &&
      address.value <= range.last &&
      protocols.includes(protocol) &&
      ports.from <= port &&
      port <= ports.to,
  );
  expect(boxes.length).toBeLessThanOrEqual(1);
  return openness(boxes[0]?.verdict ?? "deny");
}

describe("a reach", () => {
  it("has the operators of a set, point by point", () => {
    fc.assert(
      fc.property(policies, policies, semantics, semantics, (one, other, how, otherwise) => {
        const [left, right] = [analyse(one, { semantics: how }), analyse(other, { semantics: otherwise })];
        const [a, b] = [Reach.of(left), Reach.of(right)];
        const [both, common, rest] = [a.union(b), a.intersection(b), a.minus(b)];
        const judged = protocolsOf(how).filter((protocol) => protocolsOf(otherwise).includes(protocol));
        const points = corners([left, right]).filter(({ protocol }) => judged.includes(protocol));
        for (const point of points.slice(0, 60)) {
          const [x, y] = [openness(verdict(left, point)), openness(verdict(right, point))];
          expect(opennessIn(a, point)).toBe(x);
          expect(opennessIn(both, point)).toBe(Math.max(x, y));
          expect(opennessIn(common, point)).toBe(Math.min(x, y));
          expect(opennessIn(rest, point)).toBe(x > y ? x : 0);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("equals another exactly where nothing is gained or lost", () => {
    fc.assert(
      fc.property(policies, policies, semantics, (one, other, semantics) => {
        const [left, right] = [analyse(one, { semantics }), analyse(other, { semantics })];
        const [a, b] = [Reach.of(left), Reach.of(right)];
        expect(a.equals(b)).toBe(isEmptyDiff(bareDiff(left, right)));
        expect(a.equals(b)).toBe(equals(left, right));
        expect(a.minus(a).isEmpty).toBe(true);
        expect(a.union(b).minus(b).minus(a).isEmpty).toBe(true);
        expect(a.minus(b).union(a.intersection(b)).equals(a) || semantics.name === "vpc-cni").toBe(true);
      }),
    );
  });

  it("is cut to a space", () => {
    const internet = Reach.of(analyse([policy([block("0.0.0.0/0", { except: ["10.0.0.0/8"] })])]));
    const space = { addresses: [parseCidr("8.0.0.0/6")], ports: [{ from: 80, to: 443 }], protocols: ["TCP"] as const };
    expect(internet.within(space).boxes).toEqual([
      { range: expect.anything(), protocols: ["TCP"], ports: { from: 80, to: 443 }, verdict: "allow" },
      { range: expect.anything(), protocols: ["TCP"], ports: { from: 80, to: 443 }, verdict: "allow" },
    ]);
    expect(internet.within(space).boxes.map(({ range }) => formatRange(range))).toEqual(["8.0.0.0/7", "11.0.0.0/8"]);
    expect(internet.within({ addresses: [parseCidr("10.1.0.0/16")], pods: [EVERY_POD] }).isEmpty).toBe(true);
    expect(internet.size("ipv4", "TCP")).toBe((2n ** 32n - 2n ** 24n) * 65536n);
  });

  it("of a pod that no policy isolates is everything", () => {
    const away = analyse([policy([])], { source: { namespace: "keeperhub", labels: { app: "other" } } });
    const reach = Reach.of(away);
    expect(reach.pods.map(({ text }) => text)).toEqual(["all pods in all namespaces"]);
    expect(
      Reach.over({ addresses: [parseCidr("0.0.0.0/0"), parseCidr("::/0")], pods: [EVERY_POD] }).equals(reach),
    ).toBe(true);
  });
});

const HOME = { matchLabels: { "kubernetes.io/metadata.name": "keeperhub" } };

/** What a change of one rule's peers takes away, as texts. */
function lost(before: readonly object[], after: readonly object[]): string[] {
  const reach = (to: readonly object[]) => Reach.of(analyse([policy([{ to, ports: [{ port: 80 }] }])]));
  return reach(before)
    .minus(reach(after))
    .pods.map(({ text }) => text);
}

describe("pod sets", () => {
  const pods = (selector: object, namespaceSelector: object = HOME) => ({ podSelector: selector, namespaceSelector });
  const app = (value: string) => pods({ matchLabels: { app: value } });
  const oneOf = (...values: string[]) => pods({ matchExpressions: [{ key: "app", operator: "In", values }] });
  const noneOf = (...values: string[]) => pods({ matchExpressions: [{ key: "app", operator: "NotIn", values }] });
  const called = (operator: string) =>
    pods({}, { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator, values: ["x"] }] });
  it.each<[string, object[], object[], string[]]>([
    ["a namespace and all others are all there are", [pods({}, {})], [called("NotIn"), called("In")], []],
    ["two peers cover the values of one", [oneOf("a", "b")], [app("a"), app("b")], []],
    ["and the other way round", [app("a"), app("b")], [oneOf("a", "b")], []],
    ["a value and all others cover everything", [pods({})], [app("a"), noneOf("a")], []],
    [
      "absence counts",
      [pods({})],
      [pods({ matchExpressions: [{ key: "app", operator: "Exists" }] })],
      ["pods !app in namespace keeperhub"],
    ],
    ["one value of two is left", [oneOf("a", "b")], [app("b")], ["pods app=a in namespace keeperhub"]],
    [
      "the namespace that stays is not lost",
      [pods({}, {})],
      [pods({})],
      ["all pods in all namespaces except keeperhub"],
    ],
    ["the own namespace is the one of that name", [{ podSelector: {} }], [pods({})], []],
    [
      "two namespaces by name cover a list of names",
      [pods({}, { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["x", "y"] }] })],
      [
        pods({}, { matchLabels: { "kubernetes.io/metadata.name": "x" } }),
        pods({}, { matchLabels: { "kubernetes.io/metadata.name": "y" } }),
      ],
      [],
    ],
    [
      "every namespace has a name",
      [pods({}, {})],
      [pods({}, { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "Exists" }] })],
      [],
    ],
    [
      "requirements that contradict one another select nothing",
      [pods({ matchLabels: { app: "a" }, matchExpressions: [{ key: "app", operator: "NotIn", values: ["a"] }] })],
      [],
      [],
    ],
  ])("%s", (_, before, after, expected) => {
    expect(lost(before, after)).toEqual(expected);
  });
});

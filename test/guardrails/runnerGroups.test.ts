import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compile,
  type LabelSelector,
  type Labels,
  type NetworkPolicy,
  parseNetworkPolicies,
  parsePoint,
  type Semantics,
  verdict,
} from "../../analysis/index.ts";
import { type Declaration, situationOf } from "../../guardrails/index.ts";
import { isolation } from "../../guardrails/isolation.ts";
import { privateReach } from "../../guardrails/privateReach.ts";
import { requiredDestinations } from "../../guardrails/requiredDestinations.ts";
import { union } from "../../guardrails/union.ts";
import { widening } from "../../guardrails/widening.ts";
import { addresses, declare, tcp } from "../support/declarations.ts";
import { selector } from "../support/labelArbitraries.ts";
import { block, policy } from "../support/policies.ts";

const on = (port: number) => ({ ports: [{ port, protocol: "TCP" }] });
const DATABASE = block("10.1.100.0/24", on(5432));
const CACHE = block("10.1.50.0/24", on(6379));
const declaration = declare({ destinations: [addresses("database", ["10.1.100.0/24"], tcp(5432))] });
const of = (planned: readonly object[], deployed?: readonly object[], parts: Partial<Declaration> = {}) =>
  situationOf({
    declaration: { ...declaration, ...parts },
    planned: planned.map((object, index) => ({ resource: `${index}`, object })),
    ...(deployed && { deployed: deployed.map((object, index) => ({ resource: `d${index}`, object })) }),
  });
const some = (name: string, tier: string | undefined, ...egress: unknown[]) =>
  policy(egress, {
    metadata: { name },
    spec: {
      podSelector: {
        matchLabels: { app: "workflow-runner" },
        matchExpressions: [
          tier === undefined
            ? { key: "tier", operator: "DoesNotExist" }
            : { key: "tier", operator: "In", values: [tier] },
        ],
      },
    },
  });
const everyone = (name: string, ...egress: unknown[]) => policy(egress, { metadata: { name } });
const messages = (violations: readonly { readonly message: string }[]) => violations.map(({ message }) => message);

describe("policies that each select some runners and never the same one", () => {
  const paid = some("paid", "paid", DATABASE);
  const rest = policy([DATABASE], {
    metadata: { name: "rest" },
    spec: { podSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["paid"] }] } },
  });

  it("isolate every runner together", () => {
    expect(isolation(of([paid, rest], undefined, { policies: [] }))).toEqual([]);
    expect(messages(isolation(of([paid], undefined, { policies: [] })))).toEqual([
      expect.stringMatching(/^no NetworkPolicy .* so one with !tier may reach everything\.$/),
    ]);
  });

  it("lose a destination for their own runners, whatever the others have", () => {
    expect(requiredDestinations(of([paid, rest]))).toEqual([]);
    expect(messages(requiredDestinations(of([some("paid", "paid"), rest])))).toEqual([
      expect.stringMatching(
        /^destination database is not reachable.*\(kubernetes and vpc-cni; runner pods with tier=paid\)$/,
      ),
    ]);
  });

  it("open something for their own runners", () => {
    expect(messages(privateReach(of([some("paid", "paid", DATABASE, CACHE), rest])))).toEqual([
      expect.stringMatching(/by rule 1 of keeperhub\/paid .*\(kubernetes and vpc-cni; runner pods with tier=paid\)$/),
    ]);
  });

  it("count for the others where the declared policies leave some runners without them", () => {
    const declared = ["keeperhub/paid", "keeperhub/rest"];
    const more = some("more", "paid", CACHE);
    expect(messages(union(of([paid, rest, more], undefined, { policies: declared })))).toEqual([
      expect.stringMatching(/by rule 0 of keeperhub\/more .*\(kubernetes and vpc-cni; runner pods with tier=paid\)$/),
    ]);
  });
});

describe("one cause", () => {
  it("is told once, for the runners that the fewest policies select", () => {
    const base = everyone("runner", DATABASE, CACHE);
    const others = [some("a", "a", DATABASE), some("b", "b", DATABASE), everyone("c", DATABASE)];
    expect(privateReach(of([base, ...others]))).toHaveLength(1);
    expect(requiredDestinations(of([everyone("runner"), some("a", "a"), some("b", "b")]))).toHaveLength(1);
  });

  it("is another one in another policy", () => {
    expect(messages(privateReach(of([everyone("runner"), some("a", "a", CACHE), some("b", "b", CACHE)])))).toEqual([
      expect.stringContaining("keeperhub/a"),
      expect.stringContaining("keeperhub/b"),
    ]);
  });
});

describe("what is deployed, group by group", () => {
  const TODAY = "2026-12-01";
  const newly = (after: readonly object[], before: readonly object[]) =>
    messages(widening(of(after, before), [], TODAY));

  it("shows a policy that is pointed from some Jobs to others", () => {
    const base = everyone("runner", DATABASE);
    expect(newly([base, some("cache", "b", CACHE)], [base, some("cache", "a", CACHE)])).toEqual([
      expect.stringMatching(/Newly reachable: 10\.1\.50\.0\/24 TCP 6379 .*runner pods with tier=b\)$/),
    ]);
    expect(newly([base, some("cache", "a", CACHE)], [base, some("cache", "a", CACHE)])).toEqual([]);
  });

  it("shows what a policy opens for some runners where another had it for others", () => {
    const base = everyone("runner", DATABASE);
    const before = [base, some("a", "a", CACHE)];
    expect(newly([...before, some("b", "b", CACHE)], before)).toEqual([
      expect.stringMatching(/by rule 0 of keeperhub\/b .*runner pods with tier=b\)$/),
    ]);
  });

  it("does not show what every runner had by one of two policies", () => {
    const halves = [
      some("a", "a", CACHE),
      policy([CACHE], {
        metadata: { name: "rest" },
        spec: { podSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["a"] }] } },
      }),
    ];
    expect(newly([everyone("runner", CACHE)], halves)).toEqual([]);
  });
});

describe("labels that no runner has", () => {
  const sandbox = policy([CACHE, DATABASE], {
    metadata: { name: "sandbox" },
    spec: { podSelector: { matchLabels: { "app.kubernetes.io/instance": "sandbox" } } },
  });
  const judge = (parts: Partial<Declaration>) => {
    const situation = of([everyone("runner", DATABASE), sandbox], undefined, parts);
    return [...privateReach(situation), ...union(situation)].length;
  };
  const runner = (...notLabels: { key: string; value?: string }[]) => ({
    runner: { ...declaration.runner, notLabels },
  });

  it("keep the policies for other pods out of it", () => {
    expect(judge({})).toBe(2);
    expect(judge(runner({ key: "app.kubernetes.io/instance" }))).toBe(0);
    expect(judge(runner({ key: "app.kubernetes.io/instance", value: "sandbox" }))).toBe(0);
    expect(judge(runner({ key: "app.kubernetes.io/instance", value: "other" }))).toBe(2);
  });
});

describe("against every runner that there can be", () => {
  const VALUES = ["a", "b", "other", undefined];
  const runners: Labels[] = VALUES.flatMap((x) =>
    VALUES.map((y) => ({ app: "workflow-runner", ...(x !== undefined && { x }), ...(y !== undefined && { y }) })),
  );
  const POOL = [
    DATABASE,
    CACHE,
    block("10.1.0.0/16", on(5432)),
    block("10.1.0.0/16", { except: ["10.1.100.0/24"], ...on(6379) }),
  ];
  const POINTS = [
    "10.1.100.1:5432/tcp",
    "10.1.50.1:6379/tcp",
    "10.1.1.1:5432/tcp",
    "10.1.1.1:6379/tcp",
    "10.1.50.1:5432/tcp",
    "10.1.100.1:6379/tcp",
  ].map(parsePoint);
  const SEMANTICS: Semantics[] = [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily: "ipv4" }];
  const written = ({ requirements }: LabelSelector) => ({
    matchExpressions: requirements.map(({ key, operator, values }) => ({
      key,
      operator,
      ...(values.length > 0 && { values }),
    })),
  });
  const set = (prefix: string) =>
    fc.array(fc.record({ selector, rules: fc.subarray([0, 1, 2, 3]) }), { maxLength: 3 }).map((policies) =>
      policies.map(({ selector, rules }, index) =>
        policy(
          rules.map((rule) => POOL[rule]),
          { metadata: { name: `${prefix}${index}` }, spec: { podSelector: written(selector) } },
        ),
      ),
    );

  /** What each runner may reach of the points; every policy here isolates. */
  const reachOf = (objects: readonly object[], labels: Labels, semantics: Semantics) => {
    const policies = parseNetworkPolicies(objects) as NetworkPolicy[];
    const analysis = compile(policies, { semantics, source: { namespace: "keeperhub", labels } });
    return { isolated: analysis.isolated, allows: POINTS.map((point) => verdict(analysis, point) !== "deny") };
  };
  const somewhere = (test: (labels: Labels, semantics: Semantics) => boolean) =>
    runners.some((labels) => SEMANTICS.some((semantics) => test(labels, semantics)));
  const DECLARED = [0];

  it("isolation, private reach and required destinations say what one of them shows", () => {
    fc.assert(
      fc.property(set("p"), (planned) => {
        const situation = of(planned, undefined, { policies: [] });
        const reach = (labels: Labels, semantics: Semantics) => reachOf(planned, labels, semantics);
        expect(isolation(situation).length > 0).toBe(somewhere((...at) => !reach(...at).isolated));
        expect(requiredDestinations(situation).length > 0).toBe(somewhere((...at) => !reach(...at).allows[0]));
        expect(privateReach(situation).length > 0).toBe(
          somewhere((...at) => reach(...at).allows.some((allowed, index) => allowed && !DECLARED.includes(index))),
        );
      }),
      { numRuns: 150 },
    );
  });

  it("widening says what one of them could not reach before", () => {
    fc.assert(
      fc.property(set("p"), set("p"), (planned, deployed) => {
        // What is deployed and not in the plan stays.
        const after = [...planned, ...deployed.slice(planned.length)];
        const wider = somewhere((labels, semantics) => {
          const [old, now] = [reachOf(deployed, labels, semantics), reachOf(after, labels, semantics)];
          return now.allows.some((allowed, index) => allowed && !old.allows[index]);
        });
        expect(widening(of(planned, deployed), [], "2026-12-01").length > 0).toBe(wider);
      }),
      { numRuns: 150 },
    );
  });

  it("union says what another policy opens for one of them that declared policies isolate", () => {
    fc.assert(
      fc.property(set("p"), set("other"), (planned, others) => {
        const policies = planned.map((_, index) => `keeperhub/p${index}`);
        fc.pre(policies.length > 0);
        const opened = somewhere((labels, semantics) => {
          const [base, all] = [
            reachOf(planned, labels, semantics),
            reachOf([...planned, ...others], labels, semantics),
          ];
          const lost = base.allows[0] && !all.allows[0];
          return (
            lost ||
            (base.isolated &&
              all.allows.some((allowed, index) => allowed && !base.allows[index] && !DECLARED.includes(index)))
          );
        });
        const found = union(of([...planned, ...others], undefined, { policies })).filter(
          ({ message }) => !message.startsWith("over-") && !message.startsWith("order-"),
        );
        expect(found.length > 0).toBe(opened);
      }),
      { numRuns: 150 },
    );
  });
});

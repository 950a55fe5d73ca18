import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  bareDiff,
  type Cidr,
  countDiff,
  diff,
  type EgressAnalysis,
  equals,
  explain,
  formatCidr,
  formatRange,
  isEmptyDiff,
  LAST_ADDRESS,
  POLICY_PROTOCOLS,
  type Point,
  parseCidr,
  regions,
  type Semantics,
  sizeByVerdict,
  verdict,
} from "../../analysis/index.ts";
import { destination, policies, rule } from "../support/arbitraries.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { analyse, block, KUBERNETES, policy } from "../support/policies.ts";

const SEMANTICS: readonly Semantics[] = [
  KUBERNETES,
  { name: "vpc-cni", ipFamily: "ipv4" },
  { name: "vpc-cni", ipFamily: "ipv6" },
];
const semantics = fc.constantFrom(...SEMANTICS);

function gainsNothing(before: EgressAnalysis, after: EgressAnalysis): boolean {
  const { boxes, pods } = bareDiff(before, after).gained;
  return boxes.length === 0 && pods.length === 0;
}

function pointAt({
  cidr,
  end,
  port,
  protocol,
}: {
  cidr: string;
  end: string;
  port: number;
  protocol: Point["protocol"];
}): Point {
  const { family, first, last }: Cidr = parseCidr(cidr);
  const ends: Record<string, bigint> = { first, last, before: first - 1n, after: last + 1n };
  const value = ends[end] as bigint;
  const address: Address = {
    family,
    value: value < 0n ? 0n : value > LAST_ADDRESS[family] ? LAST_ADDRESS[family] : value,
  };
  return { address, port, protocol };
}

const egressOf = (input: object) => (input as { spec: { egress: object[] } }).spec.egress;

describe("the algebra of policies", () => {
  it("splits the whole space into regions that agree with verdicts at all their corners", () => {
    fc.assert(
      fc.property(policies, semantics, (input, semantics) => {
        const analysis = analyse(input, { semantics });
        const sums = new Map<string, bigint>();
        for (const { range, protocol, ports, verdict: expected } of regions(analysis)) {
          for (const value of [range.first, range.last]) {
            for (const port of [ports.from, ports.to]) {
              const point = { address: { family: range.family, value }, protocol, port };
              // An IPv4-mapped address is judged as IPv4, wherever its region is.
              if (!(range.family === "ipv6" && value >> 32n === 0xffffn)) {
                expect(verdict(analysis, point)).toBe(expected);
              }
            }
          }
          const key = `${range.family} ${protocol}`;
          sums.set(key, (sums.get(key) ?? 0n) + (range.last - range.first + 1n) * BigInt(ports.to - ports.from + 1));
        }
        for (const family of ["ipv4", "ipv6"] as const) {
          for (const protocol of POLICY_PROTOCOLS) {
            expect(sums.get(`${family} ${protocol}`)).toBe((LAST_ADDRESS[family] + 1n) * 65536n);
          }
        }
      }),
    );
  });

  it("allows by several policies what at least one allows, and denies what all deny", () => {
    fc.assert(
      fc.property(policies, policies, destination, (a, b, where) => {
        const point = pointAt(where);
        const [left, right, both] = [a, b, [...a, ...b]].map((input) => verdict(analyse(input), point));
        expect(both).toBe(left === "allow" || right === "allow" ? "allow" : "deny");
        expect(gainsNothing(analyse([...a, ...b]), analyse(a))).toBe(true);
      }),
    );
  });

  it("sees no difference in what means the same", () => {
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), fc.nat(), (rules, seed) => {
        const original = analyse([policy(rules)]);
        const rotated = [...rules.slice(seed % rules.length), ...rules.slice(0, seed % rules.length)].reverse();
        expect(equals(original, analyse([policy(rotated)]))).toBe(true);
        expect(equals(original, analyse(rules.map((one) => policy([one]))))).toBe(true);
        expect(equals(original, analyse([policy(rules.flatMap(splitInHalves))]))).toBe(true);
        expect(isEmptyDiff(diff(original, analyse([policy([...rules, ...rules])])))).toBe(true);
      }),
    );
  });

  it("turns around: what one direction gains, the other loses", () => {
    fc.assert(
      fc.property(policies, policies, semantics, (a, b, semantics) => {
        const [before, after] = [analyse(a, { semantics }), analyse(b, { semantics })];
        const forth = countDiff(before, after, POLICY_PROTOCOLS);
        const back = countDiff(after, before, POLICY_PROTOCOLS);
        expect(forth.gained).toEqual(back.lost);
        expect(forth.lost).toEqual(back.gained);
        expect(gainsNothing(before, after) && gainsNothing(after, before)).toBe(equals(before, after));
        if (semantics.name === "kubernetes") {
          for (const family of ["ipv4", "ipv6"] as const) {
            const grown = sizeByVerdict(after, family, "UDP").allow - sizeByVerdict(before, family, "UDP").allow;
            expect((forth.gained[family].UDP ?? 0n) - (forth.lost[family].UDP ?? 0n)).toBe(grown);
          }
        }
      }),
    );
  });

  it("covers a difference exactly: every changed destination is in one box, no other is in any", () => {
    fc.assert(
      fc.property(policies, policies, semantics, destination, (a, b, semantics, where) => {
        const [before, after] = [analyse(a, { semantics }), analyse(b, { semantics })];
        const { gained, lost } = diff(before, after);
        const point = pointAt(where);
        const { family, value } = point.address;
        const around = [...gained.boxes, ...lost.boxes].filter(
          ({ range, protocols, ports }) =>
            range.family === family &&
            range.first <= value &&
            value <= range.last &&
            protocols.includes(point.protocol) &&
            ports.from <= point.port &&
            point.port <= ports.to,
        );
        const verdicts = [verdict(before, point), verdict(after, point)];
        expect(around.map((box) => [box.before, box.after])).toEqual(verdicts[0] === verdicts[1] ? [] : [verdicts]);
        for (const box of [...gained.boxes, ...lost.boxes]) {
          expect(verdict(before, box.witness)).toBe(box.before);
          expect(verdict(after, box.witness)).toBe(box.after);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** The same rule with its block, and each except, as two halves. A rule without peers stays: it reaches pods too. */
function splitInHalves(input: object): object[] {
  const { to, ports } = input as { to?: { ipBlock: { cidr: string; except?: string[] } }[]; ports?: object[] };
  const halves = (text: string): string[] => {
    const { family, first, last, prefixLength } = parseCidr(text);
    if (first === last) {
      return [text];
    }
    const middle = first + (last - first + 1n) / 2n;
    return [first, middle].map((start) =>
      formatCidr({ family, first: start, last: start, prefixLength: prefixLength + 1 }),
    );
  };
  if (to === undefined) {
    return [input];
  }
  return to.flatMap(({ ipBlock: { cidr, except = [] } }) =>
    halves(cidr).flatMap((half) => {
      const inside = except.flatMap(halves).filter((text) => within(text, half));
      // An except that fills the half leaves nothing of it.
      return inside.includes(half) || except.includes(half)
        ? []
        : [block(half, { except: inside, ...(ports === undefined ? {} : { ports }) })];
    }),
  );
}

function within(inner: string, outer: string): boolean {
  const [a, b] = [parseCidr(inner), parseCidr(outer)];
  return a.family === b.family && b.first <= a.first && a.last <= b.last;
}

describe("explanations are true", () => {
  it("names rules without which an allowed destination is denied", () => {
    fc.assert(
      fc.property(policies, destination, (input, where) => {
        const point = pointAt(where);
        const explanation = explain(analyse(input), point);
        fc.pre(explanation.verdict === "allow");
        const named = new Set(explanation.allowedBy.map(({ policyIndex, rule }) => `${policyIndex} ${rule}`));
        const rest = input.map((one, index) =>
          policy(egressOf(one).filter((_, rule) => !named.has(`${index} ${rule}`))),
        );
        expect(named.size).toBeGreaterThan(0);
        expect(verdict(analyse(rest), point)).toBe("deny");
        // Each by itself suffices.
        for (const { policyIndex, rule } of explanation.allowedBy) {
          expect(verdict(analyse([policy([egressOf(input[policyIndex] as object)[rule] as object])]), point)).toBe(
            "allow",
          );
        }
      }),
    );
  });

  it("names excepts without which a denied destination is allowed", () => {
    fc.assert(
      fc.property(policies, destination, (input, where) => {
        const point = pointAt(where);
        const { reason, exceptedBy } = explain(analyse(input), point);
        fc.pre(reason === "except");
        const changed = structuredClone(input);
        for (const { policyIndex, rule, peer, except } of exceptedBy) {
          const { to } = egressOf(changed[policyIndex] as object)[rule] as {
            to: { ipBlock: { except: (string | null)[] } }[];
          };
          (to[peer ?? 0] as (typeof to)[0]).ipBlock.except[except ?? 0] = null;
        }
        for (const one of changed) {
          for (const { to = [] } of egressOf(one) as { to?: { ipBlock: { except?: (string | null)[] } }[] }[]) {
            for (const { ipBlock } of to) {
              ipBlock.except = (ipBlock.except ?? []).filter((text) => text !== null);
            }
          }
        }
        expect(verdict(analyse(changed), point)).toBe("allow");
      }),
      { numRuns: 300 },
    );
  });

  it("says no rule, or the port, exactly where that is so", () => {
    fc.assert(
      fc.property(policies, destination, (input, where) => {
        const point = pointAt(where);
        const analysis = analyse(input);
        const { reason } = explain(analysis, point);
        fc.pre(reason === "port" || reason === "no-rule");
        // With every port allowed, `port` becomes an allow; `no-rule` stays denied unless an except was in the way.
        const open = input.map((one) => policy(egressOf(one).map((rule) => ({ ...rule, ports: undefined }))));
        expect(verdict(analyse(open), point)).toBe(reason === "port" ? "allow" : "deny");
      }),
    );
  });
});

describe("diff", () => {
  const compare = (before: EgressAnalysis, after: EgressAnalysis) => diff(before, after);

  it.each([
    ["100.64.0.0/10", "100.64.0.0/10, shared address space (RFC 6598)"],
    ["10.0.0.0/8", "10.0.0.0/8, private use (RFC 1918)"],
    ["fe80::/10", "fe80::/10, link-local (RFC 4291)"],
  ])("gives a dropped except as exactly one box: %s", (dropped, name) => {
    const changed = structuredClone(keeperhubManifest("10.1"));
    for (const { to } of egressOf(changed) as { to: { ipBlock?: { except?: string[] } }[] }[]) {
      for (const { ipBlock } of to) {
        if (ipBlock?.except !== undefined) {
          ipBlock.except = ipBlock.except.filter((text) => text !== dropped);
        }
      }
    }
    const { gained, lost } = compare(analyse([keeperhubManifest("10.1")]), analyse([changed]));
    expect(lost.boxes).toEqual([]);
    // The database subnets were open on their port before, so a dropped 10.0.0.0/8 goes around them.
    const all = gained.boxes.filter(
      ({ ports, protocols }) => ports.to === 65535 && ports.from === 0 && protocols.length === 3,
    );
    if (dropped === "10.0.0.0/8") {
      expect(all.map(({ range }) => formatRange(range))).toEqual(["10.0.0.0-10.1.99.255", "10.1.103.0-10.255.255.255"]);
    } else {
      expect(gained.boxes.map(({ range }) => formatRange(range))).toEqual([dropped]);
    }
    const box = gained.boxes[0];
    expect(box?.names).toContain(name);
    expect(box?.explanations.before.exceptedBy[0]?.what).toBe(`except ${dropped}`);
    expect(box?.explanations.after.allowedBy[0]?.rule).toBe(4);
  });

  it("counts exactly", () => {
    const before = analyse([policy([block("10.0.0.0/24", { ports: [{ port: 443 }] })])]);
    const after = analyse([
      policy([block("10.0.0.0/24", { ports: [{ port: 442, endPort: 444 }] }), block("fd00::/64")]),
    ]);
    expect(countDiff(before, after, POLICY_PROTOCOLS)).toEqual({
      gained: { ipv4: { TCP: 512n, UDP: 0n, SCTP: 0n }, ipv6: { TCP: 2n ** 80n, UDP: 2n ** 80n, SCTP: 2n ** 80n } },
      lost: { ipv4: { TCP: 0n, UDP: 0n, SCTP: 0n }, ipv6: { TCP: 0n, UDP: 0n, SCTP: 0n } },
    });
  });

  it("uses fewer boxes where cutting at ports does", () => {
    const narrow = [{ port: 1, endPort: 100 }];
    const after = analyse([
      policy([
        block("1.0.0.0/8", { ports: narrow }),
        block("2.0.0.0/8", { ports: [{ port: 1, endPort: 200 }] }),
        block("3.0.0.0/8", { ports: narrow }),
      ]),
    ]);
    const { gained } = diff(analyse([policy([])]), after);
    expect(gained.boxes.map(({ range, ports }) => `${formatRange(range)} ${ports.from}-${ports.to}`)).toEqual([
      "1.0.0.0-3.255.255.255 1-100",
      "2.0.0.0/8 101-200",
    ]);
  });

  it("compares pods by their labels", () => {
    const to = (podSelector: object, ports?: unknown[]) =>
      policy([{ to: [{ podSelector }], ...(ports ? { ports } : {}) }]);
    const web = { matchLabels: { app: "web" } };
    const texts = (before: object, after: object) => {
      const { gained, lost } = diff(analyse([before]), analyse([after]));
      return [gained, lost].map(({ pods }) =>
        pods.map(({ text, ports }) => `${text} ${typeof ports === "string" ? ports : `${ports.from}-${ports.to}`}`),
      );
    };
    expect(texts(to(web, [{ port: 80 }]), to(web, [{ port: 80 }, { port: 81 }]))).toEqual([
      ["pods app=web in namespace keeperhub 81-81"],
      [],
    ]);
    expect(texts(to({}, [{ port: 80 }]), to(web, [{ port: 80 }]))).toEqual([
      [],
      ["pods app!=web in namespace keeperhub 80-80"],
    ]);
    expect(texts(to(web), policy([{}]))).toEqual([
      ["all pods in all namespaces except keeperhub 0-65535", "pods app!=web in namespace keeperhub 0-65535"],
      [],
    ]);
    expect(texts(to(web, [{ port: 80 }]), to(web, [{ port: "http" }]))).toEqual([
      ["pods app=web in namespace keeperhub http"],
      ["pods app=web in namespace keeperhub 80-80"],
    ]);
    expect(texts(to(web), to({ matchLabels: { app: "web", tier: "a" } }))).toEqual([
      [],
      ["pods app=web,tier!=a in namespace keeperhub 0-65535"],
    ]);
    const own = policy([
      {
        to: [{ podSelector: web, namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "keeperhub" } } }],
      },
    ]);
    expect(texts(to(web), own)).toEqual([[], []]);
    // A name adds nothing where every number is open already; losing it again is no loss either.
    expect(texts(to(web, [{ protocol: "TCP" }]), to(web, [{ protocol: "TCP" }, { port: "http" }]))).toEqual([[], []]);
    // Two ways to write one set of pods: each covers the other, and one of them has to stay.
    const twice = policy(
      [web, { ...web, matchExpressions: [{ key: "app", operator: "Exists" }] }].map((podSelector) => ({
        to: [{ podSelector }],
      })),
    );
    expect(diff(analyse([policy([])]), analyse([twice])).gained.pods).not.toEqual([]);
    const everywhere = policy([{ to: [{ podSelector: web, namespaceSelector: {} }] }]);
    expect(texts(own, everywhere)).toEqual([["pods app=web in all namespaces except keeperhub 0-65535"], []]);
    expect(texts(everywhere, own)).toEqual([[], ["pods app=web in all namespaces except keeperhub 0-65535"]]);
  });

  it("counts a pod that nothing isolates as one that may do everything", () => {
    const { gained, lost } = diff(analyse([policy([])]), analyse([]));
    expect(gained.boxes.map(({ range }) => formatRange(range))).toEqual(["0.0.0.0/0", "::/0"]);
    expect(gained.pods.map(({ text }) => text)).toEqual(["all pods in all namespaces"]);
    expect(lost).toEqual({ boxes: [], pods: [] });
  });
});

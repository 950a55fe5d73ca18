import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { enginePodGains } from "./engine.ts";
import { allowsPod, type PodWorld, podWorlds } from "./podSets.ts";
import type { LabelSelector, NetworkPolicy } from "./policy.ts";

const PORTS = [1, 79, 80, 81, 443, 65535];
const NAMES = ["http", "metrics"];
const PROTOCOLS = ["TCP", "UDP"] as const;

/** Few keys and values, so that selectors overlap, contain and complete one another. */
const expression = (keys: readonly string[]) =>
  fc.oneof(
    fc.record({
      key: fc.constantFrom(...keys),
      operator: fc.constantFrom("In", "NotIn"),
      values: fc.subarray(["a", "b"], { minLength: 1 }),
    }),
    fc.record({ key: fc.constantFrom(...keys), operator: fc.constantFrom("Exists", "DoesNotExist") }),
  );
const selector = (keys: readonly string[]): fc.Arbitrary<LabelSelector> =>
  fc.array(expression(keys), { maxLength: 2 }).map((matchExpressions) => ({ matchExpressions }));

const port = fc.oneof(
  fc.record({ port: fc.constantFrom(...PORTS), protocol: fc.constantFrom(...PROTOCOLS) }),
  fc.record({ port: fc.constantFrom(...NAMES), protocol: fc.constantFrom(...PROTOCOLS) }),
  fc.constantFrom(
    { protocol: "TCP" },
    { port: 80, endPort: 443 },
    { port: 1, endPort: 79 },
    { port: 80, endPort: 65535 },
  ),
);
const peer = fc.oneof(
  fc.record({ podSelector: selector(["app", "tier"]) }),
  fc.record({
    podSelector: selector(["app", "tier"]),
    namespaceSelector: selector(["kubernetes.io/metadata.name", "team"]),
  }),
);
const rule = fc.record({
  to: fc.array(peer, { minLength: 1, maxLength: 2 }),
  ports: fc.array(port, { maxLength: 2 }),
});
const policies: fc.Arbitrary<NetworkPolicy[]> = fc.array(
  fc.tuple(fc.constantFrom("a", "other-home"), fc.array(rule, { maxLength: 3 })).map(([namespace, egress]) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace },
    spec: { podSelector: {}, policyTypes: ["Egress"], egress },
  })),
  { minLength: 1, maxLength: 2 },
);

/** The ports where verdicts may change: the rules' own and those beside them. */
const NUMBERS = [...PORTS, 2, 78, 82, 442, 444, 65534];

const everyNumber = (set: readonly NetworkPolicy[], world: PodWorld, protocol: "TCP" | "UDP") =>
  NUMBERS.every((number) => allowsPod(set, world, protocol, number));

describe("pods by label", () => {
  it("are gained exactly where a kind of pod can be reached that could not before", () => {
    let gains = 0;
    fc.assert(
      fc.property(policies, policies, (before, after) => {
        const gained = enginePodGains(before, after);
        const wrong: string[] = [];
        const compare = (found: boolean, expected: boolean, ...what: unknown[]) => {
          gains += expected ? 1 : 0;
          if (found !== expected) {
            wrong.push(JSON.stringify([...what, expected ? "missed" : "made up"]));
          }
        };
        for (const world of podWorlds([...before, ...after])) {
          for (const protocol of PROTOCOLS) {
            for (const number of NUMBERS) {
              const expected = allowsPod(after, world, protocol, number) && !allowsPod(before, world, protocol, number);
              compare(gained(world, protocol, number), expected, world, protocol, number);
            }
            for (const name of NAMES) {
              // Where every number is allowed, so is whatever the name stands for.
              if (!everyNumber(after, world, protocol)) {
                const expected =
                  allowsPod(after, world, protocol, name) &&
                  !allowsPod(before, world, protocol, name) &&
                  !everyNumber(before, world, protocol);
                compare(gained(world, protocol, name), expected, world, protocol, name);
              }
            }
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(gains).toBeGreaterThan(1000);
  });
});

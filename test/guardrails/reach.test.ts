import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../analysis/compile.ts";
import {
  contains,
  LAST_ADDRESS,
  type Point,
  parseAddress,
  parseCidr,
  parseNetworkPolicies,
  parsePoint,
  type Semantics,
  verdict,
} from "../../analysis/index.ts";
import { SELECTED_BY_EVERY_POLICY } from "../../analysis/networkPolicy.ts";
import { type Declaration, type Destination, type Objection, situationOf } from "../../guardrails/index.ts";
import { metadataEndpoints } from "../../guardrails/metadataEndpoints.ts";
import { privateReach } from "../../guardrails/privateReach.ts";
import { requiredDestinations } from "../../guardrails/requiredDestinations.ts";
import { privateSpace } from "../../guardrails/wanted.ts";
import { destination, policies } from "../support/arbitraries.ts";
import { addresses, declare, tcp, udp } from "../support/declarations.ts";

const DATABASE = addresses("database", ["10.1.0.0/24"], tcp(5432), udp(53));
const SEMANTICS: readonly Semantics[] = [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily: "ipv4" }];
const declaration = declare({ policies: [], destinations: [DATABASE], internet: "every-port" });

const situation = (input: readonly object[], of: Declaration = declaration) =>
  situationOf({ declaration: of, planned: input.map((object, index) => ({ resource: `${index}`, object })) });

/** Verdicts about one point, of the semantics that have one. */
function verdictsAt(input: readonly object[], point: Point): string[] {
  const parsed = parseNetworkPolicies(input);
  return SEMANTICS.filter(({ name }) => name === "kubernetes" || point.address.family === "ipv4").flatMap(
    (semantics) => {
      const analysis = compile(parsed, { semantics, source: SELECTED_BY_EVERY_POLICY });
      // What the agent cannot load is the business of the guardrail for EKS hazards.
      return analysis.aborts.length > 0 ? [] : verdict(analysis, point);
    },
  );
}

const isIn = ({ cidrs }: Pick<Destination, "cidrs">, { address: { family, value } }: Point) =>
  cidrs.some((cidr) => contains(cidr, { family, first: value, last: value }));
const isDeclared = (point: Point, { ports }: Destination = DATABASE) =>
  isIn(DATABASE, point) &&
  ports.some(
    ({ protocol, port, endPort = port }) => protocol === point.protocol && port <= point.port && point.port <= endPort,
  );
const isPrivate = (point: Point) => isIn({ cidrs: privateSpace(declaration) }, point);

/** The point that a destination of the pool stands for. */
function pointOf({
  cidr,
  end,
  port,
  protocol,
}: {
  cidr: string;
  end: string;
  port: number;
  protocol: "TCP" | "UDP" | "SCTP";
}) {
  const { family, first, last } = parseCidr(cidr);
  const value = { first, last, before: first - 1n, after: last + 1n }[end] as bigint;
  fc.pre(value >= 0n && value <= LAST_ADDRESS[family]);
  return { address: { family, value }, protocol, port };
}

const witnessed = (violations: readonly Objection[]) =>
  violations.flatMap(({ witness }) =>
    witness?.includes("/") && !witness.startsWith("all") ? [parsePoint(witness)] : [],
  );

describe("private reach, held against points", () => {
  it("is reported whenever a private point is allowed and not declared", () => {
    fc.assert(
      fc.property(policies, destination, (input, at) => {
        const point = pointOf(at);
        fc.pre(isPrivate(point) && !isDeclared(point) && verdictsAt(input, point).some((found) => found !== "deny"));
        expect([...privateReach(situation(input)), ...metadataEndpoints(situation(input))]).not.toEqual([]);
      }),
    );
  });

  it("is reported with a witness that is private, not declared and allowed", () => {
    fc.assert(
      fc.property(policies, (input) => {
        for (const point of witnessed(privateReach(situation(input)))) {
          expect(isPrivate(point) && !isDeclared(point)).toBe(true);
          expect(verdictsAt(input, point).some((found) => found !== "deny")).toBe(true);
        }
      }),
    );
  });
});

describe("required destinations, held against points", () => {
  it("are reported whenever a required point is not allowed under some semantics", () => {
    fc.assert(
      fc.property(policies, destination, (input, at) => {
        const point = pointOf(at);
        const required = isDeclared(point) || (point.address.family === "ipv4" && !isPrivate(point));
        fc.pre(required && verdictsAt(input, point).some((found) => found !== "allow"));
        expect(requiredDestinations(situation(input))).not.toEqual([]);
      }),
    );
  });

  it("are reported with a witness that is required and not allowed", () => {
    fc.assert(
      fc.property(policies, (input) => {
        for (const point of witnessed(requiredDestinations(situation(input)))) {
          expect(isDeclared(point) || !isPrivate(point)).toBe(true);
          expect(verdictsAt(input, point).some((found) => found !== "allow")).toBe(true);
        }
      }),
    );
  });
});

it("a metadata service is reported exactly if one of its ports is open", () => {
  const address = parseAddress("169.254.169.254") as NonNullable<ReturnType<typeof parseAddress>>;
  const cidr = "169.254.169.254/32";
  fc.assert(
    fc.property(
      fc.constantFrom("0.0.0.0/0", "169.254.0.0/16", cidr, "169.254.169.0/24"),
      fc.subarray([cidr, "169.254.169.252/30", "169.254.0.0/17", "169.254.128.0/17"]),
      fc.integer({ min: 1, max: 65535 }),
      (block, except, port) => {
        const inside = except.filter((text) => text !== block && contains(parseCidr(block), parseCidr(text)));
        const input = [
          {
            metadata: { name: "runner", namespace: "keeperhub" },
            spec: {
              podSelector: {},
              egress: [{ to: [{ ipBlock: { cidr: block, except: inside } }], ports: [{ port, protocol: "TCP" }] }],
            },
          },
        ];
        const open = verdictsAt(input, { address, protocol: "TCP", port }).some((found) => found !== "deny");
        const named = metadataEndpoints(situation(input)).some(({ message }) => message.includes(cidr));
        expect(named).toBe(open);
      },
    ),
  );
});

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { load } from "js-yaml";
import { expect, it } from "vitest";
import { check, parseAssertions, parseCidr } from "../../analysis/index.ts";
import { situationOf } from "../../guardrails/index.ts";
import { metadataEndpoints } from "../../guardrails/metadataEndpoints.ts";
import { privateReach } from "../../guardrails/privateReach.ts";
import { reaches } from "../../guardrails/situation.ts";
import { policies } from "../support/arbitraries.ts";
import { addresses, declare, tcp } from "../support/declarations.ts";

const SHIPPED = parseAssertions(load(readFileSync("docs/examples/assertions.yaml", "utf8")));
const DATABASE = addresses("database", ["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24"], tcp(5432));
const declaration = declare({ policies: [], destinations: [DATABASE], vpcCidrs: [parseCidr("10.1.0.0/16")] });

it("the guardrails and the shipped assertion file have one answer about every policy", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(policies, (objects) => {
      const situation = situationOf({
        declaration,
        planned: objects.map((object, index) => ({ resource: `${index}`, object })),
      });
      // What the agent cannot load is judged by neither.
      for (const { analysis, semantics } of reaches(situation)) {
        const failed = check(analysis, SHIPPED).flatMap(({ name, outcome }) => (outcome === "fails" ? [name] : []));
        const isTold = (objections: readonly { message: string }[]) =>
          objections.some(({ message }) => / \(([^()]*)\)$/.exec(message)?.[1]?.includes(semantics.name));
        const isOpen = failed.includes("no credentials from link-local services");
        expect(isTold(metadataEndpoints(situation))).toBe(isOpen);
        // What the file calls private is a part of what the guardrail does.
        const isPrivate = failed.some((name) => /^nothing private|^Postgres/.test(name));
        expect(isPrivate && !isTold(privateReach(situation))).toBe(false);
        seen.add(`${semantics.name} ${isOpen} ${isPrivate}`);
      }
    }),
    { numRuns: 60 },
  );
  expect(seen.size).toBeGreaterThan(3);
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { differencesFrom } from "../../ci/steps/approval.ts";
import { type AnySpec, describeDrift } from "../../runner/drift.ts";
import { reviewDrift, reviewStack } from "../../tools/review/index.ts";
import { policies } from "../support/arbitraries.ts";
import { plan } from "../tools/review/previews.ts";

const RUNNER = { namespace: "keeperhub", labels: { app: "workflow-runner" } };
const FACTS = { cluster: { name: "dev", ipFamily: "ipv4" }, addOn: { agentVersion: "1.3.1" } };
const named = (object: unknown) => ({
  ...(object as { spec: AnySpec }),
  metadata: { name: "runner", namespace: "keeperhub" },
});
const approved = ({ spec }: { spec: AnySpec }) => ({
  stack: "dev",
  commit: "a".repeat(40),
  facts: FACTS,
  cluster: { kubeconfig: "{}" },
  policy: { name: "runner", namespace: "keeperhub", spec: spec as Record<string, unknown> },
});
const component = {
  op: "same",
  type: "runner-egress:index:RunnerEgress",
  name: "runner",
  before: { facts: FACTS },
  after: { facts: FACTS },
};

it("drift, review and approval agree on every pair of policies, as specified and as enforced", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(policies, policies, fc.boolean(), ([one], [other], isSame) => {
      const [before, after] = [named(one), named(isSame ? one : other)];
      const lines = describeDrift(after.spec, before.spec, RUNNER, {
        name: "vpc-cni",
        ipFamily: "ipv4",
        agentVersion: "1.3.1",
      });
      const isDifferent = lines.length > 0;
      seen.add(`${isDifferent} ${lines.some((line) => line.startsWith("on EKS"))}`);
      const update = plan([component, { op: "update", before, after }]);
      expect(reviewStack(update, { source: RUNNER }).verdict === "same reach").toBe(!isDifferent);
      const same = plan([component, { op: "same", before, after: before }]);
      expect(reviewDrift(same, [after], { source: RUNNER }).verdict === "same reach").toBe(!isDifferent);
      const told = differencesFrom(approved(before), approved(after)).filter((line) => !line.includes("written"));
      expect(told).toEqual(lines.map((line) => `the policy is not the approved one: ${line}`));
    }),
    { numRuns: 60 },
  );
  expect(seen.size).toBeGreaterThan(1);
});

import { describe, expect, it } from "vitest";
import {
  ipv6Plan,
  networkPolicy,
  type PackConfig,
  type Plain,
  packConfig,
  runnerPolicy,
  runPack,
} from "../support/policyPack.ts";
import { type Edited, IPV6_MUTANTS, MUTANTS } from "./mutants.ts";
import { REWRITES } from "./rewrites.ts";

/** Runs the pack on a good plan that was edited. */
async function judge(edit: (plan: Edited) => void, policy: Plain, config: PackConfig) {
  const plan: Edited = { policy, rules: policy.spec.egress, options: {}, others: [], config };
  edit(plan);
  return runPack([networkPolicy(plan.policy, plan.options), ...plan.others], plan.config);
}

describe.each(["staging", "prod"] as const)("mutants of the plan of %s", (stack) => {
  it.each(MUTANTS)("$name", async ({ edit, fires }) => {
    const { fired, messages } = await judge(edit, runnerPolicy(stack), packConfig(stack));
    expect(fired).toEqual(fires);
    for (const message of Object.values(messages).flat()) {
      expect(message).toMatch(/\nFix: \S.{9}/);
      expect(message).not.toMatch(/undefined|\[object/);
    }
  });
});

describe.each(["staging", "prod"] as const)("harmless rewrites of the plan of %s", (stack) => {
  it.each(REWRITES)("$name", async ({ edit }) => {
    const { messages } = await judge(edit, runnerPolicy(stack), packConfig(stack));
    expect(messages).toEqual({});
  });
});

describe("mutants of an IPv6 cluster's plan", () => {
  it.each(IPV6_MUTANTS)("$name", async ({ edit, fires }) => {
    const { policy, config } = ipv6Plan();
    const { fired } = await judge(edit, policy, config);
    expect(fired).toEqual(fires);
  });

  it("and without any the plan passes", async () => {
    const { policy, config } = ipv6Plan();
    expect((await judge(() => {}, policy, config)).messages).toEqual({});
  });
});

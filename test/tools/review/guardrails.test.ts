import { describe, expect, it } from "vitest";
import { policies } from "../../../policy-pack/policies/index.ts";
import { guardrailRun, POLICIES } from "../../../tools/review/guardrails.ts";
import { renderMarkdown, renderText, reviewStack, unguarded } from "../../../tools/review/index.ts";
import { plan, policy } from "./previews.ts";

const NAMES = policies.map(({ name }) => name);
const BOTH = [{ op: "create", after: policy([]) }] as const;

/** What the engine says of a pack's verdicts: on the first resource, where each policy that is enabled gives one. */
const first = (passed: readonly string[], policyPackName = "runner-egress") => ({
  policyAnalyzeSummaryEvent: { resourceUrn: "urn", policyPackName, passed },
});
const whole = (policyPackName = "runner-egress") => ({ policyAnalyzeStackSummaryEvent: { policyPackName } });
const violation = {
  policyEvent: {
    policyPackName: "runner-egress",
    policyName: "union",
    enforcementLevel: "mandatory",
    message: "open",
  },
};
const summary = (result: string) => ({ summaryEvent: { result } });

it("the review knows every policy of the pack, or it would not miss one that is disabled", () => {
  expect([...POLICIES].sort()).toEqual([...NAMES].sort());
});

describe.each<readonly [string, readonly object[], string | undefined, string]>([
  ["every policy judged the whole plan", [first(NAMES), whole()], undefined, "✅ passed"],
  ["no pack ran", [], "not run", "⚠️ not run"],
  [
    "one policy is disabled",
    [first(NAMES.filter((name) => name !== "private-reach")), whole()],
    "`private-reach` disabled",
    "⚠️ `private-reach` disabled",
  ],
  ["all are disabled", [first([]), whole()], "all disabled", "⚠️ all disabled"],
  [
    "the preview failed before the plan was whole",
    [first(NAMES), summary("failed")],
    "not judged: the preview failed",
    "⚠️ not judged: the preview failed",
  ],
  ["another pack alone ran", [first(["theirs"], "theirs"), whole("theirs")], "not run", "⚠️ not run"],
  ["a violation ended it", [first(NAMES), violation, summary("failed")], undefined, "❌ 1 violation"],
  [
    "a violation, and another policy is disabled",
    [first(NAMES.filter((name) => name !== "widening")), violation, summary("failed")],
    "`widening` disabled",
    "❌ 1 violation, `widening` disabled",
  ],
])("where %s", (_, events, gap, cell) => {
  const judged = plan(BOTH, events);

  it(`the guardrails are ${gap ?? "complete"}, and the comment says so`, () => {
    expect(unguarded(guardrailRun(judged))).toBe(gap);
    const review = reviewStack(judged);
    expect(renderMarkdown([review])).toContain(`${cell} |`);
    expect(renderText([review]).includes("  guardrails: ")).toBe(gap !== undefined);
  });
});

import { GUARDRAILS } from "../../guardrails/violation.ts";
import { codeSpan } from "../markdown.ts";
import type { StackPlan } from "./plan.ts";

/** The pack of this project, as its package.json calls it. */
const PACK = "runner-egress";

/** Names of its policies. */
export const POLICIES: readonly string[] = ["declaration", ...GUARDRAILS];

/** Whether the guardrails judged a preview, which is not the same as that they found nothing. */
export type GuardrailRun =
  | { readonly kind: "not run" }
  /** The preview failed before the plan was whole; what was found until then is no verdict. */
  | { readonly kind: "not judged" }
  /** `disabled`: the names of those that gave no verdict. */
  | { readonly kind: "judged"; readonly disabled: readonly string[] };

/**
 * What ran, from the engine's summaries and never from the absence of findings. A mandatory finding ends a preview before the
 * whole plan is judged, and is a verdict.
 */
export function guardrailRun({ judged, findings }: Pick<StackPlan, "judged" | "findings">): GuardrailRun {
  const own = judged.get(PACK);
  const isFound = (findings ?? []).some(({ severity }) => severity === "mandatory");
  if (own === undefined) {
    // Another pack alone says nothing about the runners' reach, unless it objects.
    return isFound ? { kind: "judged", disabled: [] } : { kind: "not run" };
  }
  const disabled = POLICIES.filter((name) => !own.policies.has(name));
  return isFound || own.isWhole ? { kind: "judged", disabled } : { kind: "not judged" };
}

/** Why the guardrails can't be relied on, in Markdown's code spans; `undefined` where all of them judged. */
export function unguarded(run: GuardrailRun): string | undefined {
  switch (run.kind) {
    case "not run":
      return "not run";
    case "not judged":
      return "not judged: the preview failed";
    case "judged":
      return run.disabled.length === 0
        ? undefined
        : run.disabled.length === POLICIES.length
          ? "all disabled"
          : `${run.disabled.map(codeSpan).join(", ")} disabled`;
  }
}

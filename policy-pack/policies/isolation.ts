import { guardrailPolicy } from "../guardrailPolicy.ts";

export const isolation = guardrailPolicy({
  name: "isolation",
  displayName: "Every runner pod is isolated",
  severity: "critical",
  description: "The declared policies are in the plan, isolate egress and select exactly the runner pods.",
  remediationSteps:
    "Give the policy exactly the declared labels as podSelector, the declared namespace and name, and policyTypes [Egress].",
});

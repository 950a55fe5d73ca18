import { guardrailPolicy } from "../guardrailPolicy.ts";

export const union = guardrailPolicy({
  name: "union",
  displayName: "No other policy widens the runners' reach",
  severity: "critical",
  description:
    "All NetworkPolicies that may select runner pods, in the plan and deployed, together allow nothing undeclared, lose nothing required and set off no hazard; no policy of another kind has a say.",
  remediationSteps:
    "Narrow the other policy's podSelector so that it does not select runner pods, or its rules. Judge by hand what cannot be analysed.",
});

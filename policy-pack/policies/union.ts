import { guardrailPolicy } from "../guardrailPolicy.ts";

export const union = guardrailPolicy({
  name: "union",
  displayName: "No other policy widens the runners' reach",
  severity: "critical",
  description:
    "All policies that may select runner pods, in the plan and deployed, together open nothing undeclared and lose nothing required.",
  remediationSteps:
    "Narrow the other policy's podSelector so that it does not select runner pods, or its rules. Judge by hand what cannot be analysed.",
});

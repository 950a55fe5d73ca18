import { guardrailPolicy } from "../guardrailPolicy.ts";

export const eksHazards = guardrailPolicy({
  name: "eks-hazards",
  displayName: "The VPC CNI enforces what is written",
  severity: "high",
  description: "The VPC CNI enforces the rules as they are written.",
  remediationSteps: "Rewrite the rule as the message says; docs/guardrails.md has each shape with its cure.",
});

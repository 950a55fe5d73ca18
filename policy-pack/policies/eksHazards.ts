import { guardrailPolicy } from "../guardrailPolicy.ts";

export const eksHazards = guardrailPolicy({
  name: "eks-hazards",
  displayName: "The VPC CNI enforces what is written",
  severity: "high",
  description:
    "No rule has a shape that the AWS network policy agent or controller enforces otherwise than Kubernetes specifies, drops or refuses.",
  remediationSteps: "Rewrite the rule as the message says; docs/guardrails.md has each shape with its cure.",
});

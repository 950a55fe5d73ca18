import { guardrailPolicy } from "../guardrailPolicy.ts";

export const requiredDestinations = guardrailPolicy({
  name: "required-destinations",
  displayName: "Required destinations stay reachable",
  severity: "high",
  description: "What the runners need stays reachable, as Kubernetes specifies and as the VPC CNI enforces.",
  remediationSteps:
    "Allow the destination again in a rule of its own. If the runners no longer need it, take it out of the declaration or set required: false.",
});

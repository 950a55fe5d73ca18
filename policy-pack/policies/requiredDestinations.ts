import { guardrailPolicy } from "../guardrailPolicy.ts";

export const requiredDestinations = guardrailPolicy({
  name: "required-destinations",
  displayName: "Required destinations stay reachable",
  severity: "high",
  description:
    "Declared destinations, the public internet on the declared ports and the listed endpoints stay reachable, as specified by Kubernetes and as enforced by the VPC CNI.",
  remediationSteps:
    "Allow the destination again in a rule of its own. If the runners no longer need it, take it out of the declaration or set required: false.",
});

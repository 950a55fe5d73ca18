import { guardrailPolicy } from "../guardrailPolicy.ts";

export const privateReach = guardrailPolicy({
  name: "private-reach",
  displayName: "Private reach is declared",
  severity: "critical",
  description: "Whatever runner pods may reach outside the public internet is a declared destination.",
  remediationSteps:
    "Narrow the rule that the message names, or add the block to its except. If the runners need the destination, add it to declaration.destinations.",
});

import { guardrailPolicy } from "../guardrailPolicy.ts";

export const widening = guardrailPolicy({
  name: "widening",
  displayName: "Widening is acknowledged",
  severity: "high",
  description: "Private reach that is new, compared with what is deployed, is acknowledged.",
  remediationSteps:
    "Acknowledge the region (cidrs or pods, and ports) with reason and expires, or take it out of the plan. Remove acknowledgements that are expired or unused.",
  configSchema: {
    properties: {
      acknowledgements: {
        type: "object",
        description: "By name: cidrs or pods, ports, reason, expires (YYYY-MM-DD).",
      },
    },
  },
});

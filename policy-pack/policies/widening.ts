import { guardrailPolicy } from "../guardrailPolicy.ts";

export const widening = guardrailPolicy({
  name: "widening",
  displayName: "Widening is acknowledged",
  severity: "high",
  description:
    "Compared with what is deployed, private regions and pods become reachable only where an acknowledgement with a reason and an expiry date covers them.",
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

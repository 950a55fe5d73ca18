import { guardrailPolicy } from "../guardrailPolicy.ts";

export const protection = guardrailPolicy({
  name: "protection",
  displayName: "The runners' policy is protected",
  severity: "high",
  description:
    "The declared policies are protected and are not removed or given other pods without an acknowledgement.",
  remediationSteps:
    "Set protect: true on the resource. Acknowledge a wanted change by policy, change, reason and expiry.",
  configSchema: {
    properties: {
      acknowledgements: {
        type: "object",
        description: "By name: policy, change (unprotect, remove or selector), reason, expires (YYYY-MM-DD).",
      },
    },
  },
});

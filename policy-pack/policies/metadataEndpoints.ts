import { guardrailPolicy } from "../guardrailPolicy.ts";

export const metadataEndpoints = guardrailPolicy({
  name: "metadata-endpoints",
  displayName: "Metadata and credential endpoints are unreachable",
  severity: "critical",
  description:
    "Runner pods reach no metadata or credential endpoint: EC2 metadata, ECS credentials, EKS Pod Identity unless declared.",
  remediationSteps:
    "Put the endpoint's block into the except of the rule that the message names, or remove that rule. A runner that uses EKS Pod Identity declares 169.254.170.23/32 on 80/TCP as a destination.",
});

import type { PolicyConfigSchema } from "@pulumi/policy";
import { GUARDRAILS, type GuardrailName } from "../../guardrails/violation.ts";
import { declarationPolicy, guardrailPolicy, type PackPolicy, type PolicyText } from "../packPolicy.ts";

const acknowledgements = (description: string): PolicyConfigSchema => ({
  properties: { acknowledgements: { type: "object", description } },
});

const ROWS: Readonly<Record<GuardrailName, PolicyText>> = {
  conclusive: {
    displayName: "What may select runners can be judged",
    severity: "critical",
    description: "Every policy that may select runner pods, in the plan and deployed, is known and can be analysed.",
    remediationSteps:
      "Make the value known at preview, correct the policy, or limit it to other pods or namespaces. Judge by hand what cannot be analysed.",
  },
  "metadata-endpoints": {
    displayName: "Metadata and credential endpoints are unreachable",
    severity: "critical",
    description:
      "Runner pods reach no metadata or credential endpoint: EC2 metadata, ECS credentials, EKS Pod Identity unless declared.",
    remediationSteps:
      "Put the endpoint's block into the except of the rule that the message names, or remove that rule. A runner that uses EKS Pod Identity declares 169.254.170.23/32 on 80/TCP as a destination.",
  },
  "private-reach": {
    displayName: "Private reach is declared",
    severity: "critical",
    description: "Whatever runner pods may reach outside the public internet is a declared destination.",
    remediationSteps:
      "Narrow the rule that the message names, or add the block to its except. If the runners need the destination, declare it.",
  },
  isolation: {
    displayName: "Every runner pod is isolated",
    severity: "critical",
    description: "The declared policies are in the plan, isolate egress and select exactly the runner pods.",
    remediationSteps:
      "Give the policy exactly the declared labels as podSelector, the declared namespace and name, and policyTypes [Egress].",
  },
  "required-destinations": {
    displayName: "Required destinations stay reachable",
    severity: "high",
    description: "What the runners need stays reachable, as Kubernetes specifies and as the VPC CNI enforces.",
    remediationSteps:
      "Allow the destination again in a rule of its own. If the runners no longer need it, take it out of the declaration or set required: false.",
  },
  "eks-hazards": {
    displayName: "The VPC CNI enforces what is written",
    severity: "high",
    description: "The VPC CNI enforces the rules as they are written.",
    remediationSteps: "Rewrite the rule as the message says; docs/guardrails.md has each shape with its cure.",
  },
  union: {
    displayName: "No other policy widens the runners' reach",
    severity: "critical",
    description:
      "All policies that may select runner pods, in the plan and deployed, together open nothing undeclared and lose nothing required.",
    remediationSteps: "Narrow the other policy's podSelector so that it does not select runner pods, or its rules.",
  },
  protection: {
    displayName: "The runners' policy is protected",
    severity: "high",
    description:
      "The declared policies are protected and are not removed or given other pods without an acknowledgement.",
    remediationSteps:
      "Set protect: true on the resource. Acknowledge a wanted change by policy, change, reason and expiry.",
    configSchema: acknowledgements(
      "By name: policy, change (unprotect, remove or selector), reason, expires (YYYY-MM-DD).",
    ),
  },
  widening: {
    displayName: "Widening is acknowledged",
    severity: "high",
    description: "Private reach that is new, compared with what is deployed, is acknowledged.",
    remediationSteps:
      "Acknowledge the region (cidrs or pods, and ports) with reason and expires, or take it out of the plan. Remove acknowledgements that are expired or unused.",
    configSchema: acknowledgements("By name: cidrs or pods, ports, reason, expires (YYYY-MM-DD)."),
  },
};

type Property = PolicyConfigSchema["properties"][string];

const texts = (description: string): Property => ({ type: "array", items: { type: "string" }, description });
const object = (description: string): Property => ({ type: "object", description });

const DECLARATION: PolicyText = {
  displayName: "The runners and their network are declared",
  severity: "critical",
  description: "The runners, what they may reach and what they need are declared without mistakes.",
  remediationSteps:
    "A stack of this project declares by Pulumi.STACK.yaml and facts/STACK.json; another project's in the pack's config. Every problem is listed with its key, the value and what is allowed.",
  configSchema: {
    properties: {
      runner: object("The runner pods: namespaces, and labels that every one of them has."),
      policies: texts("NetworkPolicies that must be in the plan, as NAMESPACE/NAME."),
      cluster: object("ipFamily (ipv4 or ipv6), agentVersion, otherFamilyEgress."),
      vpcCidrs: texts("Every block of the VPC, both families."),
      destinations: object(
        "What the runners may reach outside the public internet, by name: cidrs or pods, and ports.",
      ),
      internet: {
        type: ["string", "array"],
        description:
          'Ports on which the whole public internet must stay reachable: "every-port", or a list of 443/TCP.',
      },
      endpoints: texts("Public destinations that must stay reachable: URLs, HOST:PORT, ADDRESS:PORT/PROTOCOL."),
      deployed: { type: "string", description: "JSON file with the policies that the cluster has now." },
    },
  },
};

/** The policies of the pack. The declaration is first: the others rest on it. */
export const policies: PackPolicy[] = [
  declarationPolicy(DECLARATION),
  ...GUARDRAILS.map((name) => guardrailPolicy(name, ROWS[name])),
];

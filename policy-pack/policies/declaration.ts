import type { PolicyConfigSchema } from "@pulumi/policy";
import { DOCS, type PackPolicy, ROOT_STACK, reportAll, verdicts } from "../guardrailPolicy.ts";

type Property = PolicyConfigSchema["properties"][string];

const texts = (description: string): Property => ({
  type: "array",
  items: { type: "string" },
  description,
});
const object = (description: string): Property => ({ type: "object", description });

/** The config that all other policies share, read and checked before anything else. */
export const declaration: PackPolicy = {
  name: "declaration",
  displayName: "The runners and their network are declared",
  description: "The runners, what they may reach and what they need are declared without mistakes.",
  severity: "critical",
  enforcementLevel: "mandatory",
  url: `${DOCS}#declaration`,
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
  validateResource: async (resource, report) => {
    if (resource.type !== ROOT_STACK) {
      resource.notApplicable("it reads the pack's config once, with the stack itself");
    }
    reportAll(await (await verdicts()).declare(resource.getConfig(), resource.urn), report);
  },
  validateStack: async (stack, report) => {
    reportAll(await (await verdicts()).declareUnlessDone(stack.getConfig(), stack.resources[0]?.urn), report);
  },
};

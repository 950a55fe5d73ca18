import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  contains,
  formatCidr,
  isLabelKey,
  isLabelValue,
  leaksEveryPort,
} from "../analysis/index.ts";
import type { Problem } from "../analysis/problems.ts";
import {
  type Declaration,
  type DeclarationSource,
  type Destination,
  declaredPorts,
} from "../guardrails/declaration.ts";
import { privateSpace } from "../guardrails/wanted.ts";
import { Fields } from "../program/config/fields.ts";
import { readEndpoints } from "../program/config/mustReach.ts";
import { portsOf } from "../program/config/ports.ts";
import { cidrsOf, REGION_KEYS, readRegion } from "../program/config/region.ts";

/** Keys of the policy `declaration`; docs/guardrails.md explains each. */
export const DECLARATION_KEYS = [
  "runner",
  "policies",
  "cluster",
  "vpcCidrs",
  "destinations",
  "internet",
  "endpoints",
  "deployed",
] as const;

/** What `deployed` is. */
export const DEPLOYED = "the path of a JSON file, relative to the folder of the pack";

/** A declaration, and the file with what the cluster has now. */
export interface DeclarationConfig {
  readonly declaration: Declaration;
  /** Path; `undefined`: not given. */
  readonly deployed: string | undefined;
}

/** A declaration in the pack's config. The engine does not say from which file that was read. */
const SOURCE: DeclarationSource = {
  placeOf: (member) =>
    member === "widening.acknowledgements"
      ? "widening.acknowledgements in the pack's config"
      : `declaration.${member.replace(/^destinations\.(cidrs|pods)$/, "destinations")} in the pack's config`,
};

/** Reads the config of the policy `declaration`; `undefined` if that noted problems. */
export function readDeclaration(
  config: Readonly<Record<string, unknown>>,
  problems: Problem[],
): DeclarationConfig | undefined {
  const before = problems.length;
  const own = new Fields("declaration", config, DECLARATION_KEYS, problems);
  const runner = readRunner(own);
  const policies = own.texts("policies", "policies as NAMESPACE/NAME") ?? [];
  if (policies.some((id) => !/^[^/]+\/[^/]+$/.test(id))) {
    own.wrong("policies", "each is NAMESPACE/NAME, such as keeperhub/workflow-runner-block-imds");
  }
  const cluster = readCluster(own);
  const vpcCidrs = cidrsOf(own, "vpcCidrs");
  if (!own.has("vpcCidrs")) {
    own.missing("vpcCidrs", "every block of the VPC, such as [10.1.0.0/16]");
  }
  const destinations = readDestinations(own);
  const internet = readInternet(own, config.internet);
  const endpoints = readEndpoints(own);
  const deployed = own.text("deployed", DEPLOYED);
  if (problems.length > before || runner === undefined || cluster === undefined || vpcCidrs === undefined) {
    return undefined;
  }
  const declaration = { source: SOURCE, runner, policies, cluster, vpcCidrs, destinations, internet, endpoints };
  checkEndpoints(declaration, own);
  return problems.length > before ? undefined : { declaration, deployed };
}

function readRunner(own: Fields): Declaration["runner"] | undefined {
  const fields = own.object("runner", ["namespaces", "labels", "notLabels"]);
  if (fields === undefined) {
    return own.has("runner") ? undefined : own.missing("runner", "{namespaces: [NAMESPACE], labels: {app: NAME}}");
  }
  const namespaces = fields.texts("namespaces", "namespaces in which runner pods start");
  const labels = fields.textMap("labels", "labels that every runner pod has");
  if (!fields.has("namespaces")) {
    fields.missing("namespaces", "the namespaces in which runner pods start");
  }
  if (!fields.has("labels")) {
    fields.missing("labels", "labels that every runner pod has, such as {app: workflow-runner}");
  }
  const notLabels = (fields.texts("notLabels", "labels that no runner pod has, as KEY or KEY=VALUE") ?? []).map(
    (text) => {
      const [key = "", value] = text.split("=");
      return { key, ...(value !== undefined && { value }) };
    },
  );
  if (notLabels.some(({ key, value = "" }) => !isLabelKey(key) || !isLabelValue(value) || key in (labels ?? {}))) {
    fields.wrong(
      "notLabels",
      "each is KEY or KEY=VALUE of a label that is not among runner.labels, such as app.kubernetes.io/instance",
    );
  }
  return namespaces && labels && { namespaces, labels, notLabels };
}

function readCluster(own: Fields): Declaration["cluster"] | undefined {
  const fields = own.object("cluster", ["ipFamily", "identifier", "agentVersion", "otherFamilyEgress"]);
  if (fields === undefined) {
    return own.has("cluster") ? undefined : own.missing("cluster", "{ipFamily: ipv4} or {ipFamily: ipv6}");
  }
  const ipFamily = fields.choice<AddressFamily>("ipFamily", ADDRESS_FAMILIES);
  const identifier = fields.text("identifier", "the clusterIdentifier of the Kubernetes provider");
  const agentVersion = fields.text("agentVersion", "a version of aws-network-policy-agent such as 1.3.1");
  const otherFamilyEgress = fields.flag("otherFamilyEgress");
  if (!fields.has("ipFamily")) {
    return fields.missing("ipFamily", `the family of the pods' addresses, one of ${ADDRESS_FAMILIES.join(", ")}`);
  }
  if (ipFamily === "ipv6" && !fields.has("otherFamilyEgress")) {
    fields.missing(
      "otherFamilyEgress",
      "false if ENABLE_V4_EGRESS of the vpc-cni add-on is off; its default is on, and no policy applies to that path",
    );
  }
  try {
    leaksEveryPort(agentVersion ?? "1.4.2");
  } catch {
    return fields.wrong("agentVersion", "must be MAJOR.MINOR.PATCH such as 1.3.1");
  }
  return (
    ipFamily && {
      ipFamily,
      ...(identifier !== undefined && { identifier }),
      ...(agentVersion !== undefined && { agentVersion }),
      ...(otherFamilyEgress !== undefined && { otherFamilyEgress }),
    }
  );
}

function readDestinations(own: Fields): Destination[] {
  return own.named("destinations", [...REGION_KEYS, "required"]).flatMap(([name, fields]) => {
    const region = readRegion(fields);
    const required = fields.flag("required") ?? true;
    return region === undefined ? [] : [{ name, ...region, required }];
  });
}

function readInternet(own: Fields, value: unknown): Declaration["internet"] {
  if (typeof value !== "string") {
    return portsOf(own, "internet")?.map(declaredPorts) ?? [];
  }
  return own.choice<"every-port">("internet", ["every-port"]) ?? [];
}

function checkEndpoints(declaration: Declaration, own: Fields): void {
  const wrong = endpointProblems(declaration);
  if (wrong.length > 0) {
    own.wrong("endpoints", wrong.join("; "));
  }
}

/** What is wrong with the endpoints: one by address has to be public, and one that pods of this cluster can send to. */
export function endpointProblems(declaration: Declaration): string[] {
  const hidden = privateSpace(declaration);
  return declaration.endpoints.flatMap(({ name, cidr }) => {
    const block = cidr && hidden.find((candidate) => contains(candidate, cidr));
    if (block !== undefined) {
      return [`${name} is in ${formatCidr(block)}, which is not public; declare it as a destination`];
    }
    return cidr !== undefined && cidr.family !== declaration.cluster.ipFamily
      ? [`${name} is ${cidr.family}, but the cluster's pods have ${declaration.cluster.ipFamily} addresses`]
      : [];
  });
}

import {
  ADDRESS_FAMILIES,
  contains,
  defined,
  formatCidr,
  Input,
  isLabelKey,
  isLabelValue,
  leaksEveryPort,
} from "../analysis/index.ts";
import type { Problem } from "../analysis/problems.ts";
import type { Declaration, DeclarationSource, Destination } from "../guardrails/declaration.ts";
import { privateSpace } from "../guardrails/wanted.ts";
import { readEndpoints } from "../program/config/mustReach.ts";
import { readPorts } from "../program/config/ports.ts";
import { REGION_KEYS, readCidrs, readRegion } from "../program/config/region.ts";

/** Keys of the policy `declaration`; docs/guardrails.md explains each. */
const DECLARATION_KEYS = [
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
  const own = new Input(config, "declaration", problems);
  own.object(DECLARATION_KEYS);
  const runner = readRunner(own.at("runner"));
  const policies = own.at("policies").texts("policies as NAMESPACE/NAME") ?? [];
  if (policies.some((id) => !/^[^/]+\/[^/]+$/.test(id))) {
    own.at("policies").wrong("each is NAMESPACE/NAME, such as keeperhub/workflow-runner-block-imds");
  }
  const cluster = readCluster(own.at("cluster"));
  const vpcCidrs = readCidrs(own.at("vpcCidrs").required("every block of the VPC, such as [10.1.0.0/16]"));
  const destinations = readDestinations(own.at("destinations"));
  const internet = readInternet(own.at("internet"));
  const endpoints = readEndpoints(own.at("endpoints"));
  const deployed = own.at("deployed").text(DEPLOYED);
  if (problems.length > before || runner === undefined || cluster === undefined || vpcCidrs === undefined) {
    return undefined;
  }
  const declaration = { source: SOURCE, runner, policies, cluster, vpcCidrs, destinations, internet, endpoints };
  const wrong = endpointProblems(declaration);
  return wrong.length > 0 ? own.at("endpoints").wrong(wrong.join("; ")) : { declaration, deployed };
}

function readRunner(input: Input): Declaration["runner"] | undefined {
  const own = input
    .required("{namespaces: [NAMESPACE], labels: {app: NAME}}")
    .object(["namespaces", "labels", "notLabels"]);
  if (own === undefined) {
    return undefined;
  }
  const namespaces = own
    .at("namespaces")
    .required("the namespaces in which runner pods start")
    .texts("namespaces in which runner pods start");
  const labels = own
    .at("labels")
    .required("labels that every runner pod has, such as {app: workflow-runner}")
    .textMap("labels that every runner pod has");
  const notLabels = (own.at("notLabels").texts("labels that no runner pod has, as KEY or KEY=VALUE") ?? []).map(
    (text) => {
      const [key = "", value] = text.split("=");
      return { key, ...defined({ value }) };
    },
  );
  if (notLabels.some(({ key, value = "" }) => !isLabelKey(key) || !isLabelValue(value) || key in (labels ?? {}))) {
    own
      .at("notLabels")
      .wrong("each is KEY or KEY=VALUE of a label that is not among runner.labels, such as app.kubernetes.io/instance");
  }
  return namespaces && labels && { namespaces, labels, notLabels };
}

function readCluster(input: Input): Declaration["cluster"] | undefined {
  const own = input
    .required("{ipFamily: ipv4} or {ipFamily: ipv6}")
    .object(["ipFamily", "identifier", "agentVersion", "otherFamilyEgress"]);
  if (own === undefined) {
    return undefined;
  }
  const ipFamily = own
    .at("ipFamily")
    .required(`the family of the pods' addresses, one of ${ADDRESS_FAMILIES.join(", ")}`)
    .choice(ADDRESS_FAMILIES);
  const identifier = own.at("identifier").text("the clusterIdentifier of the Kubernetes provider");
  const agentVersion = own.at("agentVersion").text("a version of aws-network-policy-agent such as 1.3.1");
  const otherFamilyEgress = own.at("otherFamilyEgress").flag();
  if (ipFamily === "ipv6") {
    own
      .at("otherFamilyEgress")
      .required(
        "false if ENABLE_V4_EGRESS of the vpc-cni add-on is off; its default is on, and no policy applies to that path",
      );
  }
  try {
    leaksEveryPort(agentVersion ?? "1.4.2");
  } catch {
    return own.at("agentVersion").wrong("must be MAJOR.MINOR.PATCH such as 1.3.1");
  }
  return ipFamily && { ipFamily, ...defined({ identifier, agentVersion, otherFamilyEgress }) };
}

function readDestinations(input: Input): Destination[] {
  return input.named([...REGION_KEYS, "required"]).flatMap(([name, own]) => {
    const region = readRegion(own);
    const required = own.at("required").flag() ?? true;
    return region === undefined ? [] : [{ name, ...region, required }];
  });
}

function readInternet(input: Input): Declaration["internet"] {
  return typeof input.value === "string"
    ? (input.choice<"every-port">(["every-port"]) ?? [])
    : (readPorts(input) ?? []);
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

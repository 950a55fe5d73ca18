import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  type CompileOptions,
  type Input,
  type NetworkPolicy,
  type Problem,
  parseAddress,
  readInventory,
  readNetworkPolicy,
  SELECTED_BY_EVERY_POLICY,
  type Source,
} from "../../../analysis/index.ts";
import { kubernetesSemantics, type SemanticsFlags, vpcCniSemantics } from "../options.ts";

/** Members of every line. */
export const SETTING_MEMBERS: readonly string[] = ["id", "pod", "ipFamily", "nodeIp", "inventory"];

/**
 * Reads `pod`, `inventory`, `ipFamily` and `nodeIp` of a line. Without `pod` every policy is taken to select the sender.
 * The last two say how the AWS agent enforces and have no effect under `kubernetes`.
 */
export function readSetting(line: Input, problems: Problem[], flags: SemanticsFlags): CompileOptions {
  const ipFamily = ADDRESS_FAMILIES.find((family) => family === line.at("ipFamily").value);
  if (line.at("ipFamily").value !== undefined && ipFamily === undefined) {
    line.at("ipFamily").wrong("must be ipv4 or ipv6");
  }
  const common: Omit<CompileOptions, "semantics"> = {
    source: line.at("pod").value === undefined ? SELECTED_BY_EVERY_POLICY : readPod(line.at("pod")),
    ...(line.has("inventory") && { inventory: readInventory(line.at("inventory").list(), problems) }),
  };
  const family = ipFamily ?? flags.ipFamily ?? "ipv4";
  const nodeIp = readNodeIp(line.at("nodeIp"), flags.nodeIp, family);
  if (flags.semantics !== "vpc-cni") {
    return { ...common, semantics: kubernetesSemantics(flags) };
  }
  const { nodeIp: _, ...rest } = flags;
  const semantics = vpcCniSemantics({ ...rest, ipFamily: family });
  return { ...common, semantics: nodeIp === undefined ? semantics : { ...semantics, nodeIp } };
}

/**
 * Reads a list of NetworkPolicies. Their `apiVersion`, `kind` and `metadata` may be missing; one without a namespace is in
 * `default`, as when it is applied.
 */
export function readPolicies(input: Input): readonly NetworkPolicy[] {
  if (input.value === undefined) {
    input.refuse("is missing; it is a list of NetworkPolicies");
  }
  return input.list().map((policy) => readNetworkPolicy(policy));
}

function readPod(input: Input): Source {
  const pod = input.members(["namespace", "labels"]);
  const labels = pod
    .at("labels")
    .entries()
    .map(([key, value]) => [key, value.string() ?? ""]);
  return { namespace: pod.at("namespace").string() ?? "default", labels: Object.fromEntries(labels) };
}

function readNodeIp(input: Input, byDefault: string | undefined, ipFamily: AddressFamily) {
  const value = input.value ?? byDefault;
  if (value === undefined) {
    return undefined;
  }
  const address = typeof value === "string" ? parseAddress(value) : undefined;
  if (address === undefined) {
    input.wrong("must be an address", value);
  } else if (address.family !== ipFamily) {
    input.wrong(`must be of the cluster's family, ${ipFamily} (ipFamily; default ipv4)`, value);
  }
  return address;
}

import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  compile,
  type EgressAnalysis,
  type Input,
  type Inventory,
  type NetworkPolicy,
  type Problem,
  parseAddress,
  readInventory,
  readNetworkPolicy,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
  type Source,
} from "../../../analysis/index.ts";
import { chosenSemantics, kubernetesSemantics, type SemanticsFlags, vpcCniSemantics } from "../options.ts";

/** How one line's policies are read: by whom, and for which pod. */
export interface LineSetting {
  readonly semantics: Semantics;
  readonly source: Source | undefined;
  readonly inventory: Inventory | undefined;
}

/**
 * The flags of a command that reads lines, with `kubernetes` where nothing was said.
 *
 * @throws {UsageError} for flags that are wrong, before the first line is read.
 */
export function lineFlags(flags: SemanticsFlags): SemanticsFlags {
  const settled = { ...flags, semantics: flags.semantics ?? "kubernetes" } as const;
  chosenSemantics(settled);
  return settled;
}

/**
 * Reads `pod`, `inventory`, `ipFamily` and `nodeIp` of a line. Without `pod` every policy is taken to select the sender.
 * The last two say how the AWS agent enforces and have no effect under `kubernetes`.
 */
export function readSetting(line: Input, problems: Problem[], flags: SemanticsFlags): LineSetting {
  const ipFamily = ADDRESS_FAMILIES.find((family) => family === line.at("ipFamily").value);
  if (line.at("ipFamily").value !== undefined && ipFamily === undefined) {
    line.at("ipFamily").wrong("must be ipv4 or ipv6");
  }
  const source = line.at("pod").value === undefined ? undefined : readPod(line.at("pod"));
  const inventory = line.has("inventory") ? readInventory(line.at("inventory").list(), problems) : undefined;
  const family = ipFamily ?? flags.ipFamily ?? "ipv4";
  const nodeIp = readNodeIp(line.at("nodeIp"), flags.nodeIp, family);
  if (flags.semantics !== "vpc-cni") {
    return { semantics: kubernetesSemantics(flags), source, inventory };
  }
  const { nodeIp: _, ...rest } = flags;
  const semantics = vpcCniSemantics({ ...rest, ipFamily: family });
  return { semantics: nodeIp === undefined ? semantics : { ...semantics, nodeIp }, source, inventory };
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

/** Compiles one line's policies. */
export function compileLine(
  policies: readonly NetworkPolicy[],
  { semantics, source, inventory }: LineSetting,
): EgressAnalysis {
  return compile(policies, {
    semantics,
    source: source ?? SELECTED_BY_EVERY_POLICY,
    ...(inventory === undefined ? {} : { inventory }),
  });
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

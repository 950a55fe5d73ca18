import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  compile,
  type EgressAnalysis,
  type Fields,
  type InputReader,
  type Inventory,
  type NetworkPolicy,
  ProblemsError,
  parseAddress,
  parseInventory,
  parseNetworkPolicies,
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
export function readSetting(fields: Fields, reader: InputReader, flags: SemanticsFlags): LineSetting {
  const ipFamily = ADDRESS_FAMILIES.find((family) => family === fields.ipFamily);
  if (fields.ipFamily !== undefined && ipFamily === undefined) {
    reader.report("ipFamily", fields.ipFamily, "must be ipv4 or ipv6");
  }
  const source = fields.pod === undefined ? undefined : readPod(fields.pod, reader);
  const inventory = readInventory(fields.inventory, reader);
  const family = ipFamily ?? flags.ipFamily ?? "ipv4";
  const nodeIp = readNodeIp(fields.nodeIp ?? flags.nodeIp, family, reader);
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
export function readPolicies(input: unknown, path: string, reader: InputReader): readonly NetworkPolicy[] {
  if (input === undefined) {
    reader.report(path, undefined, "is missing; it is a list of NetworkPolicies");
  }
  const list = reader.list(input, path);
  try {
    return parseNetworkPolicies(list, { path: list.length === 1 ? `${path}[0].` : path });
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    for (const problem of error.problems) {
      reader.report(problem.where, problem.value, problem.reason);
    }
    return [];
  }
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

function readPod(input: unknown, reader: InputReader): Source {
  const { namespace, labels } = reader.fields(input, "pod", ["namespace", "labels"]);
  const read: Record<string, string> = {};
  for (const [key, value] of Object.entries(reader.fields(labels ?? {}, "pod.labels"))) {
    read[key] = reader.text(value, `pod.labels.${key}`) ?? "";
  }
  return { namespace: reader.text(namespace, "pod.namespace") ?? "default", labels: read };
}

function readInventory(input: unknown, reader: InputReader): Inventory | undefined {
  if (input === undefined || input === null) {
    return undefined;
  }
  const objects = reader.list(input, "inventory").map((object, index) => ({ object, path: `inventory[${index}]` }));
  try {
    return parseInventory(objects);
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    for (const problem of error.problems) {
      reader.report(problem.where, problem.value, problem.reason);
    }
    return undefined;
  }
}

function readNodeIp(input: unknown, ipFamily: AddressFamily, reader: InputReader) {
  if (input === undefined || input === null) {
    return undefined;
  }
  const address = typeof input === "string" ? parseAddress(input) : undefined;
  if (address === undefined) {
    reader.report("nodeIp", input, "must be an address");
  } else if (address.family !== ipFamily) {
    reader.report("nodeIp", input, `must be of the cluster's family, ${ipFamily} (ipFamily; default ipv4)`);
  }
  return address;
}

import { describeProblem, type NetworkPolicy, ProblemsError, parseNetworkPolicies } from "../analysis/index.ts";
import { isObject, membersOf } from "../analysis/plainObject.ts";

/** A NetworkPolicy of a plan or of a cluster, as it was found. */
export interface PlannedPolicy {
  /** How the caller knows it, such as a URN; comes back in violations. */
  readonly resource: string;
  /** The plain object; values that are unknown are left out. Members that start with `__` are the provider's. */
  readonly object: unknown;
  /** Paths of the values that are unknown until the update, such as `spec.egress[0].to[0].ipBlock.cidr`. */
  readonly unknownPaths?: readonly string[];
  /** Whether the engine refuses to delete it; left out where that is not known. */
  readonly protect?: boolean;
  /** Paths of members that several patches set to different values. Default: none. */
  readonly contestedPaths?: readonly string[];
  /** The `clusterIdentifier` of its provider, empty where that has none; left out where the provider is not known. */
  readonly cluster?: string;
  /** The folder into which its provider writes it instead of to a cluster. Default: none. */
  readonly renderedTo?: string;
}

/** A policy that can be analysed. */
export interface ReadPolicy {
  readonly planned: PlannedPolicy;
  readonly policy: NetworkPolicy;
}

/** A policy about which nothing can be concluded, and why. */
export interface UnreadPolicy {
  readonly planned: PlannedPolicy;
  /** Its name and namespace, where at least these are known. */
  readonly identity: { readonly namespace: string; readonly name: string } | undefined;
  /** All of it but its rules, where that much is readable: enough to tell which pods it selects, and that it isolates. */
  readonly shell: ReadPolicy | undefined;
  /** What keeps it from being read, as the end of a sentence. */
  readonly reason: string;
  readonly fix: string;
}

/** Paths under which nothing bears on egress. */
const IRRELEVANT = /^(metadata\.(?!name$|namespace$)|status\b|spec\.ingress\b|__|apiVersion$|kind$|id$|urn$)/;

/** Reads a policy; every problem makes it unreadable, none is guessed away. */
export function readPolicy(planned: PlannedPolicy): ReadPolicy | UnreadPolicy {
  const { contestedPaths = [] } = planned;
  const unknown = (planned.unknownPaths ?? []).filter((path) => !IRRELEVANT.test(path));
  const object = ownFields(planned.object);
  const unread = (reason: string, fix: string): UnreadPolicy => ({
    planned,
    identity: unknown.some((path) => path.startsWith("metadata")) ? undefined : identityOf(object),
    shell: [...unknown, ...contestedPaths].every((path) => path.startsWith("spec.egress"))
      ? shellOf(planned, object)
      : undefined,
    reason,
    fix,
  });
  if (unknown.length > 0) {
    return unread(
      `${unknown.join(", ")} ${unknown.length === 1 ? "is" : "are"} unknown until up`,
      "make every value of the policy known at preview: from config, and from lookups whose arguments are plain values.",
    );
  }
  if (contestedPaths.length > 0) {
    return unread(
      `several patches set ${contestedPaths.join(", ")} to different values, of which the one that is applied last wins`,
      "put the values into one patch, or into the policy itself.",
    );
  }
  const policy = tryParse(object);
  return isPolicy(policy)
    ? { planned, policy }
    : unread(
        `it is not a NetworkPolicy that the API server would accept: ${policy.map(describeProblem).join("; ")}`,
        "correct the policy.",
      );
}

export function isRead(policy: ReadPolicy | UnreadPolicy): policy is ReadPolicy {
  return "policy" in policy;
}

export function isUnread(policy: ReadPolicy | UnreadPolicy): policy is UnreadPolicy {
  return !isRead(policy);
}

function tryParse(object: unknown): NetworkPolicy | ProblemsError["problems"] {
  try {
    return parseNetworkPolicies([object])[0] as NetworkPolicy;
  } catch (error) {
    if (error instanceof ProblemsError) {
      return error.problems;
    }
    throw error;
  }
}

function isPolicy(parsed: ReturnType<typeof tryParse> | undefined): parsed is NetworkPolicy {
  return parsed !== undefined && "podSelector" in parsed;
}

/** The object without what Pulumi's provider adds to it. */
function ownFields(object: unknown): unknown {
  return isObject(object)
    ? Object.fromEntries(
        Object.entries(object).filter(([key]) => !key.startsWith("__") && key !== "id" && key !== "urn"),
      )
    : object;
}

/** As the parser reads them: what has no namespace is in `default`. */
function identityOf(object: unknown): UnreadPolicy["identity"] {
  const { name, namespace = "default" } = membersOf(membersOf(object).metadata);
  return typeof name === "string" && typeof namespace === "string" ? { namespace, name } : undefined;
}

/** The policy without its rules; `undefined` where not even that can be read. */
function shellOf(planned: PlannedPolicy, object: unknown): ReadPolicy | undefined {
  if (!isObject(object) || !isObject(object.spec)) {
    return undefined;
  }
  const { egress, ...spec } = object.spec;
  // A rule, any rule, keeps the default of `policyTypes` what it was; rules that are unknown altogether count as one.
  const rules = Array.isArray(egress) && egress.length === 0 ? [] : [{}];
  const shell = tryParse({ ...object, spec: { ...spec, egress: rules } });
  return isPolicy(shell) ? { planned, policy: { ...shell, egress: [] } } : undefined;
}

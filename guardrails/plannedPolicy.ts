import {
  ADDRESS_BITS,
  cidrAt,
  describeProblem,
  formatCidr,
  type NetworkPolicy,
  ProblemsError,
  parseAddress,
  parseNetworkPolicies,
} from "../analysis/index.ts";
import { isObject, membersOf } from "./plainObject.ts";

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

/** Where a CIDR has bits set after its prefix, and the block that it means. */
export interface LooseCidr {
  readonly path: string;
  readonly rule: number;
  readonly text: string;
  readonly canonical: string;
}

/** A policy that can be analysed. */
export interface ReadPolicy {
  readonly planned: PlannedPolicy;
  readonly policy: NetworkPolicy;
  readonly looseCidrs: readonly LooseCidr[];
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

/** Reads a policy, canonical or not; every problem makes it unreadable, none is guessed away. */
export function readPolicy(planned: PlannedPolicy): ReadPolicy | UnreadPolicy {
  const { contestedPaths = [] } = planned;
  const unknown = (planned.unknownPaths ?? []).filter((path) => !IRRELEVANT.test(path));
  const object = ownFields(planned.object);
  if (unknown.length > 0 || contestedPaths.length > 0) {
    const onlyRules = [...unknown, ...contestedPaths].every((path) => path.startsWith("spec.egress"));
    const common = {
      planned,
      identity: unknown.some((path) => path.startsWith("metadata")) ? undefined : identityOf(object),
      shell: onlyRules ? shellOf(planned, object) : undefined,
    };
    return unknown.length > 0
      ? {
          ...common,
          reason: `${unknown.join(", ")} ${unknown.length === 1 ? "is" : "are"} unknown until up`,
          fix: "make every value of the policy known at preview: from config, and from lookups whose arguments are plain values.",
        }
      : {
          ...common,
          reason: `several patches set ${contestedPaths.join(", ")} to different values, of which the one that is applied last wins`,
          fix: "put the values into one patch, or into the policy itself.",
        };
  }
  const looseCidrs: LooseCidr[] = [];
  const policy = tryParse(canonical(object, looseCidrs));
  if (isPolicy(policy)) {
    return { planned, policy, looseCidrs };
  }
  return {
    planned,
    identity: identityOf(object),
    shell: shellOf(planned, object),
    reason: `it is not a NetworkPolicy that the API server would accept: ${policy.map(describeProblem).join("; ")}`,
    fix: "correct the policy.",
  };
}

export function isRead(policy: ReadPolicy | UnreadPolicy): policy is ReadPolicy {
  return "policy" in policy;
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
  return isPolicy(shell) ? { planned, policy: { ...shell, egress: [] }, looseCidrs: [] } : undefined;
}

/** Replaces blocks with host bits set by what they mean to the agent, and notes where. */
function canonical(object: unknown, found: LooseCidr[]): unknown {
  if (!isObject(object) || !isObject(object.spec) || !Array.isArray(object.spec.egress)) {
    return object;
  }
  const egress = object.spec.egress.map((rule, ruleIndex) => {
    if (!isObject(rule) || !Array.isArray(rule.to)) {
      return rule;
    }
    const fix = (text: unknown, path: string): unknown => {
      const block = typeof text === "string" ? withoutHostBits(text) : undefined;
      if (block === undefined) {
        return text;
      }
      found.push({ path, rule: ruleIndex, text: text as string, canonical: block });
      return block;
    };
    const to = rule.to.map((peer, peerIndex) => {
      if (!isObject(peer) || !isObject(peer.ipBlock)) {
        return peer;
      }
      const path = `spec.egress[${ruleIndex}].to[${peerIndex}].ipBlock`;
      const { cidr, except } = peer.ipBlock;
      const excepts = Array.isArray(except)
        ? except.map((text, index) => fix(text, `${path}.except[${index}]`))
        : except;
      return { ...peer, ipBlock: { ...peer.ipBlock, cidr: fix(cidr, `${path}.cidr`), except: excepts } };
    });
    return { ...rule, to };
  });
  return { ...object, spec: { ...object.spec, egress } };
}

/** The block that a CIDR with host bits set means; `undefined` for any other text. */
function withoutHostBits(text: string): string | undefined {
  const [host = "", digits = ""] = text.split("/");
  const address = /^\d{1,3}$/.test(digits) ? parseAddress(host) : undefined;
  const prefixLength = Number(digits);
  if (address === undefined || prefixLength > ADDRESS_BITS[address.family]) {
    return undefined;
  }
  const block = cidrAt(address.family, address.value, prefixLength);
  return block.first === address.value ? undefined : formatCidr(block);
}

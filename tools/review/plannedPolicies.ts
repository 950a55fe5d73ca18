import {
  describeProblem,
  type NetworkPolicy,
  type Problem,
  ProblemsError,
  parseNetworkPolicies,
} from "../../analysis/index.ts";
import { hiddenValues } from "./hiddenValues.ts";
import {
  isObject,
  NETWORK_POLICY,
  type PlannedResource,
  type Properties,
  resourceName,
  type StackPlan,
} from "./plan.ts";
import type { PolicyPair } from "./subjects.ts";

/** What happens to one NetworkPolicy of the stack. */
export interface PolicyChange {
  /** `namespace/name`, or the resource's name where a preview does not know it. */
  readonly id: string;
  readonly kind: "created" | "adopted" | "changed" | "replaced" | "deleted" | "unchanged";
  /** Whether it is away for a moment: deleted before it is created again. */
  readonly hasGap: boolean;
}

/** The NetworkPolicies of a stack before and after, parsed; and why they don't tell everything, if they don't. */
export interface PlannedPolicies {
  readonly before: readonly NetworkPolicy[];
  readonly after: readonly NetworkPolicy[];
  readonly changes: readonly PolicyChange[];
  /** The policies of each resource of the stack, where it has one. */
  readonly pairs: readonly PolicyPair[];
  /** The same policies as objects, in the same order. */
  readonly objects: { readonly before: readonly KubernetesObject[]; readonly after: readonly KubernetesObject[] };
  /** Reasons for which nothing can be concluded; empty when all is known. */
  readonly obstacles: readonly string[];
}

/** An object as the Kubernetes API has it. */
export type KubernetesObject = Properties;

/** A policy and the object that it was read from. */
interface ReadPolicy {
  readonly policy: NetworkPolicy;
  readonly object: KubernetesObject;
}

/** Kinds that take part in the verdict and that the analysis does not read. */
const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ["NetworkPolicyPatch", "patches a NetworkPolicy that is not in the plan"],
  ["ClusterNetworkPolicy", "can allow or deny before and after every NetworkPolicy"],
  ["ApplicationNetworkPolicy", "can allow domain names"],
  ["AdminNetworkPolicy", "can allow or deny before every NetworkPolicy"],
  ["BaselineAdminNetworkPolicy", "can deny after every NetworkPolicy"],
]);

/**
 * Collects the NetworkPolicies of a plan. With `live`, the NetworkPolicies that the cluster has now, those are what is
 * there before, and what the plan does not touch stays.
 */
export function plannedPolicies(plan: StackPlan, live?: readonly KubernetesObject[]): PlannedPolicies {
  const obstacles: string[] = [];
  const before = new Map<string, ReadPolicy>();
  const after = new Map<string, ReadPolicy>();
  const changes: PolicyChange[] = [];
  const pairs: { id: string; before: ReadPolicy | undefined; after: ReadPolicy | undefined }[] = [];
  for (const resource of plan.resources) {
    const obstacle = obstacleOf(resource);
    if (obstacle !== undefined) {
      obstacles.push(obstacle);
    }
    if (resource.type !== NETWORK_POLICY) {
      continue;
    }
    const old = read(oldObject(resource), `the deployed policy ${resourceName(resource.urn)}`, obstacles);
    const fresh = read(resource.after?.inputs, `the planned policy ${resourceName(resource.urn)}`, obstacles);
    if (old !== undefined) {
      before.set(idOf(old), old);
    }
    if (fresh !== undefined) {
      after.set(idOf(fresh), fresh);
    }
    const known = fresh ?? old;
    const id = known === undefined ? resourceName(resource.urn) : idOf(known);
    pairs.push({ id, before: old, after: fresh });
    changes.push({
      id,
      kind: changeKind(resource),
      hasGap: hasGap(resource),
    });
  }
  if (live !== undefined) {
    const deployed = new Set(before.keys());
    before.clear();
    for (const [index, object] of live.entries()) {
      const policy = read(object, `live policy ${index}`, obstacles);
      if (policy !== undefined) {
        const id = idOf(policy);
        before.set(id, policy);
        if (!after.has(id) && !deployed.has(id)) {
          after.set(id, policy);
        }
      }
    }
  }
  const [old, fresh] = [sorted(before), sorted(after)];
  return {
    before: old.map(({ policy }) => policy),
    after: fresh.map(({ policy }) => policy),
    objects: { before: old.map(({ object }) => object), after: fresh.map(({ object }) => object) },
    changes,
    pairs: pairs.map(({ id, before: deployed, after: planned }) => ({
      before: (live === undefined ? deployed : before.get(id))?.policy,
      after: planned?.policy,
    })),
    obstacles: [...obstacles, ...usurped(changes)],
  };
}

/** A resource that another name takes over: the engine creates the same object first and deletes it last. */
function usurped(changes: readonly PolicyChange[]): string[] {
  const kept = new Set(changes.filter(({ kind }) => kind !== "deleted").map(({ id }) => id));
  return changes
    .filter(({ kind, id }) => kind === "deleted" && kept.has(id))
    .map(
      ({ id }) =>
        `${id} is deleted by one resource and made by another: the engine deletes last, so it may be gone afterwards; give the new resource an alias of the old one`,
    );
}

/**
 * What the cluster has now: the provider's answer where there is one, since it shows what a refresh found. An adopted
 * object is in no state yet; the step that imports it carries it.
 */
function oldObject({ operations, before, after }: PlannedResource): Properties | undefined {
  const state = before ?? (operations.includes("import") ? after : undefined);
  return isObject(state?.outputs.spec) ? state.outputs : state?.inputs;
}

function changeKind({ operations, before, after }: PlannedResource): PolicyChange["kind"] {
  if (after === undefined) {
    return "deleted";
  }
  if (operations.some((operation) => operation.includes("replace"))) {
    return "replaced";
  }
  if (operations.includes("import")) {
    return "adopted";
  }
  if (before === undefined) {
    return "created";
  }
  return operations.includes("update") ? "changed" : "unchanged";
}

function hasGap({ operations }: PlannedResource): boolean {
  const [deleted, created] = [operations.indexOf("delete-replaced"), operations.indexOf("create-replacement")];
  return deleted >= 0 && deleted < created;
}

function obstacleOf({ type, urn }: PlannedResource): string | undefined {
  const [, group, kind] = type.split(":");
  const why = kind === undefined || !group?.includes("network") ? undefined : OTHER_KINDS.get(kind);
  return why === undefined ? undefined : `${kind} ${resourceName(urn)} is in the plan, which ${why}`;
}

/** Parses one object; whatever can't be known or read becomes an obstacle. */
function read(object: Properties | undefined, what: string, obstacles: string[]): ReadPolicy | undefined {
  if (object === undefined) {
    return undefined;
  }
  const { apiVersion, kind, spec } = object;
  const { name, namespace } = isObject(object.metadata) ? object.metadata : {};
  const relevant = { apiVersion, kind, metadata: { name, namespace }, spec };
  const hidden = hiddenValues(relevant, "");
  if (hidden.length > 0) {
    const paths = hidden.map((value) => `${value.path} is ${value.kind}`).join(", ");
    obstacles.push(`${what}: ${paths}`);
    return undefined;
  }
  try {
    const [policy] = parseNetworkPolicies([relevant]);
    return policy && { policy, object: relevant };
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    const problems = error.problems.map((problem: Problem) => describeProblem(problem)).join("; ");
    obstacles.push(`${what} is not one that the API server would accept: ${problems}`);
    return undefined;
  }
}

function idOf({ policy: { namespace, name } }: ReadPolicy): string {
  return `${namespace}/${name}`;
}

function sorted(policies: ReadonlyMap<string, ReadPolicy>): ReadPolicy[] {
  return [...policies.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, policy]) => policy);
}

import {
  describeProblem,
  type NetworkPolicy,
  ProblemsError,
  parseNetworkPolicies,
  policyId,
} from "../../analysis/index.ts";
import { membersOf } from "../../analysis/plainObject.ts";
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
  readonly id: string;
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
  const obstacles = plan.resources.flatMap(obstaclesOf);
  const own = plan.resources
    .filter(({ type }) => type === NETWORK_POLICY)
    .map((resource) => {
      const name = resourceName(resource.urn);
      const deployed = read(oldObject(resource), `the deployed policy ${name}`, obstacles);
      const planned = read(resource.after?.inputs, `the planned policy ${name}`, obstacles);
      const { id } = planned ?? deployed ?? { id: name };
      return { deployed, planned, change: { id, kind: changeKind(resource), hasGap: hasGap(resource) } };
    });
  const deployed = byId(own.map((each) => each.deployed));
  const planned = byId(own.map((each) => each.planned));
  const found = live && byId(live.map((object, index) => read(object, `live policy ${index}`, obstacles)));
  const foreign = [...(found?.values() ?? [])].filter(({ id }) => !planned.has(id) && !deployed.has(id));
  const before = sorted([...(found ?? deployed).values()]);
  const after = sorted([...planned.values(), ...foreign]);
  const changes = own.map(({ change }) => change);
  return {
    before: before.map(({ policy }) => policy),
    after: after.map(({ policy }) => policy),
    objects: { before: before.map(({ object }) => object), after: after.map(({ object }) => object) },
    changes,
    pairs: own.map((each) => ({
      before: (found === undefined ? each.deployed : found.get(each.change.id))?.policy,
      after: each.planned?.policy,
    })),
    obstacles: [...obstacles, ...usurped(changes)],
  };
}

function byId(policies: readonly (ReadPolicy | undefined)[]): Map<string, ReadPolicy> {
  return new Map(policies.flatMap((policy) => (policy === undefined ? [] : [[policy.id, policy]])));
}

function sorted(policies: readonly ReadPolicy[]): ReadPolicy[] {
  return [...policies].sort((a, b) => (a.id < b.id ? -1 : 1));
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

function obstaclesOf({ type, urn }: PlannedResource): string[] {
  const [, group = "", kind = ""] = type.split(":");
  const why = group.includes("network") ? OTHER_KINDS.get(kind) : undefined;
  return why === undefined ? [] : [`${kind} ${resourceName(urn)} is in the plan, which ${why}`];
}

/** Parses one object; whatever can't be known or read becomes an obstacle. */
function read(object: Properties | undefined, what: string, obstacles: string[]): ReadPolicy | undefined {
  if (object === undefined) {
    return undefined;
  }
  const { apiVersion, kind, spec } = object;
  const { name, namespace } = membersOf(object.metadata);
  const relevant = { apiVersion, kind, metadata: { name, namespace }, spec };
  const hidden = hiddenValues(relevant, "");
  if (hidden.length > 0) {
    obstacles.push(`${what}: ${hidden.map((value) => `${value.path} is ${value.kind}`).join(", ")}`);
    return undefined;
  }
  try {
    const [policy] = parseNetworkPolicies([relevant]) as [NetworkPolicy];
    return { id: policyId(policy), policy, object: relevant };
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    const problems = error.problems.map((problem) => describeProblem(problem)).join("; ");
    obstacles.push(`${what} is not one that the API server would accept: ${problems}`);
    return undefined;
  }
}

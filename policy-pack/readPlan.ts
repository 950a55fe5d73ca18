import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import type { Declaration } from "../guardrails/declaration.ts";
import { isOpaqueKind, opaquePolicy } from "../guardrails/opaquePolicy.ts";
import { membersOf } from "../guardrails/plainObject.ts";
import type { PlannedPolicy } from "../guardrails/plannedPolicy.ts";
import type { OpaquePolicy } from "../guardrails/situation.ts";
import { plainValues } from "./plainValues.ts";

/** What both kinds of policy are given about a resource. */
export type Resource = Pick<ResourceValidationArgs | PolicyResource, "type" | "props" | "urn" | "opts" | "provider">;

/** The NetworkPolicies of a plan, and whatever else in it may have a say about the runners. */
export interface Plan {
  readonly planned: readonly PlannedPolicy[];
  readonly opaque: readonly OpaquePolicy[];
}

/** `kubernetes:networking.k8s.io/v1:NetworkPolicy`. */
const TOKEN = /^kubernetes:(?<apiVersion>[^:]+):(?<kind>\w+)$/;

/** Whether resources of a type hold whole NetworkPolicies: a policy or a list, but no patch of one. */
export function holdsPolicies(type: string): boolean {
  return isPolicyKind(type, "NetworkPolicy") || isPolicyKind(type, "NetworkPolicyList");
}

/** The NetworkPolicies that a resource holds, of a type of which {@link holdsPolicies} is true. */
export function policiesOf(resource: Resource): PlannedPolicy[] {
  return isPolicyKind(resource.type, "NetworkPolicyList") ? listedPolicies(resource) : [plannedPolicy(resource)];
}

/** Collects what matters for the runners from the resources of a plan, those inside components and charts included. */
export function readPlan(
  resources: readonly Resource[],
  declaration: Declaration,
  deployed: readonly PlannedPolicy[] = [],
): Plan {
  const planned: PlannedPolicy[] = [];
  const patches: PlannedPolicy[] = [];
  const opaque: OpaquePolicy[] = [];
  for (const resource of resources) {
    const { type } = resource;
    if (holdsPolicies(type)) {
      planned.push(...policiesOf(resource));
    } else if (isPolicyKind(type, "NetworkPolicyPatch")) {
      patches.push(plannedPolicy(resource));
    } else {
      opaque.push(...opaqueResource(resource, declaration));
    }
  }
  return { planned: patches.reduce((all, patch) => patched(all, patch, deployed), planned), opaque };
}

/** A NetworkPolicy resource. Without a namespace of its own it goes where its provider puts it. */
function plannedPolicy({ props, urn, opts, provider }: Resource): PlannedPolicy {
  const { value, unknownPaths } = plainValues(props);
  const { metadata, spec } = membersOf(value);
  // A provider that is itself not known yet has no outputs to show.
  const isHidden = unknownPaths.length === 0 && metadata === undefined && spec === undefined;
  const unknown = isHidden ? ["metadata", "spec"] : unknownPaths;
  return withNamespace({ resource: urn, object: value, unknownPaths: unknown, protect: opts.protect }, provider);
}

/** Members of a provider that say in which namespace it puts what has none. */
const PLACING = ["namespace", "kubeconfig", "context"] as const;

/**
 * Puts a policy without a namespace where its provider does. The provider does that by itself before the pack sees the
 * policy (seen with @pulumi/kubernetes 4.34, 2026-11), also from the kubeconfig, except while its settings are unknown.
 */
function withNamespace(policy: PlannedPolicy, provider: Resource["provider"]): PlannedPolicy {
  const { unknownPaths = [] } = policy;
  const object = membersOf(policy.object);
  const metadata = membersOf(object.metadata);
  if (metadata.namespace !== undefined || unknownPaths.some((path) => /^metadata(\.namespace)?$/.test(path))) {
    return policy;
  }
  const settings = plainValues(provider?.props);
  const { namespace } = membersOf(settings.value);
  if (typeof namespace === "string") {
    return { ...policy, object: { ...object, metadata: { ...metadata, namespace } } };
  }
  return PLACING.some((member) => settings.unknownPaths.includes(member))
    ? { ...policy, unknownPaths: [...unknownPaths, "metadata.namespace"] }
    : policy;
}

function listedPolicies({ props, urn, opts, provider }: Resource): PlannedPolicy[] {
  const { value, unknownPaths } = plainValues(props);
  const { items } = membersOf(value);
  if (!Array.isArray(items)) {
    return [{ resource: urn, object: {}, unknownPaths: unknownPaths.length === 0 ? ["items"] : unknownPaths }];
  }
  return items.map((object, index) => {
    const prefix = `items[${index}].`;
    const own = unknownPaths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
    return withNamespace({ resource: urn, object, unknownPaths: own, protect: opts.protect }, provider);
  });
}

/**
 * Puts a patch over the policy that it changes. Server-side apply replaces each member of `spec` as a whole: rules, types
 * and selector are atomic. Without the policy below, the members that the patch leaves alone are unknown.
 */
function patched(
  planned: readonly PlannedPolicy[],
  patch: PlannedPolicy,
  deployed: readonly PlannedPolicy[],
): PlannedPolicy[] {
  const own = membersOf(patch.object);
  const isSame = ({ object }: PlannedPolicy) => nameOf(object) === nameOf(own);
  const below = planned.find(isSame) ?? deployed.find(isSame);
  const spec = membersOf(own.spec);
  if (below === undefined) {
    const missing = ["podSelector", "policyTypes", "egress"].filter((member) => spec[member] === undefined);
    const paths = [...(patch.unknownPaths ?? []), ...missing.map((member) => `spec.${member}`)];
    return [...planned, { ...patch, unknownPaths: [...new Set(paths)] }];
  }
  const base = membersOf(below.object);
  const merged: PlannedPolicy = {
    ...below,
    resource: patch.resource,
    object: { ...base, spec: { ...membersOf(base.spec), ...spec } },
    unknownPaths: [...(below.unknownPaths ?? []), ...(patch.unknownPaths ?? [])],
  };
  return planned.includes(below) ? planned.map((policy) => (policy === below ? merged : policy)) : [...planned, merged];
}

function nameOf(object: unknown): string {
  const { name, namespace } = membersOf(membersOf(object).metadata);
  return `${namespace ?? "default"}/${name}`;
}

function opaqueResource({ type, props, urn }: Resource, declaration: Declaration): OpaquePolicy[] {
  const { apiVersion = "", kind = "" } = TOKEN.exec(type)?.groups ?? {};
  const ownKind = kind.replace(/(Patch|List)$/, "");
  if (apiVersion === "helm.sh/v3" && kind === "Release") {
    return releasePolicy(urn, plainValues(props).value, declaration);
  }
  if (!isOpaqueKind(apiVersion, ownKind)) {
    return [];
  }
  const { value } = plainValues(props);
  // A list or a patch says too little about whom it selects.
  const object = kind === ownKind ? { ...membersOf(value), apiVersion, kind } : { apiVersion, kind: ownKind };
  const found = opaquePolicy(urn, object, declaration);
  return found === undefined ? [] : [found];
}

/**
 * A Helm release creates its objects beside the plan, and lists their names only once it has: `NAMESPACE/NAME`, or `NAME`
 * where that is all there is to say. Before that it is taken to stay in its own namespace.
 */
function releasePolicy(urn: string, object: unknown, { runner }: Declaration): OpaquePolicy[] {
  const { name, namespace, resourceNames } = membersOf(object);
  const isElsewhere = typeof namespace === "string" && !runner.namespaces.includes(namespace);
  const names = Object.entries(membersOf(resourceNames)).flatMap(([kind, names]) =>
    kind.includes("NetworkPolicy") && Array.isArray(names) ? names.map(String) : [],
  );
  const matters =
    resourceNames === undefined
      ? !isElsewhere
      : names.some((id) => !id.includes("/") || runner.namespaces.some((own) => id.startsWith(`${own}/`)));
  return matters
    ? [{ resource: urn, what: `Helm release ${name ?? urn}, whose NetworkPolicies the plan does not show,` }]
    : [];
}

function isPolicyKind(type: string, wanted: string): boolean {
  const { apiVersion, kind } = TOKEN.exec(type)?.groups ?? {};
  return kind === wanted && /^(networking\.k8s\.io|extensions)\//.test(apiVersion ?? "");
}

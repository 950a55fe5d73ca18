import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import type { Declaration } from "../guardrails/declaration.ts";
import { membersOf } from "../guardrails/plainObject.ts";
import type { PlannedPolicy } from "../guardrails/plannedPolicy.ts";
import type { GuardrailInput, OpaquePolicy } from "../guardrails/situation.ts";
import { plainValues } from "./plainValues.ts";
import { kindOf, namespaceOf, opaqueResources, plannedPods, switchesOff } from "./readSurroundings.ts";

/** What both kinds of policy are given about a resource. */
export type Resource = Pick<ResourceValidationArgs | PolicyResource, "type" | "props" | "urn" | "opts" | "provider"> &
  Partial<Pick<PolicyResource, "parent">>;

/** The NetworkPolicies of a plan, and whatever else in it bears on the runners. */
export type Plan = Required<Pick<GuardrailInput, "planned" | "opaque" | "pods" | "switches">>;

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
  const others: Resource[] = [];
  for (const resource of resources) {
    const { type } = resource;
    if (holdsPolicies(type)) {
      planned.push(...policiesOf(resource));
    } else if (isPolicyKind(type, "NetworkPolicyPatch")) {
      patches.push(plannedPolicy(resource));
    } else {
      others.push(resource);
    }
  }
  return {
    planned: patched(planned, patches, deployed),
    opaque: [
      ...severalClusters(resources, declaration),
      ...others.flatMap((each) => opaqueResources(each, resources, declaration)),
    ],
    pods: others.flatMap(plannedPods),
    switches: others.flatMap((each) => switchesOff(each, declaration)),
  };
}

/** A NetworkPolicy resource. Without a namespace of its own it goes where its provider puts it. */
function plannedPolicy({ props, urn, opts, provider }: Resource): PlannedPolicy {
  const { value, unknownPaths } = plainValues(props);
  const { metadata, spec } = membersOf(value);
  // A provider that is itself not known yet has no outputs to show.
  const isHidden = unknownPaths.length === 0 && metadata === undefined && spec === undefined;
  const unknown = isHidden ? ["metadata", "spec"] : unknownPaths;
  return inItsNamespace(
    { resource: urn, object: value, unknownPaths: unknown, protect: opts.protect, ...deliveryOf(provider) },
    provider,
  );
}

/** Where a provider brings what it is given, as far as that bears on a declared policy. */
function deliveryOf(provider: Resource["provider"]): Pick<PlannedPolicy, "cluster" | "renderedTo"> {
  if (provider === undefined) {
    return {};
  }
  const { value, unknownPaths } = plainValues(provider.props);
  const { clusterIdentifier, renderYamlToDirectory } = membersOf(value);
  const renderedTo = unknownPaths.includes("renderYamlToDirectory") ? "(unknown until up)" : renderYamlToDirectory;
  return {
    cluster: typeof clusterIdentifier === "string" ? clusterIdentifier : "",
    ...(typeof renderedTo === "string" && renderedTo !== "" && { renderedTo }),
  };
}

/** Without a declared cluster, providers of several in one plan: then it is not known which one the runners are in. */
function severalClusters(resources: readonly Resource[], { cluster }: Declaration): OpaquePolicy[] {
  const providers = resources.filter(({ type }) => type === "pulumi:providers:kubernetes");
  const clusters = Map.groupBy(providers, ({ props, urn }) => {
    const { value, unknownPaths } = plainValues(props);
    const { clusterIdentifier, kubeconfig, context, cluster: name } = membersOf(value);
    const isHidden = ["clusterIdentifier", "kubeconfig", "context", "cluster"].some((key) =>
      unknownPaths.includes(key),
    );
    return isHidden ? urn : JSON.stringify(clusterIdentifier ?? [kubeconfig, context, name]);
  });
  const [first] = providers;
  return cluster.identifier !== undefined || clusters.size < 2 || first === undefined
    ? []
    : [
        {
          resource: first.urn,
          what: `the plan reaches ${clusters.size} Kubernetes clusters or kubeconfigs, and which one the runners are in is not declared`,
          fix: "declare cluster.identifier, the clusterIdentifier of its provider; or give every resource the same provider.",
        },
      ];
}

/** Puts a policy without a namespace where its provider does. */
function inItsNamespace(policy: PlannedPolicy, provider: Resource["provider"]): PlannedPolicy {
  const { unknownPaths = [] } = policy;
  const object = membersOf(policy.object);
  const metadata = membersOf(object.metadata);
  if (unknownPaths.some((path) => /^metadata(\.namespace)?$/.test(path))) {
    return policy;
  }
  const namespace = namespaceOf(metadata, provider);
  return namespace === undefined
    ? { ...policy, unknownPaths: [...unknownPaths, "metadata.namespace"] }
    : { ...policy, object: { ...object, metadata: { ...metadata, namespace } } };
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
    return inItsNamespace(
      { resource: urn, object, unknownPaths: own, protect: opts.protect, ...deliveryOf(provider) },
      provider,
    );
  });
}

/**
 * Puts patches over the policies that they change. Server-side apply replaces each member of `spec` as a whole: rules, types
 * and selector are atomic. Without the policy below, the members that the patches leave alone are unknown. Where two set
 * the same member to different values, the one that the engine happens to apply last wins.
 */
function patched(
  planned: readonly PlannedPolicy[],
  patches: readonly PlannedPolicy[],
  deployed: readonly PlannedPolicy[],
): PlannedPolicy[] {
  const byName = Map.groupBy(patches, ({ object }) => nameOf(object));
  const untouched = planned.filter(({ object }) => !byName.has(nameOf(object)));
  return [
    ...untouched,
    ...[...byName].map(([name, own]) => {
      const isSame = ({ object }: PlannedPolicy) => nameOf(object) === name;
      return onePatched(planned.find(isSame) ?? deployed.find(isSame), own);
    }),
  ];
}

/** Members of `spec` that decide about egress. */
const MEMBERS = ["podSelector", "policyTypes", "egress"] as const;

function onePatched(below: PlannedPolicy | undefined, patches: readonly PlannedPolicy[]): PlannedPolicy {
  const specs = patches.map(({ object }) => membersOf(membersOf(object).spec));
  const valuesOf = (member: string) =>
    new Set(specs.flatMap((spec) => (member in spec ? [JSON.stringify(spec[member])] : [])));
  const last = patches.at(-1) as PlannedPolicy;
  const base = membersOf((below ?? last).object);
  const missing = below === undefined ? MEMBERS.filter((member) => valuesOf(member).size === 0) : [];
  const unknown = [below, ...patches].flatMap((each) => each?.unknownPaths ?? []);
  return {
    ...(below ?? last),
    resource: last.resource,
    object: { ...base, spec: Object.assign({}, membersOf(base.spec), ...specs) },
    unknownPaths: [...new Set([...unknown, ...missing.map((member) => `spec.${member}`)])],
    contestedPaths: MEMBERS.filter((member) => valuesOf(member).size > 1).map((member) => `spec.${member}`),
  };
}

function nameOf(object: unknown): string {
  const { name, namespace } = membersOf(membersOf(object).metadata);
  return `${namespace ?? "default"}/${name}`;
}

function isPolicyKind(type: string, wanted: string): boolean {
  const { apiVersion, kind } = kindOf(type);
  return kind === wanted && /^(networking\.k8s\.io|extensions)\//.test(apiVersion);
}

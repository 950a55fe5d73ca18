import { membersOf } from "../analysis/plainObject.ts";
import type { Declaration, GuardrailInput, OpaquePolicy, PlannedPolicy } from "../guardrails/index.ts";
import {
  hasUnknownNamespace,
  namespaceOf,
  type PlainValues,
  type PlanResource,
  planResource,
  type Resource,
} from "./planResource.ts";
import { opaqueResources, plannedPods, switchesOff } from "./readSurroundings.ts";

/** The NetworkPolicies of a plan, and whatever else in it bears on the runners. */
export type Plan = Required<Pick<GuardrailInput, "planned" | "opaque" | "pods" | "switches">>;

const TYPE = /^kubernetes:(networking\.k8s\.io|extensions)\/\w+:NetworkPolicy(?<variant>List|Patch)?$/;

/** Whether resources of a type hold whole NetworkPolicies: a policy or a list, but no patch of one. */
export function holdsPolicies(type: string): boolean {
  const found = TYPE.exec(type);
  return found !== null && found.groups?.variant !== "Patch";
}

/** The NetworkPolicies that a resource holds, of a type of which {@link holdsPolicies} is true. */
export function policiesOf(resource: Resource): PlannedPolicy[] {
  return policiesIn(planResource(resource));
}

/** Collects what matters for the runners from the resources of a plan, those inside components and charts included. */
export function readPlan(
  resources: readonly Resource[],
  declaration: Declaration,
  deployed: readonly PlannedPolicy[] = [],
): Plan {
  const all = resources.map(planResource);
  const {
    holding = [],
    patches = [],
    others = [],
  } = Object.groupBy(all, ({ type }) => (holdsPolicies(type) ? "holding" : TYPE.test(type) ? "patches" : "others"));
  return {
    planned: patched(holding.flatMap(policiesIn), patches.flatMap(policiesIn), deployed),
    opaque: [
      ...severalClusters(all, declaration),
      ...others.flatMap((each) => opaqueResources(each, all, declaration)),
    ],
    pods: others.flatMap(plannedPods),
    switches: others.flatMap((each) => switchesOff(each, declaration)),
  };
}

function policiesIn(resource: PlanResource): PlannedPolicy[] {
  const { kind, object, unknownPaths, urn } = resource;
  if (kind !== "NetworkPolicyList") {
    // A provider that is itself not known yet has no outputs to show.
    const isHidden = unknownPaths.length === 0 && object.metadata === undefined && object.spec === undefined;
    return [plannedPolicy({ object, unknownPaths: isHidden ? ["metadata", "spec"] : unknownPaths }, resource)];
  }
  const { items } = object;
  if (!Array.isArray(items)) {
    return [{ resource: urn, object: {}, unknownPaths: unknownPaths.length === 0 ? ["items"] : unknownPaths }];
  }
  return items.map((item, index) => {
    const prefix = `items[${index}].`;
    const own = unknownPaths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
    return plannedPolicy({ object: membersOf(item), unknownPaths: own }, resource);
  });
}

/** A policy as its provider brings it to a cluster: without a namespace of its own it goes where that puts it. */
function plannedPolicy({ object, unknownPaths }: PlainValues, resource: PlanResource): PlannedPolicy {
  const { urn, protect, provider } = resource;
  const namespace = namespaceOf({ object, unknownPaths }, resource);
  const isNamespaceLost = namespace === undefined && !hasUnknownNamespace(unknownPaths);
  return {
    resource: urn,
    object: namespace === undefined ? object : { ...object, metadata: { ...membersOf(object.metadata), namespace } },
    unknownPaths: isNamespaceLost ? [...unknownPaths, "metadata.namespace"] : unknownPaths,
    protect,
    ...(provider && deliveryOf(provider)),
  };
}

/** Where a provider brings what it is given, as far as that bears on a declared policy. */
function deliveryOf({ object, unknownPaths }: PlainValues): Pick<PlannedPolicy, "cluster" | "renderedTo"> {
  const { clusterIdentifier, renderYamlToDirectory } = object;
  const renderedTo = unknownPaths.includes("renderYamlToDirectory") ? "(unknown until up)" : renderYamlToDirectory;
  return {
    cluster: typeof clusterIdentifier === "string" ? clusterIdentifier : "",
    ...(typeof renderedTo === "string" && renderedTo !== "" && { renderedTo }),
  };
}

/** Without a declared cluster, providers of several in one plan: then it is not known which one the runners are in. */
function severalClusters(resources: readonly PlanResource[], { cluster }: Declaration): OpaquePolicy[] {
  const providers = resources.filter(({ type }) => type === "pulumi:providers:kubernetes");
  const clusters = new Set(
    providers.map(({ object: { clusterIdentifier, kubeconfig, context, cluster }, unknownPaths, urn }) =>
      unknownPaths.some((path) => ["clusterIdentifier", "kubeconfig", "context", "cluster"].includes(path))
        ? urn
        : JSON.stringify(clusterIdentifier ?? [kubeconfig, context, cluster]),
    ),
  );
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
  const byName = Map.groupBy(patches, nameOf);
  return [
    ...planned.filter((policy) => !byName.has(nameOf(policy))),
    ...[...byName].map(([name, own]) =>
      onePatched(
        [...planned, ...deployed].find((policy) => nameOf(policy) === name),
        own,
      ),
    ),
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

function nameOf({ object }: PlannedPolicy): string {
  const { name, namespace = "default" } = membersOf(membersOf(object).metadata);
  return `${namespace}/${name}`;
}

import type { Declaration } from "../guardrails/declaration.ts";
import { isOpaqueKind, opaquePolicy } from "../guardrails/opaquePolicy.ts";
import { type Members, membersOf } from "../guardrails/plainObject.ts";
import type { OpaquePolicy, PlannedPods, PlannedSwitch } from "../guardrails/situation.ts";
import { enablesNetworkPolicy } from "../program/lookups/judgeAddOn.ts";
import { plainValues } from "./plainValues.ts";
import type { Resource } from "./readPlan.ts";

/** What else than a NetworkPolicy in a plan bears on the runners. */

/** API version and kind of a resource type such as `kubernetes:networking.k8s.io/v1:NetworkPolicy`; empty for others. */
export function kindOf(type: string): { readonly apiVersion: string; readonly kind: string } {
  const { apiVersion = "", kind = "" } = /^kubernetes:(?<apiVersion>[^:]+):(?<kind>\w+)$/.exec(type)?.groups ?? {};
  return { apiVersion, kind };
}

/** Members of a provider that say in which namespace it puts what has none. */
const PLACING = ["namespace", "kubeconfig", "context"] as const;

/**
 * The namespace in which an object with this metadata lands; `undefined` while that is unknown. The provider fills it in by
 * itself before the pack sees the object (seen with @pulumi/kubernetes 4.34, 2026-11), also from the kubeconfig, except while
 * its settings are unknown.
 */
export function namespaceOf(metadata: Members, provider: Resource["provider"]): string | undefined {
  if (typeof metadata.namespace === "string") {
    return metadata.namespace;
  }
  const settings = plainValues(provider?.props);
  const { namespace } = membersOf(settings.value);
  if (typeof namespace === "string") {
    return namespace;
  }
  return PLACING.some((member) => settings.unknownPaths.includes(member)) ? undefined : "default";
}

/** Components that make objects out of text, which they can do only when they know it. */
const RENDERER = /^kubernetes:(yaml(\/v2)?:Config(File|Group)|helm\.sh\/v\d:Chart|kustomize(\/v2)?:Directory)$/;

/** What may have a say about the runners that cannot be analysed: policies of other kinds, objects that are not shown. */
export function opaqueResources(
  resource: Resource,
  all: readonly Resource[],
  declaration: Declaration,
): OpaquePolicy[] {
  const { type, props, urn } = resource;
  const { apiVersion, kind } = kindOf(type);
  const ownKind = kind.replace(/(Patch|List)$/, "");
  if (apiVersion === "helm.sh/v3" && kind === "Release") {
    return releasePolicy(urn, plainValues(props).value, declaration);
  }
  if (RENDERER.test(type)) {
    return hasUnknownObjects(resource, all) ? [hidden(urn, `${kind} ${urn.split("::").at(-1)}`)] : [];
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

/** While an input is unknown, such a component has no children, or not all of them. */
function hasUnknownObjects({ urn, props }: Resource, all: readonly Resource[]): boolean {
  const isInput = (path: string) => !/^(resources|ready)\b/.test(path);
  return (
    !all.some(({ parent, opts }) => (parent?.urn ?? opts.parent) === urn) ||
    plainValues(props).unknownPaths.some(isInput)
  );
}

function hidden(resource: string, what: string): OpaquePolicy {
  return {
    resource,
    what: `${what} may create NetworkPolicies for runner pods, and the plan does not show its objects`,
    fix: "make its inputs known at preview, keep it to other namespaces, or judge it by hand and set this guardrail to advisory.",
  };
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
  return matters ? [hidden(urn, `Helm release ${name ?? urn}`)] : [];
}

/** Where each kind keeps the pods that it starts. */
const POD_TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  "core/v1:Pod": [],
  "core/v1:ReplicationController": ["spec", "template"],
  "batch/v1:Job": ["spec", "template"],
  "batch/v1:CronJob": ["spec", "jobTemplate", "spec", "template"],
  "apps/v1:DaemonSet": ["spec", "template"],
  "apps/v1:Deployment": ["spec", "template"],
  "apps/v1:ReplicaSet": ["spec", "template"],
  "apps/v1:StatefulSet": ["spec", "template"],
};

/** The pods that a resource starts. */
export function plannedPods({ type, props, urn, provider }: Resource): PlannedPods[] {
  const { apiVersion, kind } = kindOf(type);
  const path = POD_TEMPLATES[`${apiVersion}:${kind}`];
  if (path === undefined) {
    return [];
  }
  const { value, unknownPaths } = plainValues(props);
  const metadata = membersOf(membersOf(value).metadata);
  const template = path.reduce<Members>((members, name) => membersOf(members[name]), membersOf(value));
  const namespace = unknownPaths.some((each) => /^metadata(\.namespace)?$/.test(each))
    ? undefined
    : namespaceOf(metadata, provider);
  const labels = Object.entries(membersOf(membersOf(template.metadata).labels));
  return [
    {
      resource: urn,
      what: `${kind} ${metadata.name ?? urn.split("::").at(-1)}`,
      namespace,
      labels: Object.fromEntries(labels.map(([key, label]) => [key, String(label)])),
      hostNetwork: membersOf(template.spec).hostNetwork === true,
    },
  ];
}

/** Whether a resource switches the enforcement of network policies off: the vpc-cni add-on, or its ConfigMap. */
export function switchesOff({ type, props, urn }: Resource, { cluster }: Declaration): PlannedSwitch[] {
  const { value, unknownPaths } = plainValues(props);
  const members = membersOf(value);
  if (type === "aws:eks/addon:Addon" && members.addonName === "vpc-cni") {
    const isElsewhere =
      cluster.identifier?.startsWith("eks/") === true &&
      typeof members.clusterName === "string" &&
      !cluster.identifier.endsWith(`/${members.clusterName}`);
    const { configurationValues } = members;
    const text = typeof configurationValues === "string" ? configurationValues : undefined;
    const isUnknown = unknownPaths.includes("configurationValues");
    return isElsewhere || (!isUnknown && enablesNetworkPolicy(text))
      ? []
      : [
          {
            resource: urn,
            what: `the add-on vpc-cni has ${isUnknown ? "configuration values that are unknown until up" : `the configuration values ${JSON.stringify(text ?? "")}`}`,
            fix: 'set {"enableNetworkPolicy": "true"} in its configuration values, known at preview.',
          },
        ];
  }
  const { kind } = kindOf(type);
  const { name, namespace } = membersOf(members.metadata);
  if (!/^ConfigMap(Patch)?$/.test(kind) || namespace !== "kube-system" || name !== "amazon-vpc-cni") {
    return [];
  }
  const enabled = membersOf(members.data)[CONTROLLER_SWITCH];
  return enabled === "true" || (enabled === undefined && kind === "ConfigMapPatch")
    ? []
    : [
        {
          resource: urn,
          what: `the ConfigMap kube-system/amazon-vpc-cni has ${CONTROLLER_SWITCH}: ${enabled === undefined ? "no value" : JSON.stringify(enabled)}`,
          fix: `set ${CONTROLLER_SWITCH} to "true" in its data.`,
        },
      ];
}

/** What the EKS control plane reads to know whether it has to resolve policies (EKS user guide, 2026-07). */
const CONTROLLER_SWITCH = "enable-network-policy-controller";

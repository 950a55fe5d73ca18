import { type Members, membersOf } from "../analysis/plainObject.ts";
import {
  type Declaration,
  type OpaquePolicy,
  opaquePolicies,
  type PlannedPods,
  type PlannedSwitch,
} from "../guardrails/index.ts";
import { enablesNetworkPolicy } from "../program/lookups/judgeAddOn.ts";
import { namespaceOf, type PlanResource } from "./planResource.ts";

/** What else than a NetworkPolicy in a plan bears on the runners. */

/** Components that make objects out of text, which they can do only when they know it. */
const RENDERER = /^kubernetes:(yaml(\/v2)?:Config(File|Group)|helm\.sh\/v\d:Chart|kustomize(\/v2)?:Directory)$/;

/** What may have a say about the runners that cannot be analysed: policies of other kinds, objects that are not shown. */
export function opaqueResources(
  resource: PlanResource,
  all: readonly PlanResource[],
  declaration: Declaration,
): OpaquePolicy[] {
  const { type, object, urn, apiVersion, kind, name } = resource;
  const ownKind = kind.replace(/(Patch|List)$/, "");
  if (type === "kubernetes:helm.sh/v3:Release") {
    return releaseMatters(object, declaration) ? [hidden(urn, `Helm release ${object.name ?? urn}`)] : [];
  }
  if (RENDERER.test(type)) {
    return hasUnknownObjects(resource, all) ? [hidden(urn, `${kind} ${name}`)] : [];
  }
  // A list or a patch says too little about whom it selects.
  return opaquePolicies(urn, { ...(kind === ownKind && object), apiVersion, kind: ownKind }, declaration);
}

/** While an input is unknown, such a component has no children, or not all of them. */
function hasUnknownObjects({ urn, unknownPaths }: PlanResource, all: readonly PlanResource[]): boolean {
  const isInput = (path: string) => !/^(resources|ready)\b/.test(path);
  return !all.some(({ parent }) => parent === urn) || unknownPaths.some(isInput);
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
function releaseMatters({ namespace, resourceNames }: Members, { runner: { namespaces } }: Declaration): boolean {
  if (resourceNames === undefined) {
    return typeof namespace !== "string" || namespaces.includes(namespace);
  }
  return Object.entries(membersOf(resourceNames))
    .flatMap(([kind, names]) => (kind.includes("NetworkPolicy") && Array.isArray(names) ? names.map(String) : []))
    .some((id) => !id.includes("/") || namespaces.some((own) => id.startsWith(`${own}/`)));
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
export function plannedPods(resource: PlanResource): PlannedPods[] {
  const { object, apiVersion, kind, urn, name } = resource;
  const path = POD_TEMPLATES[`${apiVersion}:${kind}`];
  if (path === undefined) {
    return [];
  }
  const template = path.reduce<Members>((members, name) => membersOf(members[name]), object);
  const labels = Object.entries(membersOf(membersOf(template.metadata).labels));
  return [
    {
      resource: urn,
      what: `${kind} ${membersOf(object.metadata).name ?? name}`,
      namespace: namespaceOf(resource, resource),
      labels: Object.fromEntries(labels.map(([key, label]) => [key, String(label)])),
      hostNetwork: membersOf(template.spec).hostNetwork === true,
    },
  ];
}

/** Whether a resource switches the enforcement of network policies off: the vpc-cni add-on, or its ConfigMap. */
export function switchesOff(resource: PlanResource, declaration: Declaration): PlannedSwitch[] {
  const found = resource.type === "aws:eks/addon:Addon" ? ofAddOn(resource, declaration) : ofConfigMap(resource);
  return found === undefined ? [] : [{ resource: resource.urn, ...found }];
}

type Switch = Omit<PlannedSwitch, "resource"> | undefined;

function ofAddOn({ object, unknownPaths }: PlanResource, { cluster: { identifier } }: Declaration): Switch {
  const { addonName, clusterName, configurationValues } = object;
  const isElsewhere =
    identifier?.startsWith("eks/") === true &&
    typeof clusterName === "string" &&
    !identifier.endsWith(`/${clusterName}`);
  const text = typeof configurationValues === "string" ? configurationValues : undefined;
  const isUnknown = unknownPaths.includes("configurationValues");
  return addonName !== "vpc-cni" || isElsewhere || (!isUnknown && enablesNetworkPolicy(text))
    ? undefined
    : {
        what: `the add-on vpc-cni has ${isUnknown ? "configuration values that are unknown until up" : `the configuration values ${JSON.stringify(text ?? "")}`}`,
        fix: 'set {"enableNetworkPolicy": "true"} in its configuration values, known at preview.',
      };
}

/** What the EKS control plane reads to know whether it has to resolve policies (EKS user guide, 2026-07). */
const CONTROLLER_SWITCH = "enable-network-policy-controller";

function ofConfigMap({ kind, object: { metadata, data } }: PlanResource): Switch {
  const { name, namespace } = membersOf(metadata);
  const enabled = membersOf(data)[CONTROLLER_SWITCH];
  return !/^ConfigMap(Patch)?$/.test(kind) ||
    namespace !== "kube-system" ||
    name !== "amazon-vpc-cni" ||
    enabled === "true" ||
    (enabled === undefined && kind === "ConfigMapPatch")
    ? undefined
    : {
        what: `the ConfigMap kube-system/amazon-vpc-cni has ${CONTROLLER_SWITCH}: ${enabled === undefined ? "no value" : JSON.stringify(enabled)}`,
        fix: `set ${CONTROLLER_SWITCH} to "true" in its data.`,
      };
}

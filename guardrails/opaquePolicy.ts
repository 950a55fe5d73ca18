import {
  type LabelSelector,
  labelSelector,
  labelsSelector,
  namespaceNamed,
  parseLabelSelector,
} from "../analysis/index.ts";
import { NAMESPACE_NAME_LABEL } from "../analysis/inventory.ts";
import { isObject, type Members, membersOf } from "../analysis/plainObject.ts";
import type { Declaration } from "./declaration.ts";
import { mightSelect, type RunnerPods, runnerPods } from "./selection.ts";
import type { OpaquePolicy } from "./situation.ts";

/** Whether an object of some kind may select runner pods of one namespace: `false` only where its own members prove it. */
type MaySelect = (object: Members, runner: RunnerPods) => boolean;

/** Policies of AWS that read like a NetworkPolicy. */
const byPodSelector: MaySelect = ({ metadata, spec }, runner) =>
  isHere(metadata, runner) && maySelect(membersOf(spec).podSelector, runner.pods);

/** `subject` of the cluster-wide kinds: namespaces by label, or pods by label of both. Other labels are not known. */
const bySubject: MaySelect = ({ spec }, { namespace, pods }) => {
  const { namespaces, pods: subject } = membersOf(membersOf(spec).subject);
  const { namespaceSelector, podSelector } = membersOf(subject);
  const own = namespaceNamed(namespace);
  return maySelect(namespaces ?? namespaceSelector, own) && maySelect(podSelector, pods);
};

/**
 * What the AWS controller makes of policies and the agent applies, whoever wrote it: the pods are listed one by one, wherever
 * the object itself is; its `podSelector` is not read (aws-network-policy-agent c8619c0, 2026-08).
 */
const byListedPods: MaySelect = ({ spec }, { namespace }) => {
  const { podSelectorEndpoints } = membersOf(spec);
  return (
    !Array.isArray(podSelectorEndpoints) ||
    podSelectorEndpoints.some((pod) => (membersOf(pod).namespace ?? namespace) === namespace)
  );
};

/** Cilium's `endpointSelector`, whose keys name where a label comes from; a policy may have several specs. */
const byEndpointSelector: MaySelect = ({ metadata, spec, specs }, runner) =>
  isHere(metadata, runner) &&
  [spec, ...(Array.isArray(specs) ? specs : [])].some((each, _, all) => {
    const { endpointSelector, nodeSelector } = membersOf(each);
    if (each === undefined) {
      return all.length === 1;
    }
    const pods = labelSelector([
      ...runner.pods.requirements,
      ...CILIUM_NAMESPACE.map((key) => ({ key, operator: "In" as const, values: [runner.namespace] })),
    ]);
    return endpointSelector === undefined
      ? nodeSelector === undefined
      : maySelect(withoutSource(endpointSelector), pods);
  });

/** The labels by which a Cilium selector names a pod's namespace. */
const CILIUM_NAMESPACE = ["io.kubernetes.pod.namespace", `io.cilium.k8s.namespace.labels.${NAMESPACE_NAME_LABEL}`];

/** A Cilium selector with the keys that Kubernetes knows: `k8s:app` and `any:app` are the pod's label `app`. */
function withoutSource(selector: unknown): unknown {
  const plain = (key: string) => key.replace(/^(k8s|any):/, "");
  const { matchLabels, matchExpressions, ...more } = membersOf(selector);
  return {
    ...more,
    ...(matchLabels !== undefined && {
      matchLabels: Object.fromEntries(
        Object.entries(membersOf(matchLabels)).map(([key, value]) => [plain(key), value]),
      ),
    }),
    ...(Array.isArray(matchExpressions) && {
      matchExpressions: matchExpressions.map((each) =>
        isObject(each) && typeof each.key === "string" ? { ...each, key: plain(each.key) } : each,
      ),
    }),
  };
}

/** Calico's `selector`, an expression that is read here only if it is `KEY == "VALUE"`. */
const byExpression: MaySelect = ({ metadata, spec }, runner) => {
  const [, key, , value] = /^\s*([\w./-]+)\s*==\s*(['"])([\w.-]*)\2\s*$/.exec(String(membersOf(spec).selector)) ?? [];
  const selector = key === undefined || value === undefined ? {} : { [key]: value };
  return isHere(metadata, runner) && mightSelect(labelsSelector(selector), runner.pods);
};

/** Kinds beside the NetworkPolicy that take part in verdicts about pods, by API group, and how each chooses its pods. */
const KINDS: Readonly<Record<string, Readonly<Record<string, MaySelect>>>> = {
  "networking.k8s.aws": {
    ApplicationNetworkPolicy: byPodSelector,
    ClusterNetworkPolicy: bySubject,
    ClusterPolicyEndpoint: byListedPods,
    PolicyEndpoint: byListedPods,
  },
  "policy.networking.k8s.io": {
    AdminNetworkPolicy: bySubject,
    BaselineAdminNetworkPolicy: bySubject,
    ClusterNetworkPolicy: bySubject,
  },
  "cilium.io": { CiliumNetworkPolicy: byEndpointSelector, CiliumClusterwideNetworkPolicy: byEndpointSelector },
  "projectcalico.org": { NetworkPolicy: byExpression, GlobalNetworkPolicy: byExpression },
  "crd.projectcalico.org": { NetworkPolicy: byExpression, GlobalNetworkPolicy: byExpression },
};

/** Whether a kind takes part in the verdicts about pods in a way that this analysis does not read. */
export function isOpaqueKind(apiVersion: string, kind: string): boolean {
  return selectionBy(apiVersion, kind) !== undefined;
}

/** The object, if it is of one of the kinds of {@link isOpaqueKind} and may select runner pods. Unknown values are left out. */
export function opaquePolicies(resource: string, object: Members, declaration: Declaration): OpaquePolicy[] {
  const { apiVersion, kind, metadata } = object;
  const { name = "(name unknown)", namespace } = membersOf(metadata);
  const selects = selectionBy(String(apiVersion), String(kind));
  const where = namespace === undefined ? "" : `${namespace}/`;
  const what = `${kind} ${where}${name} may select runner pods, and takes part in their verdicts in ways that are not analysed`;
  return selects !== undefined && runnerPods(declaration).some((runner) => selects(object, runner))
    ? [{ resource, what }]
    : [];
}

function selectionBy(apiVersion: string, kind: string): MaySelect | undefined {
  const group = apiVersion.split("/")[0] ?? "";
  const kinds = Object.hasOwn(KINDS, group) ? KINDS[group] : undefined;
  return kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
}

/** Whether an object is in a namespace, or in none that is known: cluster-wide, or still unknown. */
function isHere(metadata: unknown, runner: RunnerPods): boolean {
  return (membersOf(metadata).namespace ?? runner.namespace) === runner.namespace;
}

/** Whether a selector, as it is written, may select something with these labels; one that is not there selects all. */
function maySelect(selector: unknown, pods: LabelSelector): boolean {
  const read = parseLabelSelector(selector);
  return read === undefined || mightSelect(read, pods);
}

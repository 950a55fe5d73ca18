import { type LabelSelector, ProblemsError, parseNetworkPolicies } from "../analysis/index.ts";
import { NAMESPACE_NAME_LABEL } from "../analysis/inventory.ts";
import type { Declaration } from "./declaration.ts";
import { membersOf } from "./plainObject.ts";
import { mightSelect } from "./selection.ts";
import type { OpaquePolicy } from "./situation.ts";

/** API groups of policies other than `networking.k8s.io`, and whether their objects belong to a namespace. */
const KINDS: Readonly<Record<string, Readonly<Record<string, "namespaced" | "cluster">>>> = {
  "networking.k8s.aws": {
    ApplicationNetworkPolicy: "namespaced",
    ClusterNetworkPolicy: "cluster",
    // What the controller makes of policies; the agent applies it whoever wrote it.
    ClusterPolicyEndpoint: "cluster",
    PolicyEndpoint: "namespaced",
  },
  "policy.networking.k8s.io": {
    AdminNetworkPolicy: "cluster",
    BaselineAdminNetworkPolicy: "cluster",
    ClusterNetworkPolicy: "cluster",
  },
  "cilium.io": { CiliumNetworkPolicy: "namespaced", CiliumClusterwideNetworkPolicy: "cluster" },
  "projectcalico.org": { NetworkPolicy: "namespaced", GlobalNetworkPolicy: "cluster" },
  "crd.projectcalico.org": { NetworkPolicy: "namespaced", GlobalNetworkPolicy: "cluster" },
};

/** Whether a kind takes part in the verdicts about pods in a way that this analysis does not read. */
export function isOpaqueKind(apiVersion: string, kind: string): boolean {
  return scopeOf(apiVersion, kind) !== undefined;
}

/**
 * The object, if it may select runner pods: only a readable selector or another namespace proves that it does not.
 *
 * @param object of one of the kinds of {@link isOpaqueKind}; unknown values left out
 */
export function opaquePolicy(
  resource: string,
  object: unknown,
  { runner }: Pick<Declaration, "runner">,
): OpaquePolicy | undefined {
  const { apiVersion, kind, metadata, spec } = membersOf(object);
  const { name, namespace } = membersOf(metadata);
  const selects =
    scopeOf(String(apiVersion), String(kind)) === "namespaced"
      ? runner.namespaces.some(
          (own) => (namespace ?? own) === own && maySelect(membersOf(spec).podSelector, runner.labels),
        )
      : runner.namespaces.some((own) => subjectMaySelect(membersOf(spec).subject, own, runner.labels));
  const where = namespace === undefined ? "" : `${namespace}/`;
  return selects ? { resource, what: `${kind} ${where}${name ?? "(name unknown)"}` } : undefined;
}

function scopeOf(apiVersion: string, kind: string) {
  const group = apiVersion.split("/")[0] ?? "";
  return Object.hasOwn(KINDS, group) ? KINDS[group]?.[kind] : undefined;
}

/** `subject` of the cluster-wide kinds: namespaces by label, or pods by label of both. Other labels are not known. */
function subjectMaySelect(subject: unknown, namespace: string, labels: Readonly<Record<string, string>>): boolean {
  const { namespaces, pods } = membersOf(subject);
  const { namespaceSelector, podSelector } = membersOf(pods);
  return (
    maySelect(namespaces ?? namespaceSelector, { [NAMESPACE_NAME_LABEL]: namespace }) && maySelect(podSelector, labels)
  );
}

/** Whether a selector, as it is written, may select something with these labels; one that is not there selects all. */
function maySelect(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const read = selector === undefined ? undefined : readSelector(selector);
  return read === undefined || mightSelect(read, labels);
}

function readSelector(selector: unknown): LabelSelector | undefined {
  try {
    return parseNetworkPolicies([{ spec: { podSelector: selector } }])[0]?.podSelector;
  } catch (error) {
    if (error instanceof ProblemsError) {
      return undefined;
    }
    throw error;
  }
}

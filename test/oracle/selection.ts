import type { LabelSelector, NetworkPolicy, Source } from "./policy.ts";

/** The policies that select the source: same namespace, and the pod selector matches its labels. */
export function selecting(policies: readonly NetworkPolicy[], source: Source | undefined): readonly NetworkPolicy[] {
  return policies.filter((policy) => selects(policy, source));
}

function selects(policy: NetworkPolicy, source: Source | undefined): boolean {
  if (source === undefined) {
    return true;
  }
  // A namespaced object sent without a namespace is created in "default".
  const namespace = policy.metadata?.namespace || "default";
  return namespace === source.namespace && matches(policy.spec?.podSelector ?? {}, source.labels);
}

/** "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all objects." */
export function matches(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels[key] !== value) {
      return false;
    }
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    const listed = value !== undefined && values.includes(value);
    switch (operator) {
      case "In":
        if (!listed) {
          return false;
        }
        break;
      case "NotIn":
        // An object without the key is selected too.
        if (listed) {
          return false;
        }
        break;
      case "Exists":
        if (value === undefined) {
          return false;
        }
        break;
      case "DoesNotExist":
        if (value !== undefined) {
          return false;
        }
        break;
      default:
        throw new RangeError(`label selector operator "${operator}"`);
    }
  }
  return true;
}

/**
 * "If this field is not specified, it will default based on the existence of ingress or egress rules; policies that
 * contain an egress section are assumed to affect egress": the API server's default adds Egress only for a list that is
 * not empty, so that `egress: []` without `policyTypes` isolates nothing.
 */
export function isolatesEgress(policy: NetworkPolicy): boolean {
  const types = policy.spec?.policyTypes ?? [];
  return types.length === 0 ? (policy.spec?.egress ?? []).length > 0 : types.includes("Egress");
}

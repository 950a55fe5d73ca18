import { EVERYTHING, type LabelSelector, type Labels, selects } from "../../../analysis/labelSelector.ts";
import { parseNetworkPolicies } from "../../../analysis/parseNetworkPolicy.ts";
import type { PolicyObject } from "../objects.ts";
import type { Optional } from "../snapshot.ts";
import type { Finding } from "./finding.ts";

interface Input {
  readonly namespaceLabels: Labels;
  readonly labelSets: readonly Labels[];
  readonly clusterNetworkPolicies: Optional<PolicyObject>;
  readonly applicationNetworkPolicies: Optional<PolicyObject>;
}

/**
 * ClusterNetworkPolicies and ApplicationNetworkPolicies (`networking.k8s.aws/v1alpha1`) take part in the verdict for a
 * pod, in an order that this analysis does not have. One that may choose runner pods is a doubt that no probe removes.
 */
export function judgeNewerKinds(input: Input): Finding[] {
  const cluster = (input.clusterNetworkPolicies ?? [])
    .filter((policy) => subjectMayMatch(policy, input))
    .map(({ metadata }) => `ClusterNetworkPolicy ${metadata.name}`);
  const application = (input.applicationNetworkPolicies ?? [])
    .filter(({ spec }) => input.labelSets.some((labels) => mayMatch(spec.podSelector, labels)))
    .map(({ metadata }) => `ApplicationNetworkPolicy ${metadata.namespace}/${metadata.name}`);
  const found = [...cluster, ...application].sort();
  return found.length === 0
    ? [
        {
          check: "newer policy kinds",
          level: "ok",
          text: "no ClusterNetworkPolicy or ApplicationNetworkPolicy selects them",
        },
      ]
    : found.map((name) => ({
        check: "newer policy kinds",
        level: "doubt",
        text: `${name} may select runner pods, and what it does to their reach is not analysed`,
        remedy: "leave runner pods out of it; the probes below still show what they reach on the tried destinations",
      }));
}

/** `spec.subject` chooses namespaces, or pods of namespaces. What has neither form is taken to match. */
function subjectMayMatch({ spec }: PolicyObject, { namespaceLabels, labelSets }: Input): boolean {
  const subject = (spec.subject ?? {}) as {
    namespaces?: unknown;
    pods?: { namespaceSelector?: unknown; podSelector?: unknown };
  };
  if (subject.namespaces !== undefined) {
    return mayMatch(subject.namespaces, namespaceLabels);
  }
  if (subject.pods !== undefined) {
    const { namespaceSelector, podSelector } = subject.pods;
    return mayMatch(namespaceSelector, namespaceLabels) && labelSets.some((labels) => mayMatch(podSelector, labels));
  }
  return true;
}

/** A selector that can't be read is taken to match. */
function mayMatch(selector: unknown, labels: Labels): boolean {
  const parsed = parseSelector(selector);
  return parsed === undefined || selects(parsed, labels);
}

/** Reads a label selector as a NetworkPolicy would hold it; `undefined` for anything else. */
export function parseSelector(selector: unknown): LabelSelector | undefined {
  if (selector === undefined || selector === null) {
    return EVERYTHING;
  }
  try {
    return parseNetworkPolicies([{ metadata: {}, spec: { podSelector: selector } }])[0]?.podSelector;
  } catch {
    return undefined;
  }
}

import { type Labels, selects } from "../../../analysis/labelSelector.ts";
import { parseLabelSelector } from "../../../analysis/parseNetworkPolicy.ts";
import type { PolicyObject } from "../objects.ts";
import type { Optional } from "../snapshot.ts";
import { checked, doubt, type Finding } from "./finding.ts";

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
    .filter(({ spec }) => mayMatch(spec.podSelector, input.labelSets))
    .map(({ metadata }) => `ApplicationNetworkPolicy ${metadata.namespace}/${metadata.name}`);
  return checked(
    "newer policy kinds",
    [...cluster, ...application]
      .sort()
      .map((name) =>
        doubt(
          `${name} may select runner pods, and what it does to their reach is not analysed`,
          "leave runner pods out of it; the probes below still show what they reach on the tried destinations",
        ),
      ),
    "no ClusterNetworkPolicy or ApplicationNetworkPolicy selects them",
  );
}

/** `spec.subject` chooses namespaces, or pods of namespaces. What has neither form is taken to match. */
function subjectMayMatch({ spec }: PolicyObject, { namespaceLabels, labelSets }: Input): boolean {
  const { namespaces, pods } = (spec.subject ?? {}) as {
    readonly namespaces?: unknown;
    readonly pods?: { readonly namespaceSelector?: unknown; readonly podSelector?: unknown };
  };
  return (
    mayMatch(namespaces ?? pods?.namespaceSelector, [namespaceLabels]) &&
    mayMatch(namespaces === undefined ? pods?.podSelector : undefined, labelSets)
  );
}

/** A selector that can't be read, or is missing, is taken to match. */
function mayMatch(selector: unknown, labelSets: readonly Labels[]): boolean {
  const read = parseLabelSelector(selector);
  return read === undefined || labelSets.some((labels) => selects(read, labels));
}

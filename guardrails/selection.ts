import {
  isNarrowerSelector,
  type LabelRequirement,
  type LabelSelector,
  type Labels,
  type NetworkPolicy,
  selects,
} from "../analysis/index.ts";
import { selectorOf } from "./declaredPolicies.ts";

/**
 * Which of the runner pods a policy selects. Only the declared labels are known of a pod; Jobs add others, so a policy
 * that asks for one of those (`job-name`) selects some.
 */
export type Selection = "every" | "some" | "none";

/** Which pods of a namespace with at least these labels a policy selects. */
export function selectionOf(
  { namespace, podSelector }: Pick<NetworkPolicy, "namespace" | "podSelector">,
  runner: { readonly namespace: string; readonly labels: Labels },
): Selection {
  if (namespace !== runner.namespace || !mightSelect(podSelector, runner.labels)) {
    return "none";
  }
  return isNarrowerSelector(selectorOf(runner.labels), podSelector) ? "every" : "some";
}

/** Whether a selector selects pods that do not have all of these labels. Only a proof of the contrary gives `false`. */
export function selectsOthers(podSelector: LabelSelector, labels: Labels): boolean {
  return !isNarrowerSelector(podSelector, selectorOf(labels));
}

/** Whether a pod with at least these labels may satisfy a selector: exact, because requirements on keys are independent. */
export function mightSelect({ requirements }: LabelSelector, labels: Labels): boolean {
  const byKey = Map.groupBy(requirements, ({ key }) => key);
  return [...byKey].every(([key, ofKey]) =>
    Object.hasOwn(labels, key) ? selects({ requirements: ofKey }, labels) : isSatisfiable(key, ofKey),
  );
}

/** No label can have this value, so it stands for all that no requirement names. */
const ANY_OTHER_VALUE = "\0";

function isSatisfiable(key: string, requirements: readonly LabelRequirement[]): boolean {
  const values = [...requirements.flatMap(({ values }) => values), ANY_OTHER_VALUE];
  return [{}, ...values.map((value) => ({ [key]: value }))].some((labels) => selects({ requirements }, labels));
}

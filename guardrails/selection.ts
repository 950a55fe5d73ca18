import {
  isNarrowerSelector,
  type LabelRequirement,
  type LabelSelector,
  type Labels,
  labelSelector,
  labelsSelector,
  type NetworkPolicy,
} from "../analysis/index.ts";
import { labelWorlds } from "../analysis/reach/labelWorlds.ts";
import type { Declaration } from "./declaration.ts";

/** The runner pods of one namespace. */
export interface RunnerPods {
  readonly namespace: string;
  /** What is known of their labels; they may have others. */
  readonly pods: LabelSelector;
}

/** The runner pods that are declared, a namespace at a time. */
export function runnerPods({ runner: { namespaces, labels, notLabels = [] } }: Declaration): RunnerPods[] {
  const pods = labelSelector([
    ...labelsSelector(labels).requirements,
    ...notLabels.map(
      ({ key, value }): LabelRequirement =>
        value === undefined
          ? { key, operator: "DoesNotExist", values: [] }
          : { key, operator: "NotIn", values: [value] },
    ),
  ]);
  return namespaces.map((namespace) => ({ namespace, pods }));
}

/**
 * Which of the runner pods a policy selects. Not all of their labels are known: Jobs add some, so a policy that asks for
 * one of those (`job-name`) selects some.
 */
export type Selection = "every" | "some" | "none";

/** Which of the runner pods a policy selects. */
export function selectionOf(
  { namespace, podSelector }: Pick<NetworkPolicy, "namespace" | "podSelector">,
  runner: RunnerPods,
): Selection {
  if (namespace !== runner.namespace) {
    return "none";
  }
  const { worlds } = labelWorlds([podSelector], runner.pods);
  const selected = worlds.filter((world) => world.selected.has(0)).length;
  return selected === 0 ? "none" : selected === worlds.length ? "every" : "some";
}

/** Whether a selector selects pods that do not have all of these labels. Only a proof of the contrary gives `false`. */
export function selectsOthers(podSelector: LabelSelector, labels: Labels): boolean {
  return !isNarrowerSelector(podSelector, labelsSelector(labels));
}

/** Whether one of these pods may satisfy a selector. */
export function mightSelect(podSelector: LabelSelector, pods: LabelSelector): boolean {
  return labelWorlds([podSelector], pods).worlds.some(({ selected }) => selected.has(0));
}

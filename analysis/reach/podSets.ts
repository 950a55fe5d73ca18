import { NAMESPACE_NAME_LABEL } from "../inventory.ts";
import { EVERYTHING, formatSelector, type LabelSelector, labelSelector } from "../labelSelector.ts";
import { intersect, type LabelSet, labelSetOf, selectorsOf, subtract } from "./labelSets.ts";

/** Pods as policies name them: by labels of the pod and of its namespace. */
export interface PodSet {
  readonly namespaceSelector: LabelSelector;
  readonly podSelector: LabelSelector;
}

/** Every pod of the cluster. */
export const EVERY_POD: PodSet = { namespaceSelector: EVERYTHING, podSelector: EVERYTHING };

/** The selector of one namespace, by the label that the API server puts on it. */
export function namespaceNamed(name: string): LabelSelector {
  return labelSelector([{ key: NAMESPACE_NAME_LABEL, operator: "In", values: [name] }]);
}

/** `pods k8s-app=kube-dns in namespace kube-system`, `all pods in namespaces team=a`, shortened where it says the same. */
export function formatPodSet({ namespaceSelector, podSelector }: PodSet): string {
  const pods = podSelector.requirements.length === 0 ? "all pods" : `pods ${formatSelector(podSelector)}`;
  const [only, ...more] = namespaceSelector.requirements;
  if (only === undefined) {
    return `${pods} in all namespaces`;
  }
  if (more.length > 0 || only.key !== NAMESPACE_NAME_LABEL || only.operator === "Exists") {
    return `${pods} in namespaces ${formatSelector(namespaceSelector)}`;
  }
  const names = only.values.join(", ");
  if (only.operator === "In") {
    return `${pods} in namespace${only.values.length === 1 ? "" : "s"} ${names}`;
  }
  return `${pods} in all namespaces except ${names}`;
}

/** The pods of a set that are in none of the others, exactly, as disjoint sets; the set itself where they take nothing. */
export function subtractPodSets(set: PodSet, removed: readonly PodSet[]): PodSet[] {
  const whole = productOf(set);
  if (whole === undefined) {
    return [];
  }
  const holes = removed.map(productOf).filter((hole) => hole !== undefined && intersect(whole, hole) !== undefined);
  return holes.length === 0 ? [set] : subtract(whole, holes as LabelSet[]).flatMap(podSetsOf);
}

/** The pods that are in both sets, as disjoint sets. */
export function intersectPodSets(a: PodSet, b: PodSet): PodSet[] {
  const [left, right] = [productOf(a), productOf(b)];
  const both = left && right && intersect(left, right);
  return both === undefined ? [] : podSetsOf(both);
}

/** Whether every pod of one set is in another. */
export function isNarrowerPodSet(narrow: PodSet, wide: PodSet): boolean {
  return subtractPodSets(narrow, [wide]).length === 0;
}

const NAMESPACE = "namespace ";
const POD = "pod ";

/** A pod and its namespace as one product: their labels are independent of each other. */
function productOf({ namespaceSelector, podSelector }: PodSet): LabelSet | undefined {
  const namespaces = labelSetOf(namespaceSelector, NAMESPACE_NAME_LABEL);
  const pods = labelSetOf(podSelector);
  return (
    namespaces &&
    pods &&
    new Map([
      ...[...namespaces].map(([key, values]) => [NAMESPACE + key, values] as const),
      ...[...pods].map(([key, values]) => [POD + key, values] as const),
    ])
  );
}

function podSetsOf(product: LabelSet): PodSet[] {
  const part = (prefix: string): LabelSet =>
    new Map(
      [...product].flatMap(([key, values]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), values]] : [])),
    );
  const podSelectors = selectorsOf(part(POD));
  return selectorsOf(part(NAMESPACE)).flatMap((namespaceSelector) =>
    podSelectors.map((podSelector) => ({ namespaceSelector, podSelector })),
  );
}

import { type LabelRequirement, type LabelSelector, labelSelector, selects } from "../labelSelector.ts";

/** Pods that the same selectors select. */
export interface World {
  /** Indices of those selectors. */
  readonly selected: ReadonlySet<number>;
  /** Labels that make a pod one of them: only of keys on which the selectors disagree. */
  readonly labels: LabelSelector;
}

/** Every combination of selectors that some pod satisfies. */
export interface Worlds {
  readonly worlds: readonly World[];
  /** `false`: there are more than were asked for. */
  readonly isComplete: boolean;
}

/** More combinations than this are not judged: nobody can follow what such policies mean together. */
export const MOST_WORLDS = 256;

/** One way to have, or not to have, a label, and the selectors whose requirements on it hold then. */
interface Choice {
  readonly labels: readonly LabelRequirement[];
  readonly holding: bigint;
}

/**
 * Which selectors can select the same pod, of the pods that another selector selects. Exact: requirements on different keys
 * are independent, and on one key only the values that some requirement names differ, its absence, and any other value.
 */
export function labelWorlds(selectors: readonly LabelSelector[], pods: LabelSelector, most = MOST_WORLDS): Worlds {
  const byKey = Map.groupBy(
    [pods, ...selectors].flatMap(({ requirements }) => requirements),
    ({ key }) => key,
  );
  let found = new Map<bigint, readonly LabelRequirement[]>([[(1n << BigInt(selectors.length)) - 1n, []]]);
  let isComplete = true;
  for (const [key, requirements] of byKey) {
    const choices = choicesOf(key, requirements, selectors, pods);
    const next = new Map<bigint, readonly LabelRequirement[]>();
    for (const [selected, labels] of found) {
      for (const { holding, labels: more } of choices) {
        const both = selected & holding;
        if (!next.has(both)) {
          next.set(both, choices.length === 1 ? labels : [...labels, ...more]);
        }
      }
    }
    isComplete &&= next.size <= most;
    found = new Map([...next].slice(0, most));
  }
  const worlds = [...found].map(([mask, labels]) => ({
    selected: new Set([...selectors.keys()].filter((index) => (mask & (1n << BigInt(index))) !== 0n)),
    labels: labelSelector(labels),
  }));
  return { worlds, isComplete };
}

/** What a pod may have of one key, each set of selectors that it leaves once, the absence of the label first. */
function choicesOf(
  key: string,
  requirements: readonly LabelRequirement[],
  selectors: readonly LabelSelector[],
  pods: LabelSelector,
): Choice[] {
  const named = [...new Set(requirements.flatMap(({ values }) => values))].sort();
  const is = (operator: LabelRequirement["operator"], values: readonly string[] = []) => ({ key, operator, values });
  const ways: readonly { readonly value: string | undefined; readonly labels: readonly LabelRequirement[] }[] = [
    { value: undefined, labels: [is("DoesNotExist")] },
    { value: ANY_OTHER_VALUE, labels: named.length === 0 ? [is("Exists")] : [is("Exists"), is("NotIn", named)] },
    ...named.map((value) => ({ value, labels: [is("In", [value])] })),
  ];
  const choices = new Map<bigint, Choice>();
  for (const { value, labels } of ways) {
    const holds = (selector: LabelSelector) =>
      selects(
        { requirements: selector.requirements.filter((each) => each.key === key) },
        value === undefined ? {} : { [key]: value },
      );
    if (holds(pods)) {
      const holding = selectors.reduce(
        (mask, selector, index) => (holds(selector) ? mask | (1n << BigInt(index)) : mask),
        0n,
      );
      choices.set(holding, choices.get(holding) ?? { holding, labels });
    }
  }
  return [...choices.values()];
}

/** No label can have this value, so it stands for all that no requirement names. */
const ANY_OTHER_VALUE = "\0";

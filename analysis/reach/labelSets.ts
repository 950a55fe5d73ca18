import { type LabelRequirement, type LabelSelector, labelSelector } from "../labelSelector.ts";

/**
 * Sets of labelled things, exactly. Requirements on different keys are independent, and on one key all that matters is
 * whether the label is absent, has one of the values that somebody names, or has any other value. So a selector is a
 * product of one {@link LabelValues} for each key, and the difference of two products is a list of products.
 */

/** The values of one label that a condition admits. */
interface LabelValues {
  /** Whether it admits that the label is absent. */
  readonly absent: boolean;
  /** Whether the label is never absent, whatever a condition says. */
  readonly alwaysThere: boolean;
  /** Whether `values` are those that it refuses, instead of those that it admits. */
  readonly others: boolean;
  readonly values: readonly string[];
}

/** A product of conditions: each key's label satisfies its own, and any value will do for a key without one. Never empty. */
export type LabelSet = ReadonlyMap<string, LabelValues>;

const ANY: LabelValues = { absent: true, alwaysThere: false, others: true, values: [] };

/**
 * What a selector selects; `undefined`: nothing, because its requirements contradict one another.
 *
 * @param alwaysThere the one key, if any, whose label nothing lacks
 */
export function labelSetOf({ requirements }: LabelSelector, alwaysThere?: string): LabelSet | undefined {
  const set = new Map<string, LabelValues>();
  for (const requirement of requirements) {
    const { key } = requirement;
    const known = set.get(key) ?? (key === alwaysThere ? { ...ANY, absent: false, alwaysThere: true } : ANY);
    set.set(key, and(known, valuesOf(requirement)));
  }
  return [...set.values()].some(isEmpty) ? undefined : new Map([...set].filter(([, values]) => !isEvery(values)));
}

/** Selectors that together select exactly a set: one, or more where a key admits absence and some values. */
export function selectorsOf(set: LabelSet): LabelSelector[] {
  let choices: LabelRequirement[][] = [[]];
  for (const [key, values] of set) {
    const forms = requirementsFor(key, values);
    choices = choices.flatMap((chosen) => forms.map((form) => [...chosen, ...form]));
  }
  return choices.map(labelSelector);
}

/** What is in both sets; `undefined`: nothing. */
export function intersect(a: LabelSet, b: LabelSet): LabelSet | undefined {
  const both = new Map(a);
  for (const [key, values] of b) {
    const common = and(both.get(key) ?? ANY, values);
    if (isEmpty(common)) {
      return undefined;
    }
    both.set(key, common);
  }
  return both;
}

/** What is in a set and in none of the others, in disjoint sets. */
export function subtract(set: LabelSet, removed: readonly LabelSet[]): LabelSet[] {
  return removed.reduce<LabelSet[]>((left, hole) => left.flatMap((part) => without(part, hole)), [set]);
}

function without(set: LabelSet, hole: LabelSet): LabelSet[] {
  if (intersect(set, hole) === undefined) {
    return [set];
  }
  const parts: LabelSet[] = [];
  let inside: LabelSet = set;
  for (const [key, values] of hole) {
    const own = inside.get(key) ?? ANY;
    const outside = and(own, not(values));
    if (!isEmpty(outside)) {
      parts.push(new Map([...inside, [key, outside]]));
    }
    inside = new Map([...inside, [key, and(own, values)]]);
  }
  return parts;
}

function valuesOf({ operator, values }: LabelRequirement): LabelValues {
  return {
    absent: operator === "NotIn" || operator === "DoesNotExist",
    alwaysThere: false,
    others: operator === "NotIn" || operator === "Exists",
    values,
  };
}

function and(a: LabelValues, b: LabelValues): LabelValues {
  const common = { absent: a.absent && b.absent, alwaysThere: a.alwaysThere || b.alwaysThere };
  if (a.others && b.others) {
    return { ...common, others: true, values: [...new Set([...a.values, ...b.values])] };
  }
  const [listed, other] = a.others ? [b, a] : [a, b];
  return {
    ...common,
    others: false,
    values: listed.values.filter((value) => other.values.includes(value) !== other.others),
  };
}

function not({ absent, alwaysThere, others, values }: LabelValues): LabelValues {
  return { absent: !absent && !alwaysThere, alwaysThere, others: !others, values };
}

function isEmpty({ absent, others, values }: LabelValues): boolean {
  return !absent && !others && values.length === 0;
}

function isEvery({ absent, alwaysThere, others, values }: LabelValues): boolean {
  return (absent || alwaysThere) && others && values.length === 0;
}

/** Alternatives, each a list of requirements. */
function requirementsFor(key: string, { absent, alwaysThere, others, values }: LabelValues): LabelRequirement[][] {
  const requirement = (operator: LabelRequirement["operator"], values: readonly string[] = []) => ({
    key,
    operator,
    values,
  });
  if (others) {
    return [
      [
        ...(absent || alwaysThere ? [] : [requirement("Exists")]),
        ...(values.length === 0 ? [] : [requirement("NotIn", values)]),
      ],
    ];
  }
  return [
    ...(absent ? [[requirement("DoesNotExist")]] : []),
    ...(values.length === 0 ? [] : [[requirement("In", values)]]),
  ];
}

/** Whether everything that `narrow` selects is selected by `wide` too. */
export function isNarrowerSelector(narrow: LabelSelector, wide: LabelSelector): boolean {
  const [inner, outer] = [labelSetOf(narrow), labelSetOf(wide)];
  return inner === undefined || (outer !== undefined && subtract(inner, [outer]).length === 0);
}

/** Whether no labels can satisfy both selectors. */
export function areDisjoint(a: LabelSelector, b: LabelSelector): boolean {
  const [left, right] = [labelSetOf(a), labelSetOf(b)];
  return left === undefined || right === undefined || intersect(left, right) === undefined;
}

/** Labels of a pod, a namespace or a Service's selector. */
export type Labels = Readonly<Record<string, string>>;

/** One condition on one label; `matchLabels` becomes `In` with one value. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  /** Sorted, without repetitions; empty for `Exists` and `DoesNotExist`. */
  readonly values: readonly string[];
}

/** A label selector: every requirement holds. Without requirements it matches everything. */
export interface LabelSelector {
  /** Sorted by key, operator and values, without repetitions. */
  readonly requirements: readonly LabelRequirement[];
}

export const EVERYTHING: LabelSelector = { requirements: [] };

const LABEL_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a text can be a label's key: a name, or `PREFIX/NAME` (`IsQualifiedName` of Kubernetes 1.34). */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  return LABEL_NAME.test(text.slice(slash + 1)) && (slash < 0 || SUBDOMAIN.test(text.slice(0, slash)));
}

/** Whether a text can be a label's value, which may be empty (`IsValidLabelValue` of Kubernetes 1.34). */
export function isLabelValue(text: string): boolean {
  return text === "" || LABEL_NAME.test(text);
}

/** Whether a string can name an object such as a NetworkPolicy (`IsDNS1123Subdomain` of Kubernetes 1.34). */
export function isObjectName(text: string): boolean {
  return SUBDOMAIN.test(text);
}

/** Whether a string can name a namespace (`IsDNS1123Label` of Kubernetes 1.34). */
export function isNamespaceName(text: string): boolean {
  return DNS_LABEL.test(text);
}

/** Puts requirements into the order that makes equal selectors equal. */
export function labelSelector(requirements: readonly LabelRequirement[]): LabelSelector {
  const byText = new Map<string, LabelRequirement>();
  for (const { key, operator, values } of requirements) {
    const requirement = { key, operator, values: [...new Set(values)].sort() };
    byText.set(formatRequirement(requirement), requirement);
  }
  return { requirements: [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value) };
}

/** The selector that asks for each of some labels. */
export function labelsSelector(labels: Labels): LabelSelector {
  return labelSelector(Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [value] })));
}

/** Whether labels satisfy a selector; `NotIn` and `DoesNotExist` hold where the label is absent, as in Kubernetes. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => holds(requirement, labels));
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** The selector as kubectl writes it: `app=web,tier in (a,b),!legacy`; empty for one that matches everything. */
export function formatSelector(selector: LabelSelector): string {
  return selector.requirements.map(formatRequirement).join(",");
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "In":
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(",")})`;
    case "NotIn":
      return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
  }
}

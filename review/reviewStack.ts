import {
  type AddressFamily,
  appliesTo,
  compile,
  diff,
  type NamedAddresses,
  type NetworkPolicy,
  type Semantics,
  type Source,
} from "../analysis/index.ts";
import { contractSource, enforcement, factChanges, namedAddresses, planContext } from "./networkFacts.ts";
import type { StackPlan } from "./plan.ts";
import { type KubernetesObject, type PlannedPolicies, plannedPolicies } from "./plannedPolicies.ts";
import { reachOf } from "./reach.ts";
import { type ReviewRow, reviewRows, type SemanticsName } from "./rows.ts";
import {
  type Comparison,
  joinVerdicts,
  type Perspective,
  type PolicySets,
  type ReviewVerdict,
  type StackReview,
  type SubjectReview,
  verdictOfRows,
} from "./stackReview.ts";

/** What a review may be told besides the preview. */
export interface ReviewOptions {
  /** The pods in question. Default: the contract's, else those that each policy selects. */
  readonly source?: Source;
  /** NetworkPolicies that are live in the cluster now. Default: the last state that Pulumi knows. */
  readonly live?: readonly KubernetesObject[];
  /** The cluster's family, where the facts don't say it. Default: only the reading of Kubernetes is given. */
  readonly ipFamily?: AddressFamily;
}

/** Judges the preview of one stack. */
export function reviewStack(plan: StackPlan, options: ReviewOptions = {}): StackReview {
  const policies = plannedPolicies(plan, options.live);
  return judge(plan, policies, policies, "plan", options);
}

/**
 * Compares what the program says with what is live: `gained` is what the live policies allow beyond the program.
 *
 * @param live the NetworkPolicies in the cluster now; those that the stack does not own count on both sides
 */
export function reviewDrift(
  plan: StackPlan,
  live: readonly KubernetesObject[],
  options: ReviewOptions = {},
): StackReview {
  const policies = plannedPolicies(plan, live);
  return judge(plan, policies, { before: policies.after, after: policies.before }, "drift", options);
}

function judge(
  plan: StackPlan,
  policies: PlannedPolicies,
  sets: PolicySets,
  perspective: Perspective,
  options: ReviewOptions,
): StackReview {
  const context = planContext(plan);
  const names = [...namedAddresses(context.after), ...namedAddresses(context.before)];
  const sources = options.source === undefined ? sourcesOf(plan, sets) : [options.source];
  const readings = readingsOf(context.before, context.after, options.ipFamily);
  const isKnown = policies.obstacles.length === 0 && plan.errors.length === 0;
  const subjects = isKnown ? sources.map((source) => reviewSubject(sets, source, readings, names)) : [];
  const obstacles = [
    ...plan.errors.map((error) => `the preview failed: ${error}`),
    ...policies.obstacles,
    ...(isKnown && plan.isComplete && policies.changes.length === 0 && sets.before.length + sets.after.length === 0
      ? ["the plan has no NetworkPolicy, so it does not say what the pods can reach"]
      : []),
  ];
  const verdict: ReviewVerdict =
    obstacles.length > 0 ? "cannot conclude" : joinVerdicts(subjects.map((subject) => subject.verdict));
  return {
    stack: plan.stack,
    perspective,
    verdict,
    obstacles,
    subjects: obstacles.length > 0 ? [] : subjects,
    semantics: readings.map(({ name }) => name),
    policies: policies.changes,
    facts: factChanges(context.before, context.after),
    findings: plan.findings,
    packs: plan.packs,
    warnings: plan.warnings,
    notes: [...(perspective === "drift" ? pendingChanges(plan) : []), ...notesOf(plan, policies, readings, options)],
  };
}

/** A reading of the policies on each side: the agent may be another one afterwards. */
interface Reading {
  readonly name: SemanticsName;
  readonly before: Semantics;
  readonly after: Semantics;
}

function readingsOf(
  before: Parameters<typeof enforcement>[0],
  after: Parameters<typeof enforcement>[0],
  ipFamily: AddressFamily | undefined,
): Reading[] {
  const kubernetes: Reading = { name: "kubernetes", before: { name: "kubernetes" }, after: { name: "kubernetes" } };
  const [old, fresh] = [enforcement(before), enforcement(after)];
  const family = fresh.ipFamily ?? old.ipFamily ?? ipFamily;
  if (family === undefined) {
    return [kubernetes];
  }
  const enforced = (agentVersion: string | undefined): Semantics => ({
    name: "vpc-cni",
    ipFamily: family,
    ...(agentVersion !== undefined && { agentVersion }),
  });
  return [
    { name: "vpc-cni", before: enforced(old.agentVersion ?? fresh.agentVersion), after: enforced(fresh.agentVersion) },
    kubernetes,
  ];
}

/** The pods that a plan is about. */
function sourcesOf(plan: StackPlan, { before, after }: PolicySets): (Source | undefined)[] {
  const source = contractSource(planContext(plan).contract);
  if (source !== undefined) {
    return [source];
  }
  const found = new Map<string, Source>();
  for (const policy of [...after, ...before]) {
    const labels = plainLabels(policy);
    if (labels !== undefined) {
      found.set(`${policy.namespace} ${JSON.stringify(labels)}`, { namespace: policy.namespace, labels });
    }
  }
  // Selectors with expressions name no single pod; all policies are then taken to select the same one.
  return found.size === 0 ? (before.length + after.length === 0 ? [] : [undefined]) : [...found.values()];
}

function plainLabels({ podSelector }: NetworkPolicy): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const { key, operator, values } of podSelector.requirements) {
    const [value] = values;
    if (operator !== "In" || values.length !== 1 || value === undefined) {
      return undefined;
    }
    labels[key] = value;
  }
  return labels;
}

function reviewSubject(
  sets: PolicySets,
  source: Source | undefined,
  readings: readonly Reading[],
  names: readonly NamedAddresses[],
): SubjectReview {
  const comparisons = readings.map((reading) => compare(sets, source, reading, names));
  const rows: ReviewRow[] = reviewRows(comparisons);
  const [isBefore, isAfter] = [sets.before, sets.after].map((policies) =>
    policies.some((policy) => policy.isolatesEgress && appliesTo(policy, source)),
  );
  const after = comparisons.at(-1)?.after;
  return {
    source,
    verdict: verdictOfRows(rows),
    stage: isBefore === isAfter ? "change" : isBefore ? "deletion" : "first deploy",
    rows,
    reach: after === undefined ? [] : reachOf(after, names),
  };
}

function compare(
  sets: PolicySets,
  source: Source | undefined,
  { name, before, after }: Reading,
  names: readonly NamedAddresses[],
): Comparison {
  const pod = source === undefined ? {} : { source };
  const old = compile(sets.before, { semantics: before, ...pod });
  const fresh = compile(sets.after, { semantics: after, ...pod });
  return { semantics: name, before: old, after: fresh, diff: diff(old, fresh, names) };
}

/** What an update would do besides; a drift of annotations or of the order of rules changes no reach. */
function pendingChanges({ changes }: StackPlan): string[] {
  const pending = Object.entries(changes).filter(([operation, count]) => operation !== "same" && count > 0);
  return pending.length === 0
    ? []
    : [
        `an update would ${pending.map(([operation, count]) => `${operation} ${count}`).join(", ")} of the stack's resources`,
      ];
}

function notesOf(
  plan: StackPlan,
  policies: PlannedPolicies,
  readings: readonly Reading[],
  { live }: ReviewOptions,
): string[] {
  const replaced = policies.changes.filter(({ kind }) => kind === "replaced");
  const [abrupt, smooth] = [true, false].map((hasGap) =>
    replaced.filter((change) => change.hasGap === hasGap).map(({ id }) => id),
  ) as [string[], string[]];
  const deleted = policies.changes.filter(({ kind }) => kind === "deleted").map(({ id }) => id);
  return [
    ...(abrupt.length > 0
      ? [`${abrupt.join(", ")} is deleted and created again: in between it restricts nothing`]
      : []),
    ...(smooth.length > 0 ? [`${smooth.join(", ")} replaces another policy, which is deleted after it is there`] : []),
    ...(deleted.length > 0 ? [`${deleted.join(", ")} is deleted`] : []),
    ...(plan.isComplete || policies.changes.length > 0 || plan.errors.length > 0
      ? []
      : ["no NetworkPolicy changes in this preview"]),
    ...(plan.isComplete || live !== undefined
      ? []
      : ["the digest lists only what changes, so unchanged NetworkPolicies of the stack are not in this comparison"]),
    ...(live === undefined ? ["NetworkPolicies outside this stack are not in this comparison"] : []),
    ...(readings.length === 1
      ? ["the cluster's address family is not known, so the VPC CNI's own reading of the policy is not compared"]
      : []),
  ];
}

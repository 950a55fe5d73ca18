import {
  type AddressFamily,
  appliesTo,
  compile,
  diff,
  SELECTED_BY_EVERY_POLICY,
  type Source,
} from "../../analysis/index.ts";
import { openCredentials, openedCredentials } from "./concerns.ts";
import { guardrailRun } from "./guardrails.ts";
import { enforcement, factChanges, type Names, namesOf, planContext } from "./networkFacts.ts";
import { cautionsOf, notesOf } from "./notes.ts";
import type { StackPlan } from "./plan.ts";
import { type KubernetesObject, plannedPolicies } from "./plannedPolicies.ts";
import { reachOf } from "./reach.ts";
import { type ReviewRow, reviewRows } from "./rows.ts";
import {
  type Comparison,
  joinVerdicts,
  type Perspective,
  type PolicySets,
  type Reading,
  readingsOf,
  type StackReview,
  type SubjectReview,
  verdictOfRows,
} from "./stackReview.ts";
import { subjectsOf } from "./subjects.ts";

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
  return judge(plan, "plan", options);
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
  return judge(plan, "drift", { ...options, live });
}

/** What a plan says of the network, the policies and their pods, and why it does not say it all, if so. */
export function premisesOf(plan: StackPlan, { source, live }: ReviewOptions) {
  const context = planContext(plan);
  const policies = plannedPolicies(plan, live);
  const subjects =
    source === undefined ? subjectsOf(context, policies, policies.pairs) : { sources: [source], obstacles: [] };
  return {
    context,
    names: namesOf(context),
    policies,
    sources: subjects.sources,
    obstacles: [
      ...plan.errors.map((error) => `the preview failed: ${error}`),
      ...policies.obstacles,
      ...subjects.obstacles,
    ],
  };
}

function judge(plan: StackPlan, perspective: Perspective, options: ReviewOptions): StackReview {
  const { context, names, policies, sources, obstacles: unread } = premisesOf(plan, options);
  const { before: deployed, after: planned } = policies;
  const sets = perspective === "plan" ? { before: deployed, after: planned } : { before: planned, after: deployed };
  const [old, fresh] = [enforcement(context.before), enforcement(context.after)];
  const readings = readingsOf(fresh.ipFamily ?? old.ipFamily ?? options.ipFamily, {
    before: old.agentVersion,
    after: fresh.agentVersion,
  });
  const isEmpty = plan.isComplete && policies.changes.length === 0 && deployed.length + planned.length === 0;
  const obstacles =
    unread.length === 0 && isEmpty
      ? ["the plan has no NetworkPolicy, so it does not say what the pods can reach"]
      : unread;
  const subjects = obstacles.length > 0 ? [] : sources.map((source) => reviewSubject(sets, source, readings, names));
  return {
    stack: plan.stack,
    perspective,
    verdict: obstacles.length > 0 ? "cannot conclude" : joinVerdicts(subjects.map(({ verdict }) => verdict)),
    obstacles,
    subjects,
    semantics: readings.map(({ name }) => name),
    policies: policies.changes,
    facts: factChanges(context.before, context.after),
    findings: plan.findings,
    packs: plan.packs,
    guardrails: guardrailRun(plan),
    warnings: plan.warnings,
    cautions: cautionsOf(plan, policies, context),
    notes: notesOf(plan, policies, perspective, {
      hasLive: options.live !== undefined,
      isEnforcementRead: readings.length > 1,
    }),
  };
}

function reviewSubject(
  sets: PolicySets,
  source: Source | undefined,
  readings: readonly Reading[],
  names: Names,
): SubjectReview {
  const comparisons = readings.map((reading) => compare(sets, source, reading, names));
  const rows: ReviewRow[] = reviewRows(comparisons, names);
  const [isBefore, isAfter] = [sets.before, sets.after].map((policies) =>
    policies.some((policy) => policy.isolatesEgress && appliesTo(policy, source ?? SELECTED_BY_EVERY_POLICY)),
  );
  const after = comparisons.at(-1)?.after;
  return {
    source,
    verdict: verdictOfRows(rows),
    stage: isBefore === isAfter ? "change" : isBefore ? "deletion" : "first deploy",
    rows,
    reach: after === undefined ? [] : reachOf(after, names),
    openCredentials: openCredentials(comparisons.map((comparison) => comparison.after)),
    openedCredentials: openedCredentials(comparisons),
  };
}

function compare(
  sets: PolicySets,
  source: Source | undefined,
  { name, before, after }: Reading,
  names: Names,
): Comparison {
  const sender = source ?? SELECTED_BY_EVERY_POLICY;
  const old = compile(sets.before, { semantics: before, source: sender });
  const fresh = compile(sets.after, { semantics: after, source: sender });
  return { semantics: name, before: old, after: fresh, diff: diff(old, fresh, names.blocks) };
}

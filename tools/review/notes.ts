import { canonicalJson } from "../../runner/canonicalJson.ts";
import { enforcement, type PlanContext } from "./networkFacts.ts";
import { isObject, NETWORK_POLICY, type PlannedResource, type StackPlan } from "./plan.ts";
import type { PlannedPolicies } from "./plannedPolicies.ts";
import type { Perspective } from "./stackReview.ts";

/** What makes the verdict worth less than it looks; never folded away. */
export function cautionsOf(
  { resources }: StackPlan,
  { changes }: PlannedPolicies,
  { before, after }: PlanContext,
): string[] {
  const gone = replaced(changes, true);
  const [was, is] = [enforcement(before).isOn, enforcement(after).isOn];
  const changed = was === true ? ", and was on before" : "";
  return saidIf([
    [gone !== "", `${gone} is deleted and created again: in between the pods may reach everything`],
    [
      is === false,
      `the cluster's VPC CNI add-on has network policy switched off${changed}: unless something else enforces policies there, the pods may reach everything, whatever this review says`,
    ],
    [
      is === "unknown",
      `whether anything enforces policies in this cluster can't be read from its VPC CNI add-on${changed}`,
    ],
    [
      resources.some((resource) => dryRun(resource) === "another spec"),
      "the API server would store another policy than the planned one, as a mutating admission webhook makes it: what the pods can reach afterwards is not what this review says",
    ],
  ]);
}

/** The sentences that are so. */
export function saidIf(sentences: readonly (readonly [isSo: boolean, sentence: string])[]): string[] {
  return sentences.flatMap(([isSo, sentence]) => (isSo ? [sentence] : []));
}

/** Policies that are replaced, with a moment without them or without one. */
function replaced(changes: PlannedPolicies["changes"], withGap: boolean): string {
  return changes
    .filter(({ kind, hasGap }) => kind === "replaced" && hasGap === withGap)
    .map(({ id }) => id)
    .join(", ");
}

/**
 * What came of the API server's dry run of a change; `undefined` where there was nothing to try or the source does not tell.
 * Refused by RBAC, the provider falls back in silence to what the program says, which has none of the server's fields.
 */
function dryRun({
  type,
  operations,
  after,
  answered,
}: PlannedResource): "as planned" | "another spec" | "none" | undefined {
  const isTried = operations.some((operation) => ["create", "update", "create-replacement"].includes(operation));
  if (type !== NETWORK_POLICY || !isTried || after === undefined || answered === undefined) {
    return undefined;
  }
  const { metadata, spec } = answered;
  if (!isObject(metadata) || metadata.uid === undefined) {
    return "none";
  }
  return canonicalJson(spec) === canonicalJson(after.inputs.spec) ? "as planned" : "another spec";
}

/** The note of a comparison that knows only the stack's own policies. */
export const OTHERS_LEFT_OUT = "NetworkPolicies outside this stack are not in this comparison";

/** What the reader has to know of how the review came about. */
export function notesOf(
  plan: StackPlan,
  { changes }: PlannedPolicies,
  perspective: Perspective,
  { hasLive, isEnforcementRead }: { readonly hasLive: boolean; readonly isEnforcementRead: boolean },
): string[] {
  const smooth = replaced(changes, false);
  const pending = Object.entries(plan.changes)
    .filter(([operation, count]) => operation !== "same" && count > 0)
    .map(([operation, count]) => `${operation} ${count}`)
    .join(", ");
  return saidIf([
    // A drift of annotations or of the order of rules changes no reach.
    [perspective === "drift" && pending !== "", `an update would ${pending} of the stack's resources`],
    [smooth !== "", `${smooth} replaces another policy, which is deleted after it is there`],
    [!plan.isComplete && changes.length === 0 && plan.errors.length === 0, "no NetworkPolicy changes in this preview"],
    [
      !plan.isComplete && !hasLive,
      "the digest lists only what changes, so unchanged NetworkPolicies of the stack are not in this comparison",
    ],
    [
      plan.resources.some((resource) => dryRun(resource) === "none"),
      "the API server has not checked this change: the role of this preview may only read, so there was no dry run, and an admission webhook or a validation can still refuse or change it",
    ],
    [!hasLive, OTHERS_LEFT_OUT],
    [
      !isEnforcementRead,
      "the cluster's address family is not known, so the VPC CNI's own reading of the policy is not compared",
    ],
  ]);
}

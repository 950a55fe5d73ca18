import { enforcement, type PlanContext } from "./networkFacts.ts";
import type { StackPlan } from "./plan.ts";
import type { PlannedPolicies } from "./plannedPolicies.ts";
import type { Perspective } from "./stackReview.ts";

/** What makes the verdict worth less than it looks; never folded away. */
export function cautionsOf({ changes }: PlannedPolicies, { before, after }: PlanContext): string[] {
  const gone = changes.filter(({ kind, hasGap }) => kind === "replaced" && hasGap).map(({ id }) => id);
  const [was, is] = [enforcement(before).isOn, enforcement(after).isOn];
  const changed = was === true ? ", and was on before" : "";
  return [
    ...(gone.length > 0
      ? [`${gone.join(", ")} is deleted and created again: in between the pods may reach everything`]
      : []),
    ...(is === false
      ? [
          `the cluster's VPC CNI add-on has network policy switched off${changed}: unless something else enforces policies there, the pods may reach everything, whatever this review says`,
        ]
      : []),
    ...(is === "unknown"
      ? [`whether anything enforces policies in this cluster can't be read from its VPC CNI add-on${changed}`]
      : []),
  ];
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
  const smooth = changes.filter(({ kind, hasGap }) => kind === "replaced" && !hasGap).map(({ id }) => id);
  return [
    ...(perspective === "drift" ? pendingChanges(plan) : []),
    ...(smooth.length > 0 ? [`${smooth.join(", ")} replaces another policy, which is deleted after it is there`] : []),
    ...(plan.isComplete || changes.length > 0 || plan.errors.length > 0
      ? []
      : ["no NetworkPolicy changes in this preview"]),
    ...(plan.isComplete || hasLive
      ? []
      : ["the digest lists only what changes, so unchanged NetworkPolicies of the stack are not in this comparison"]),
    ...(hasLive ? [] : [OTHERS_LEFT_OUT]),
    ...(isEnforcementRead
      ? []
      : ["the cluster's address family is not known, so the VPC CNI's own reading of the policy is not compared"]),
  ];
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

import type { AddressFamily, Source } from "../../analysis/index.ts";
import { enforcement, type Names, namesOf, planContext } from "./networkFacts.ts";
import type { StackPlan } from "./plan.ts";
import { type KubernetesObject, plannedPolicies } from "./plannedPolicies.ts";
import { subjectsOf } from "./subjects.ts";
import { subjectName } from "./wording.ts";

/** What a report of one stack is made from. */
export interface ReportContext {
  readonly stack: string | undefined;
  /** `null`: there is no policy to compare with. */
  readonly before: readonly KubernetesObject[] | null;
  readonly after: readonly KubernetesObject[];
  readonly source: Source | undefined;
  readonly names: Names;
  readonly ipFamily: AddressFamily | undefined;
  readonly agent: { readonly before: string | undefined; readonly after: string | undefined };
  /** Why the policies are not known; empty when they are. */
  readonly obstacles: readonly string[];
}

/**
 * Takes from a preview what a report shows.
 *
 * @param chosen the pods in question. Default: the contract's, else those that all the policies select.
 */
export function reportContext(plan: StackPlan, chosen?: Source): ReportContext {
  const context = planContext(plan);
  const policies = plannedPolicies(plan);
  const { objects, obstacles, changes } = policies;
  const subjects =
    chosen === undefined ? subjectsOf(context, policies, policies.pairs) : { sources: [chosen], obstacles: [] };
  const [source, ...others] = subjects.sources;
  const [old, fresh] = [enforcement(context.before), enforcement(context.after)];
  const isUnknown =
    obstacles.length + plan.errors.length === 0 &&
    objects.after.length === 0 &&
    !changes.some(({ kind }) => kind === "deleted");
  return {
    stack: plan.stack,
    before: objects.before.length === 0 ? null : objects.before,
    after: objects.after,
    source,
    names: namesOf(context),
    ipFamily: fresh.ipFamily ?? old.ipFamily,
    agent: { before: old.agentVersion, after: fresh.agentVersion },
    obstacles: [
      ...plan.errors.map((error) => `the preview failed: ${error}`),
      ...obstacles,
      ...subjects.obstacles,
      ...(others.length > 0
        ? [
            `its policies are about different pods (${subjects.sources.map((one) => subjectName({ source: one })).join("; ")}); choose with --namespace and --pod-label`,
          ]
        : []),
      ...(isUnknown
        ? ["the preview has no NetworkPolicy; a digest lists only what changes, so give engine events"]
        : []),
    ],
  };
}

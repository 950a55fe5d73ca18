import type { AddressFamily, NamedAddresses, Source } from "../analysis/index.ts";
import { contractSource, enforcement, namedAddresses, planContext } from "./networkFacts.ts";
import type { StackPlan } from "./plan.ts";
import { type KubernetesObject, plannedPolicies } from "./plannedPolicies.ts";

/** What a report of one stack is made from. */
export interface ReportContext {
  readonly stack: string | undefined;
  /** `null`: there is no policy to compare with. */
  readonly before: readonly KubernetesObject[] | null;
  readonly after: readonly KubernetesObject[];
  readonly source: Source | undefined;
  readonly names: readonly NamedAddresses[];
  readonly ipFamily: AddressFamily | undefined;
  readonly agent: { readonly before: string | undefined; readonly after: string | undefined };
  /** Why the policies are not known; empty when they are. */
  readonly obstacles: readonly string[];
}

/** Takes from a preview what a report shows. */
export function reportContext(plan: StackPlan): ReportContext {
  const context = planContext(plan);
  const { objects, obstacles, changes } = plannedPolicies(plan);
  const [old, fresh] = [enforcement(context.before), enforcement(context.after)];
  const isUnknown =
    obstacles.length + plan.errors.length === 0 &&
    objects.after.length === 0 &&
    !changes.some(({ kind }) => kind === "deleted");
  return {
    stack: plan.stack,
    before: objects.before.length === 0 ? null : objects.before,
    after: objects.after,
    source: contractSource(context.contract),
    names: [...namedAddresses(context.after), ...namedAddresses(context.before)],
    ipFamily: fresh.ipFamily ?? old.ipFamily,
    agent: { before: old.agentVersion, after: fresh.agentVersion },
    obstacles: [
      ...plan.errors.map((error) => `the preview failed: ${error}`),
      ...obstacles,
      ...(isUnknown
        ? ["the preview has no NetworkPolicy; a digest lists only what changes, so give engine events"]
        : []),
    ],
  };
}

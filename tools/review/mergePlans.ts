import type { StackPlan } from "./plan.ts";
import { NO_REASON_IN_DIGEST } from "./planBuilder.ts";
import { PreviewError } from "./readPreview.ts";

/**
 * Joins what several sources say about one stack: the digest and the engine's events of the same preview. The resources
 * come from the events, which list them all; policy results, errors and warnings from both.
 *
 * @throws {PreviewError} for two previews of one stack, because one of them would go unread.
 */
export function mergePlans(plans: readonly StackPlan[]): StackPlan[] {
  const byStack = Map.groupBy(plans, ({ stack }) => stack);
  return [...byStack.values()].map((same) => same.reduce(merge));
}

function merge(a: StackPlan, b: StackPlan): StackPlan {
  const [events, digest] = a.isComplete ? [a, b] : [b, a];
  if (!isSamePreview(events, digest)) {
    throw new PreviewError(
      `there are two different previews of stack ${a.stack}; give one, or the digest and the events of the same run`,
    );
  }
  const errors = [...new Set([...events.errors, ...digest.errors])];
  return {
    // A digest has no policy results; of the same file twice either has them.
    ...events,
    packs: [...new Set([...a.packs, ...b.packs])].sort(),
    // The events have the reason that a digest lacks: a violation, where there is no error.
    errors: events.isComplete ? errors.filter((error) => error !== NO_REASON_IN_DIGEST) : errors,
    warnings: [...new Set([...a.warnings, ...b.warnings])],
  };
}

/** A file given twice counts as one; a digest belongs to the events that count the same operations. */
function isSamePreview(a: StackPlan, b: StackPlan): boolean {
  if (a.isComplete === b.isComplete) {
    return JSON.stringify(a.resources) === JSON.stringify(b.resources);
  }
  const counts = ({ changes }: StackPlan) => JSON.stringify(Object.entries(changes).sort());
  return [a, b].some(({ changes }) => Object.keys(changes).length === 0) || counts(a) === counts(b);
}

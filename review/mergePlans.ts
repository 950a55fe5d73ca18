import type { StackPlan } from "./plan.ts";

/**
 * Joins what several sources say about one stack, such as a digest and the engine's events of the same preview. The
 * resources come from the source that lists them all, policy results from every source that has them.
 */
export function mergePlans(plans: readonly StackPlan[]): StackPlan[] {
  const byStack = new Map<string, StackPlan>();
  for (const plan of plans) {
    const known = byStack.get(plan.stack);
    byStack.set(plan.stack, known === undefined ? plan : merge(known, plan));
  }
  return [...byStack.values()];
}

function merge(a: StackPlan, b: StackPlan): StackPlan {
  const fuller = b.isComplete && !a.isComplete ? b : a;
  const findings = [...(a.findings ?? []), ...(b.findings ?? [])];
  return {
    ...fuller,
    findings: a.findings === undefined && b.findings === undefined ? undefined : distinct(findings),
    packs: [...new Set([...a.packs, ...b.packs])].sort(),
    warnings: [...new Set([...a.warnings, ...b.warnings])],
  };
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

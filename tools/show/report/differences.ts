import type { StackReport } from "./stackReport.ts";
import { describePeer, describePorts, exceptOf, factRows } from "./words.ts";

/** One thing in which stacks differ. */
export interface Difference {
  /** The fact or the part of a rule. */
  readonly what: string;
  /** What each stack has that not all have, in the order of the stacks. */
  readonly values: readonly (readonly string[])[];
}

/** In what the facts and the rules of several stacks differ, in the order of the facts and of the rules. */
export function differences(reports: readonly StackReport[]): Difference[] {
  const aspects = reports.map(aspectsOf);
  const names = [...new Set(aspects.flatMap((aspect) => [...aspect.keys()]))];
  return names.flatMap((what) => {
    const values = aspects.map((aspect) => aspect.get(what) ?? []);
    const own = values.map((list) => list.filter((value) => !values.every((other) => other.includes(value))));
    return own.some((list) => list.length > 0) ? [{ what, values: own }] : [];
  });
}

/** Everything that a report says, as lists of values by name. */
function aspectsOf({ facts, policy }: StackReport): Map<string, readonly string[]> {
  const { podSelector, egress } = policy.spec;
  const rules = egress.flatMap(({ to, ports }, index): [string, readonly string[]][] => [
    [`rule ${index} to`, to.map(describePeer)],
    [`rule ${index} except`, to.flatMap(exceptOf)],
    [`rule ${index} ports`, describePorts(ports)],
  ]);
  return new Map([
    ...factRows(facts),
    ["policy", [`${policy.metadata.namespace}/${policy.metadata.name}`]],
    ["pods", Object.entries(podSelector.matchLabels).map(([name, value]) => `${name}=${value}`)],
    ...rules,
  ]);
}

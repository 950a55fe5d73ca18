import { appliesTo, formatSelector, type NetworkPolicy, policyId, type Source } from "../../analysis/index.ts";
import { contractSource, type PlanContext } from "./networkFacts.ts";
import type { PolicySets } from "./stackReview.ts";

/** One NetworkPolicy as it is and as it will be. */
export interface PolicyPair {
  readonly before: NetworkPolicy | undefined;
  readonly after: NetworkPolicy | undefined;
}

/** The kinds of pod that a plan is about, and why that can't be said, if it can't. */
export interface Subjects {
  /** `undefined` as a member: whatever the one selector of all the policies selects. */
  readonly sources: readonly (Source | undefined)[];
  readonly obstacles: readonly string[];
}

/**
 * The pods of the contract, as it is and as it was, and those that a policy of theirs selects on either side: a changed
 * selector must not hide the pods that it leaves behind. Without a contract, the pods that each policy selects.
 */
export function subjectsOf(context: PlanContext, sets: PolicySets, pairs: readonly PolicyPair[]): Subjects {
  const declared = [context.contract, context.formerContract].flatMap((contract) => contractSource(contract) ?? []);
  const isTheirs = (policy: NetworkPolicy) => declared.some((source) => appliesTo(policy, source));
  if (declared.length > 0) {
    const reselecting = pairs.filter(
      (pair) => members(pair).some(isTheirs) && new Set(members(pair).map(selectorText)).size > 1,
    );
    return judged([...declared, ...plainSources(reselecting.flatMap(members))], reselecting);
  }
  const policies = [...sets.after, ...sets.before];
  const sources = plainSources(policies);
  if (sources.length === 0 && new Set(policies.map(selectorText)).size <= 1) {
    // One selector, so all the policies select the same pods, whichever they are.
    return { sources: policies.length === 0 ? [] : [undefined], obstacles: [] };
  }
  return judged(sources, pairs.filter(isChanged));
}

/** Only a selector without expressions says which pods there are. */
function judged(sources: readonly Source[], pairs: readonly PolicyPair[]): Subjects {
  const open = pairs.flatMap(members).filter((policy) => plainSource(policy) === undefined);
  const names = [...new Set(open.map(policyId))].sort().join(", ");
  return {
    sources: distinct(sources),
    obstacles:
      open.length === 0
        ? []
        : [`${names} selects pods by an expression; say which pods to judge with --namespace and --pod-label`],
  };
}

function isChanged({ before, after }: PolicyPair): boolean {
  const text = (policy: NetworkPolicy | undefined) =>
    JSON.stringify(policy, (_, value) => (typeof value === "bigint" ? value.toString() : value));
  return text(before) !== text(after);
}

function members({ before, after }: PolicyPair): NetworkPolicy[] {
  return [after, before].filter((policy) => policy !== undefined);
}

function selectorText({ namespace, podSelector }: NetworkPolicy): string {
  return `${namespace} ${formatSelector(podSelector)}`;
}

function plainSources(policies: readonly NetworkPolicy[]): Source[] {
  return policies.flatMap((policy) => plainSource(policy) ?? []);
}

/** The pod that a selector without expressions describes. */
function plainSource({ namespace, podSelector }: NetworkPolicy): Source | undefined {
  const labels: Record<string, string> = {};
  for (const { key, operator, values } of podSelector.requirements) {
    const [value] = values;
    if (operator !== "In" || values.length !== 1 || value === undefined) {
      return undefined;
    }
    labels[key] = value;
  }
  return { namespace, labels };
}

function distinct(sources: readonly Source[]): Source[] {
  const keyOf = ({ namespace, labels }: Source) =>
    JSON.stringify([namespace, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return [...new Map(sources.map((source) => [keyOf(source), source])).values()];
}

import type { Source } from "../../analysis/networkPolicy.ts";
import { canonicalJson } from "../../runner/canonicalJson.ts";
import { describeDrift } from "../../runner/drift.ts";
import { enforcedBy, factChanges, planContext } from "../../tools/review/networkFacts.ts";
import { isObject, NETWORK_POLICY, type Properties, type StackPlan } from "../../tools/review/plan.ts";
import type { Before } from "./before.ts";
import { type PlannedCluster, plannedCluster } from "./cluster.ts";

/** What a preview would do; a deploy may do this and nothing else. */
export interface PlannedUpdate {
  readonly stack: string;
  /** Full id of the commit that was previewed. */
  readonly commit: string;
  /** The looked-up network, as the component gets it. */
  readonly facts: Properties;
  readonly cluster: PlannedCluster;
  readonly policy: PlannedPolicy;
}

/** What somebody who approves a preview has seen: what it would do, and to what. */
export interface Approval extends PlannedUpdate {
  readonly before: Before;
}

/** The stack's NetworkPolicy in a plan; annotations are left out, for they say when and not what. */
export interface PlannedPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Properties;
}

/** The stack's one policy as the plan leaves it; `undefined` where a plan failed before it, or has another number. */
export function plannedPolicy(plan: StackPlan): PlannedPolicy | undefined {
  const planned = plan.resources.filter(({ type, after }) => type === NETWORK_POLICY && after !== undefined);
  const { metadata, spec } = (planned.length === 1 ? planned[0]?.after?.inputs : undefined) ?? {};
  return isObject(metadata) &&
    isObject(spec) &&
    typeof metadata.name === "string" &&
    typeof metadata.namespace === "string"
    ? { name: metadata.name, namespace: metadata.namespace, spec }
    : undefined;
}

/** The pods that a planned policy is for, which differences are judged for. */
export function runnersOf({ namespace, spec }: PlannedPolicy): Source {
  const labels =
    isObject(spec.podSelector) && isObject(spec.podSelector.matchLabels) ? spec.podSelector.matchLabels : {};
  return {
    namespace,
    labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])),
  };
}

/** What a preview would do; `undefined` where it does not say what it would do. */
export function plannedUpdate(plan: StackPlan, commit: string): PlannedUpdate | undefined {
  const policy = plannedPolicy(plan);
  const cluster = plannedCluster(plan);
  const { after: facts } = planContext(plan);
  return policy === undefined || cluster === undefined || plan.errors.length > 0 || Object.keys(facts).length === 0
    ? undefined
    : { stack: plan.stack, commit, facts, cluster, policy };
}

/** What would now be deployed beyond or instead of the approved, one sentence each; empty: the same. */
export function differencesFrom(approved: PlannedUpdate, now: PlannedUpdate): string[] {
  const reasons: string[] = [];
  if (approved.stack !== now.stack) {
    reasons.push(`approved was the stack ${approved.stack}, this is ${now.stack}`);
  }
  if (approved.commit !== now.commit) {
    reasons.push(`approved was commit ${approved.commit}, this is ${now.commit}`);
  }
  const changes = factChanges(approved.facts, now.facts);
  reasons.push(
    ...changes.map(({ what, before, after }) => `${what} was ${before ?? "not there"}, now it is ${after ?? "gone"}`),
  );
  if (changes.length === 0 && canonicalJson(approved.facts) !== canonicalJson(now.facts)) {
    reasons.push("the looked-up facts differ from the approved ones");
  }
  if (canonicalJson(approved.cluster) !== canonicalJson(now.cluster)) {
    reasons.push(
      "the cluster connection differs from the approved one: its endpoint, authority or credentials changed",
    );
  }
  if (approved.policy.name !== now.policy.name || approved.policy.namespace !== now.policy.namespace) {
    reasons.push(
      `approved was the policy ${approved.policy.namespace}/${approved.policy.name}, ` +
        `this is ${now.policy.namespace}/${now.policy.name}`,
    );
  }
  if (canonicalJson(approved.policy.spec) !== canonicalJson(now.policy.spec)) {
    const lines = describeDrift(
      now.policy.spec,
      approved.policy.spec,
      runnersOf(approved.policy),
      enforcedBy(now.facts),
    );
    reasons.push(
      ...(lines.length > 0 ? lines : ["its rules are written differently, though they allow the same"]).map(
        (line) => `the policy is not the approved one: ${line}`,
      ),
    );
  }
  return reasons;
}

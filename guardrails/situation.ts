import type { Labels, NamedAddresses } from "../analysis/index.ts";
import { formatCidr } from "../analysis/index.ts";
import type { Declaration } from "./declaration.ts";
import { isRead, type PlannedPolicy, readPolicy } from "./plannedPolicy.ts";
import { idOf, type PolicySet, type RunnerReach, selecting } from "./policySet.ts";
import {
  type ReachesOf,
  type RunnerGroup,
  type RunnerGroups,
  reachesIn,
  runnerGroups,
  type Which,
} from "./runnerGroups.ts";
import { type RunnerPods, runnerPods } from "./selection.ts";

/** Something in a plan or cluster that has, or may have, a say about the runners and that this analysis cannot read. */
export interface OpaquePolicy {
  readonly resource: string;
  /** What it is and why nothing can be concluded, as a sentence without its stop. */
  readonly what: string;
  /** What to do about it. Default: what helps for a policy of another kind. */
  readonly fix?: string;
}

/** Pods that a plan starts. */
export interface PlannedPods {
  readonly resource: string;
  /** Kind and name: `Job run`. */
  readonly what: string;
  /** `undefined`: unknown until the update. */
  readonly namespace: string | undefined;
  /** Those that are known. */
  readonly labels: Labels;
  readonly hostNetwork: boolean;
}

/** A setting of a plan with which nothing enforces policies. */
export interface PlannedSwitch {
  readonly resource: string;
  /** What has which setting, as a clause. */
  readonly what: string;
  readonly fix: string;
}

/** What is judged. */
export interface GuardrailInput {
  readonly declaration: Declaration;
  /** Every NetworkPolicy of the plan, those for other pods included. */
  readonly planned: readonly PlannedPolicy[];
  /** The NetworkPolicies that the cluster has now. Default: not known, and what depends on them is not judged. */
  readonly deployed?: readonly PlannedPolicy[];
  /** What else, in the plan or deployed, may have a say. */
  readonly opaque?: readonly OpaquePolicy[];
  /** Pods that the plan starts, those that are not runners included. Default: none. */
  readonly pods?: readonly PlannedPods[];
  /** Default: none. */
  readonly switches?: readonly PlannedSwitch[];
}

/** The input, read once for all guardrails. */
export interface Situation {
  /** Whether the policies are judged together, as a plan, or one by one. */
  readonly scope: "plan" | "alone";
  readonly declaration: Declaration;
  /** The runner pods, a namespace at a time. */
  readonly runners: readonly RunnerPods[];
  readonly plan: PolicySet;
  /** The policies of the plan that the declaration names. */
  readonly named: PolicySet;
  readonly deployed: PolicySet | undefined;
  /** What the cluster will have: the plan, and what is deployed and not in the plan. */
  readonly joint: PolicySet;
  readonly opaque: readonly OpaquePolicy[];
  readonly pods: readonly PlannedPods[];
  readonly switches: readonly PlannedSwitch[];
  /** What to call the VPC's addresses. */
  readonly names: readonly NamedAddresses[];
  readonly groups: RunnerGroups;
  readonly reachesOf: ReachesOf;
}

/**
 * Reads the input.
 *
 * @param scope `alone`: the policies are judged one by one, as when only one resource of a plan is known. Then nothing is
 * said about what is missing.
 */
export function situationOf(
  { declaration, planned, deployed, opaque = [], pods = [], switches = [] }: GuardrailInput,
  scope: Situation["scope"] = "plan",
): Situation {
  const plan = planned.map(readPolicy);
  const before = deployed?.map(readPolicy);
  const planIds = new Set(plan.map(idOf));
  const joint = [...plan, ...(before ?? []).filter((policy) => !planIds.has(idOf(policy)))];
  const runners = runnerPods(declaration);
  return {
    scope,
    declaration,
    runners,
    plan,
    named: plan.filter((policy) => declaration.policies.includes(idOf(policy) ?? "")),
    deployed: before,
    joint,
    opaque,
    pods,
    switches,
    names: declaration.vpcCidrs.map((cidr) => ({ cidr, name: `VPC ${formatCidr(cidr)}` })),
    groups:
      scope === "plan"
        ? runnerGroups(runners, { plan, joint, deployed: before ?? [] })
        : { groups: runners.flatMap((runner) => oneByOne(plan, runner)), tooMany: [] },
    reachesOf: reachesIn(declaration.cluster),
  };
}

/** Each policy that may select runners as if it were alone; those that isolate nothing say nothing. */
function oneByOne(plan: PolicySet, runner: RunnerPods): RunnerGroup[] {
  return selecting(plan, runner)
    .filter(isRead)
    .map((policy) => {
      const alone = { policies: [policy], isUncertain: false, mayBeIsolated: true };
      const nothing = { policies: [], isUncertain: false, mayBeIsolated: false };
      return { runner, pods: "", plan: alone, joint: alone, deployed: nothing };
    });
}

/** The groups of runner pods that differ in the policies of some sets, those of the fewest policies first. */
export function groupsThatDiffer({ groups: { groups } }: Situation, ...sets: readonly Which[]): RunnerGroup[] {
  const policiesOf = (group: RunnerGroup) => sets.map((which) => group[which].policies);
  const ids = new Map([...new Set(groups.flatMap(policiesOf).flat())].map((policy, id) => [policy, id]));
  const keyOf = (group: RunnerGroup) =>
    [group.runner.namespace, ...policiesOf(group).map((policies) => policies.map((policy) => ids.get(policy)))].join(
      " ",
    );
  const distinct = [...Map.groupBy(groups, keyOf).values()].map(([first]) => first as RunnerGroup);
  const isAlone = ({ runner }: RunnerGroup) => distinct.filter((other) => other.runner === runner).length === 1;
  return distinct
    .map((group) => (isAlone(group) ? { ...group, pods: "" } : group))
    .sort((a, b) => policiesOf(a).flat().length - policiesOf(b).flat().length);
}

/** What a set of policies lets the pods of a group reach, under both semantics. Nothing where they may not be isolated. */
export function reachesOfGroup({ reachesOf }: Situation, group: RunnerGroup, which: Which): RunnerReach[] {
  const { policies, mayBeIsolated } = group[which];
  return reachesOf(policies, group.pods).filter(({ analysis }) => analysis.isolated || !mayBeIsolated);
}

/** What the plan lets each group of runner pods reach, also where the AWS agent cannot load the policies. */
export function allReaches(situation: Situation): RunnerReach[] {
  return groupsThatDiffer(situation, "plan").flatMap((group) => reachesOfGroup(situation, group, "plan"));
}

/**
 * What the plan lets each group of runner pods reach. Without the reach of policies that the AWS agent cannot load, of which
 * nothing can be said: the guardrail for EKS hazards reports them.
 */
export function reaches(situation: Situation): RunnerReach[] {
  return allReaches(situation).filter(isLoaded);
}

/** The same where losses count: nothing where a policy is unread, because it may allow what the others do not. */
export function certainReaches(situation: Situation): RunnerReach[] {
  return groupsThatDiffer(situation, "plan")
    .filter(({ plan }) => !plan.isUncertain)
    .flatMap((group) => reachesOfGroup(situation, group, "plan"))
    .filter(isLoaded);
}

/** Whether the AWS agent can load the policies. */
export function isLoaded({ analysis }: RunnerReach): boolean {
  return analysis.aborts.length === 0;
}

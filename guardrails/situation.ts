import type { NamedAddresses } from "../analysis/index.ts";
import { formatCidr } from "../analysis/index.ts";
import type { Declaration } from "./declaration.ts";
import type { PlannedPolicy, UnreadPolicy } from "./plannedPolicy.ts";
import {
  idOf,
  jointReaches,
  type PolicySet,
  policySet,
  type Reach,
  type RunnerPods,
  selecting,
  separateReaches,
} from "./policySet.ts";
import type { GuardrailName, Violation } from "./violation.ts";

/** Something else in a plan or cluster that has a say about the runners and that this analysis cannot read. */
export interface OpaquePolicy {
  readonly resource: string;
  /** Kind and name: `ClusterNetworkPolicy deny-imds`. */
  readonly what: string;
}

/** What is judged. */
export interface GuardrailInput {
  readonly declaration: Declaration;
  /** Every NetworkPolicy of the plan, those for other pods included. */
  readonly planned: readonly PlannedPolicy[];
  /** The NetworkPolicies that the cluster has now. Default: not known, and what depends on them is not judged. */
  readonly deployed?: readonly PlannedPolicy[];
  /** Policies of other kinds, in the plan or deployed, that may select runner pods. */
  readonly opaque?: readonly OpaquePolicy[];
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
  /** What to call the VPC's addresses. */
  readonly names: readonly NamedAddresses[];
}

/**
 * Reads the input.
 *
 * @param scope `alone`: the policies are judged one by one, as when only one resource of a plan is known. Then nothing is
 * said about what is missing.
 */
export function situationOf(
  { declaration, planned, deployed, opaque = [] }: GuardrailInput,
  scope: Situation["scope"] = "plan",
): Situation {
  const plan = policySet(planned);
  const before = deployed && policySet(deployed);
  const planIds = new Set([...plan.read, ...plan.unread].map(idOf));
  const isKept = (policy: Parameters<typeof idOf>[0]) => !planIds.has(idOf(policy));
  const isNamed = (policy: Parameters<typeof idOf>[0]) => declaration.policies.includes(idOf(policy) ?? "");
  return {
    scope,
    declaration,
    runners: declaration.runner.namespaces.map((namespace) => ({ namespace, labels: declaration.runner.labels })),
    plan,
    named: { read: plan.read.filter(isNamed), unread: plan.unread.filter(isNamed) },
    deployed: before,
    joint: {
      read: [...plan.read, ...(before?.read.filter(isKept) ?? [])],
      unread: [...plan.unread, ...(before?.unread.filter(isKept) ?? [])],
    },
    opaque,
    names: declaration.vpcCidrs.map((cidr) => ({ cidr, name: `VPC ${formatCidr(cidr)}` })),
  };
}

/**
 * What policies let runner pods reach. Without the reach of policies that the AWS agent cannot load, of which nothing can
 * be said: the guardrail for EKS hazards reports them.
 */
export function reaches(situation: Situation, set: PolicySet, runner: RunnerPods): Reach[] {
  return allReaches(situation, set, runner).filter(({ analysis }) => analysis.aborts.length === 0);
}

/** The same where losses count: nothing while a policy is unread, because it may allow what the others do not. */
export function reachesOfRead(situation: Situation, set: PolicySet, runner: RunnerPods): Reach[] {
  return selecting(set, runner).unread.length > 0 ? [] : reaches(situation, set, runner);
}

/** The same with the reach of policies that the agent cannot load. */
export function allReaches({ scope, declaration }: Situation, set: PolicySet, runner: RunnerPods): Reach[] {
  return (scope === "plan" ? jointReaches : separateReaches)(set, runner, declaration.cluster);
}

/** One violation for each policy that may select runner pods and cannot be read. */
export function inconclusive(guardrail: GuardrailName, set: PolicySet, runners: readonly RunnerPods[]): Violation[] {
  const unread = new Set(runners.flatMap((runner) => selecting(set, runner).unread));
  return [...unread].map((policy) => cannotConclude(guardrail, policy));
}

function cannotConclude(guardrail: GuardrailName, policy: UnreadPolicy): Violation {
  const id = idOf(policy);
  return {
    guardrail,
    resource: policy.planned.resource,
    policy: id,
    rule: undefined,
    witness: undefined,
    message: `cannot conclude: NetworkPolicy ${id ?? policy.planned.resource} may select runner pods, and ${policy.reason}.`,
    fix: policy.fix,
    conclusive: false,
  };
}

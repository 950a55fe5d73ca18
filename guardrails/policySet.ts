import {
  compile,
  type EgressAnalysis,
  type Labels,
  type NetworkPolicy,
  policyId,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
} from "../analysis/index.ts";
import type { DeclaredCluster } from "./declaration.ts";
import { isRead, type PlannedPolicy, type ReadPolicy, readPolicy, type UnreadPolicy } from "./plannedPolicy.ts";
import { selectionOf } from "./selection.ts";

/** Policies that are judged together. */
export interface PolicySet {
  readonly read: readonly ReadPolicy[];
  readonly unread: readonly UnreadPolicy[];
}

/** The runner pods of one namespace. */
export interface RunnerPods {
  readonly namespace: string;
  readonly labels: Labels;
}

export function policySet(planned: readonly PlannedPolicy[]): PolicySet {
  const policies = planned.map(readPolicy);
  return {
    read: policies.filter(isRead),
    unread: policies.filter((policy): policy is UnreadPolicy => !isRead(policy)),
  };
}

/** `namespace/name` of a policy; of an unreadable one as far as it can be told. */
export function idOf(policy: ReadPolicy | UnreadPolicy): string | undefined {
  if (isRead(policy)) {
    return policyId(policy.policy);
  }
  const { identity } = policy;
  return identity && `${identity.namespace}/${identity.name}`;
}

/** The policies that may select one of these pods. */
export function selecting({ read, unread }: PolicySet, runner: RunnerPods): PolicySet {
  return {
    read: read.filter(({ policy }) => selectionOf(policy, runner) !== "none"),
    unread: unread.filter(({ shell, identity }) =>
      shell === undefined
        ? identity === undefined || identity.namespace === runner.namespace
        : selectionOf(shell, runner) !== "none",
    ),
  };
}

/** What some of the runner pods may reach. */
export interface Reach {
  readonly semantics: Semantics;
  readonly analysis: EgressAnalysis;
  /** The policies of the analysis, in its order. */
  readonly policies: readonly ReadPolicy[];
}

/**
 * What the readable policies let runner pods reach: under both semantics, and where some policies select only some of
 * the pods both for pods that only the others select and for pods that all select.
 */
export function jointReaches(set: PolicySet, runner: RunnerPods, cluster: DeclaredCluster): Reach[] {
  const { read, unread } = selecting(set, runner);
  // An unread policy isolates all the same, and what the others allow is known.
  const all = [...read, ...unread.flatMap(asShell)];
  const certain = all.filter(({ policy }) => selectionOf(policy, runner) === "every");
  const subsets = certain.length === all.length ? [all] : [certain, all];
  const mayIsolate = unread.some(({ shell }) => shell === undefined);
  return semanticsOf(cluster)
    .flatMap((semantics) => subsets.map((policies) => reachOf(policies, semantics)))
    .filter(({ analysis }) => analysis.isolated || !mayIsolate);
}

/** What each readable policy that may select runner pods allows by itself; those that isolate nothing say nothing. */
export function separateReaches(set: PolicySet, runner: RunnerPods, cluster: DeclaredCluster): Reach[] {
  const { read } = selecting(set, runner);
  return semanticsOf(cluster)
    .flatMap((semantics) => read.map((policy) => reachOf([policy], semantics)))
    .filter(({ analysis }) => analysis.isolated);
}

function asShell({ planned, shell }: UnreadPolicy): ReadPolicy[] {
  return shell === undefined ? [] : [{ planned, policy: shell, looseCidrs: [] }];
}

/** What policies allow together, all taken to select the pod. */
export function reachOf(policies: readonly ReadPolicy[], semantics: Semantics): Reach {
  return {
    semantics,
    policies,
    analysis: compile(policiesOf(policies), { semantics, source: SELECTED_BY_EVERY_POLICY }),
  };
}

export function policiesOf(read: readonly ReadPolicy[]): NetworkPolicy[] {
  return read.map(({ policy }) => policy);
}

/** As specified, then as the AWS agent enforces it. */
export function semanticsOf({ ipFamily, agentVersion }: DeclaredCluster): Semantics[] {
  return [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily, ...(agentVersion !== undefined && { agentVersion }) }];
}

import { formatSelector } from "../analysis/index.ts";
import { labelWorlds } from "../analysis/reach/labelWorlds.ts";
import type { DeclaredCluster } from "./declaration.ts";
import { isUnread, type ReadPolicy } from "./plannedPolicy.ts";
import { hidesSome, type PolicySet, type RunnerReach, reachOf, selecting, semanticsOf, shells } from "./policySet.ts";
import type { RunnerPods } from "./selection.ts";

/** The sets of policies that are judged: the plan, what the cluster will have, and what it has. */
export type Which = "plan" | "joint" | "deployed";

type Sets<Value> = Readonly<Record<Which, Value>>;

/** The policies of a set that select some runner pods. */
export interface Selected {
  /** One that cannot be read is there without its rules. */
  readonly policies: readonly ReadPolicy[];
  /** Whether a policy that cannot be read selects the pods, or may. */
  readonly isUncertain: boolean;
  /** Whether a policy of which not even the pods are known may select and isolate them. */
  readonly mayBeIsolated: boolean;
}

/** Runner pods of one namespace that the same policies select. */
export interface RunnerGroup extends Sets<Selected> {
  readonly runner: RunnerPods;
  /** Labels that make a runner one of them; empty where all are. */
  readonly pods: string;
}

/** Every group of runner pods that can exist. */
export interface RunnerGroups {
  readonly groups: readonly RunnerGroup[];
  /** Namespaces whose policies select runners in more ways than are judged, and those policies. */
  readonly tooMany: readonly { readonly runner: RunnerPods; readonly policies: readonly ReadPolicy[] }[];
}

/** Which of the declared runner pods the same policies select: before, after and in the plan alone. */
export function runnerGroups(runners: readonly RunnerPods[], sets: Sets<PolicySet>): RunnerGroups {
  const found = runners.map((runner) => groupsOf(runner, sets));
  return {
    groups: found.flatMap(({ groups }) => groups),
    tooMany: found.flatMap(({ tooMany }) => tooMany),
  };
}

function groupsOf(runner: RunnerPods, sets: Sets<PolicySet>): RunnerGroups {
  const may = ofEach(sets, (set) => selecting(set, runner));
  const policies = [...new Set([may.joint, may.plan, may.deployed].flatMap(shells))];
  const { worlds, isComplete } = labelWorlds(
    policies.map(({ policy }) => policy.podSelector),
    runner.pods,
  );
  const groups = worlds.map(({ selected, labels }): RunnerGroup => {
    const own = new Set(policies.filter((_, index) => selected.has(index)));
    return {
      runner,
      pods: worlds.length === 1 ? "" : formatSelector(labels),
      ...ofEach(may, (set) => ({
        policies: shells(set).filter((policy) => own.has(policy)),
        isUncertain: set.filter(isUnread).some(({ shell }) => shell === undefined || own.has(shell)),
        mayBeIsolated: hidesSome(set, runner),
      })),
    };
  });
  return { groups, tooMany: isComplete ? [] : [{ runner, policies }] };
}

function ofEach<Value>({ plan, joint, deployed }: Sets<PolicySet>, make: (set: PolicySet) => Value): Sets<Value> {
  return { plan: make(plan), joint: make(joint), deployed: make(deployed) };
}

/** What policies allow some pods, under both semantics. */
export type ReachesOf = (policies: readonly ReadPolicy[], pods?: string) => RunnerReach[];

/** The reaches in a cluster, computed once for the same policies. */
export function reachesIn(cluster: DeclaredCluster): ReachesOf {
  const semantics = semanticsOf(cluster);
  const known = new Map<string, RunnerReach[]>();
  const ids = new Map<ReadPolicy, number>();
  return (policies, pods = "") => {
    for (const policy of policies) {
      ids.set(policy, ids.get(policy) ?? ids.size);
    }
    const key = policies.map((policy) => ids.get(policy)).join();
    const found = known.get(key) ?? semantics.map((each) => reachOf(policies, each));
    known.set(key, found);
    return pods === "" ? found : found.map((reach) => ({ ...reach, pods }));
  };
}

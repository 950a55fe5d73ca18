import { formatSelector, type Semantics } from "../analysis/index.ts";
import { labelWorlds } from "../analysis/reach/labelWorlds.ts";
import type { DeclaredCluster } from "./declaration.ts";
import type { ReadPolicy } from "./plannedPolicy.ts";
import { type PolicySet, type RunnerReach, reachOf, selecting, semanticsOf, shells } from "./policySet.ts";
import type { RunnerPods } from "./selection.ts";

/** The sets of policies that are judged: the plan, what the cluster will have, and what it has. */
export type Which = "plan" | "joint" | "deployed";

/** Runner pods of one namespace that the same policies select. */
export interface RunnerGroup {
  readonly runner: RunnerPods;
  /** Labels that make a runner one of them; empty where all are. */
  readonly pods: string;
  /** The policies that select them, an unreadable one without its rules. */
  readonly policies: Readonly<Record<Which, readonly ReadPolicy[]>>;
  /** Whether a policy that cannot be read selects them, or may. */
  readonly isUncertain: Readonly<Record<Which, boolean>>;
  /** Whether a policy of which not even the pods are known may select and isolate them. */
  readonly mayBeIsolated: Readonly<Record<Which, boolean>>;
}

/** Every group of runner pods that can exist. */
export interface RunnerGroups {
  readonly groups: readonly RunnerGroup[];
  /** Namespaces whose policies select runners in more ways than are judged, and those policies. */
  readonly tooMany: readonly { readonly runner: RunnerPods; readonly policies: readonly ReadPolicy[] }[];
}

/** Which of the declared runner pods the same policies select: before, after and in the plan alone. */
export function runnerGroups(runners: readonly RunnerPods[], sets: Readonly<Record<Which, PolicySet>>): RunnerGroups {
  const found = runners.map((runner) => groupsOf(runner, sets));
  return {
    groups: found.flatMap(({ groups }) => groups),
    tooMany: found.flatMap(({ tooMany }) => tooMany),
  };
}

function groupsOf(runner: RunnerPods, sets: Readonly<Record<Which, PolicySet>>): RunnerGroups {
  const of = <Value>(make: (set: PolicySet) => Value): Record<Which, Value> => ({
    plan: make(sets.plan),
    joint: make(sets.joint),
    deployed: make(sets.deployed),
  });
  const may = of((set) => selecting(set, runner));
  const all = [...new Set([...shells(may.joint), ...shells(may.plan), ...shells(may.deployed)])];
  const { worlds, isComplete } = labelWorlds(
    all.map(({ policy }) => policy.podSelector),
    runner.pods,
  );
  const hidden = of((set) => selecting(set, runner).unread.some(({ shell }) => shell === undefined));
  const groups = worlds.map(({ selected, labels }): RunnerGroup => {
    const own = new Set(all.filter((_, index) => selected.has(index)));
    const policies = of((set) => shells(set).filter((policy) => own.has(policy)));
    const isUncertain = of(({ unread }) => unread.some(({ shell }) => shell !== undefined && own.has(shell)));
    return {
      runner,
      pods: worlds.length === 1 ? "" : formatSelector(labels),
      policies,
      isUncertain: {
        plan: isUncertain.plan || hidden.plan,
        joint: isUncertain.joint || hidden.joint,
        deployed: isUncertain.deployed || hidden.deployed,
      },
      mayBeIsolated: hidden,
    };
  });
  return { groups, tooMany: isComplete ? [] : [{ runner, policies: all }] };
}

/** The reach of each group, computed once for the same policies. */
export class GroupReaches {
  private readonly semantics: readonly Semantics[];
  private readonly known = new Map<string, RunnerReach>();
  private readonly ids = new Map<ReadPolicy, number>();

  constructor(cluster: DeclaredCluster) {
    this.semantics = semanticsOf(cluster);
  }

  /** What policies allow some pods, under both semantics, where anything is known of it. */
  of(policies: readonly ReadPolicy[], pods = ""): RunnerReach[] {
    return this.semantics.map((semantics) => {
      const key = `${semantics.name} ${policies.map((policy) => this.idOf(policy)).join()}`;
      const known = this.known.get(key) ?? reachOf(policies, semantics);
      this.known.set(key, known);
      return pods === "" ? known : { ...known, pods };
    });
  }

  private idOf(policy: ReadPolicy): number {
    const id = this.ids.get(policy) ?? this.ids.size;
    this.ids.set(policy, id);
    return id;
  }
}

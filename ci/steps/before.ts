import type { Source } from "../../analysis/networkPolicy.ts";
import type { Semantics } from "../../analysis/semantics.ts";
import { canonicalJson } from "../../runner/canonicalJson.ts";
import { describeDrift } from "../../runner/drift.ts";
import { Refusal } from "../../tools/refusal.ts";
import { enforcedBy } from "../../tools/review/networkFacts.ts";
import { isObject, type Properties } from "../../tools/review/plan.ts";
import { Cluster } from "../../tools/verify/cluster.ts";
import { type PlannedPolicy, type PlannedUpdate, runnersOf } from "./approval.ts";
import { accessTo, type PlannedCluster } from "./cluster.ts";
import { deployedCommit, isAncestor } from "./commits.ts";

/** What an approval takes as its starting point: a change is a change of something. */
export interface Before {
  /** Spec of the live policy; `null`: the cluster has no policy of this name. */
  readonly spec: Properties | null;
  /** The commit that the stack was deployed from; `null`: never yet. */
  readonly commit: string | null;
}

/** What is live now in the place of a planned policy. */
export async function readBefore(stack: string, cluster: PlannedCluster, policy: PlannedPolicy): Promise<Before> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${policy.namespace}/networkpolicies/${policy.name}`;
  let live: { readonly spec?: unknown } | undefined;
  try {
    live = await new Cluster(await accessTo(cluster)).read(path);
  } catch (error) {
    throw new Refusal(`The live policy of ${stack} can't be read:`, [(error as Error).message]);
  }
  return {
    spec: live === undefined ? null : isObject(live.spec) ? live.spec : {},
    commit: (await deployedCommit(stack)) ?? null,
  };
}

/**
 * How what is live differs from what an approval started from, one sentence each; empty: not at all. What the approval itself
 * brings about is no difference, or a deploy whose verification failed could not be repeated.
 */
export function movedSince(
  approved: Pick<PlannedUpdate, "commit" | "policy" | "facts"> & { readonly before: Before },
  now: Before,
): string[] {
  const { before, commit, policy, facts } = approved;
  const same = (a: unknown, b: unknown) => canonicalJson(a) === canonicalJson(b);
  const name = (id: string | null) => id ?? "none";
  return [
    ...(now.commit === before.commit || now.commit === commit
      ? []
      : [`it was deployed from commit ${name(before.commit)} when it was previewed, now from ${name(now.commit)}`]),
    ...(same(now.spec, before.spec) || same(now.spec, policy.spec)
      ? []
      : changed(before.spec, now.spec, runnersOf(policy), enforcedBy(facts))),
  ];
}

function changed(
  before: Properties | null,
  now: Properties | null,
  runners: Source,
  enforced: Semantics | undefined,
): string[] {
  if (before === null || now === null) {
    return [now === null ? "the live policy is gone" : "a policy is live that was not there when it was previewed"];
  }
  const lines = describeDrift(now, before, runners, enforced);
  return (lines.length > 0 ? lines : ["its rules are written differently, though they allow the same"]).map(
    (line) => `the live policy is not the one that was previewed: ${line}`,
  );
}

/**
 * Why a commit must not follow the deployed one; `undefined`: it may. An older commit takes back what came after it.
 *
 * @param rollbackFrom the deployed commit, where it is meant to be taken back
 */
export async function takesBack(
  commit: string,
  deployed: string | null,
  rollbackFrom: string | undefined,
): Promise<string | undefined> {
  if (deployed === null || deployed === commit || deployed === rollbackFrom) {
    return undefined;
  }
  const meant = `If it is meant to be taken back, say so: --rollback-from ${deployed}`;
  switch (await isAncestor(commit, deployed)) {
    case false:
      return undefined;
    case true:
      return `commit ${commit} is older than ${deployed}, which is deployed. ${meant}`;
    case "unknown":
      return `deployed is commit ${deployed}, which this clone doesn't have; fetch the whole history. ${meant}`;
  }
}

import { selects } from "../../../analysis/labelSelector.ts";
import type { NetworkPolicy } from "../../../analysis/networkPolicy.ts";
import { RUN_LABEL } from "../manifests.ts";
import type { ContainerObject, PodObject } from "../objects.ts";
import { checked, contradiction, doubt, type Finding, type Found, note } from "./finding.ts";

/** The longest name of a Job whose pods keep a dash before their suffix (aws-network-policy-agent #671). */
const LONGEST_JOB_NAME = 57;

/** The live pods that a policy is for, without those of a verify run. */
export function runnerPods(policy: NetworkPolicy, pods: readonly PodObject[]): PodObject[] {
  return pods.filter(
    ({ metadata }) =>
      metadata.namespace === policy.namespace &&
      selects(policy.podSelector, metadata.labels ?? {}) &&
      metadata.labels?.[RUN_LABEL] === undefined,
  );
}

/** Whether runner pods have the shape that the agent enforces: Jobs' pods with short names of their own, no way around. */
export function judgeRunnerPods(policy: NetworkPolicy, pods: readonly PodObject[]): Finding[] {
  const runners = runnerPods(policy, pods).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const found =
    runners.length === 0
      ? [note("no runner pod exists now, so their shape was not looked at")]
      : [...runners.flatMap(judgePod), ...judgeStems(runners)];
  return checked("runner pods", found, `${runners.length} runner pods have the shape that is enforced`);
}

function judgeStems(runners: readonly PodObject[]): Found[] {
  const ownersOf = Map.groupBy(runners, ({ metadata: { name } }) => name.slice(0, Math.max(0, name.lastIndexOf("-"))));
  return [...ownersOf].flatMap(([stem, pods]) => {
    const owners = new Set(pods.map(({ metadata }) => metadata.ownerReferences?.[0]?.name ?? metadata.name));
    const text = `pods of ${[...owners].join(" and ")} are all named ${stem}-…, and the AWS agent keeps one set of rules for that name`;
    return owners.size > 1 ? [doubt(text, "give each Job a name of its own before the last dash")] : [];
  });
}

function judgePod({ metadata, spec }: PodObject): Found[] {
  const pod = `pod ${metadata.name}`;
  const found: Found[] = [];
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === "Job");
  if (spec.hostNetwork === true) {
    found.push(contradiction(`${pod} is on the host's network, where no policy applies`, "set hostNetwork: false"));
  }
  if (owner === undefined) {
    const text = `${pod} belongs to no Job; EKS documents policies only for pods with an owner`;
    found.push(doubt(text, "run it as a Job"));
  } else if (owner.name.length > LONGEST_JOB_NAME) {
    const text = `${pod} has a Job with a name of ${owner.name.length} characters, of which the agent loses the end`;
    found.push(doubt(text, `use at most ${LONGEST_JOB_NAME} characters (48 for a CronJob)`));
  }
  const raw = [...spec.containers, ...(spec.initContainers ?? [])].filter(hasNetRaw).map(({ name }) => name);
  if (raw.length > 0) {
    const text = `${pod} has NET_RAW in ${raw.join(", ")}, with which packets can be forged that the agent misreads`;
    found.push(doubt(text, "drop ALL capabilities in each container's securityContext"));
  }
  return found;
}

/** Container runtimes grant it unless it is dropped. */
function hasNetRaw({ securityContext }: ContainerObject): boolean {
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  const named = (list: readonly string[]) =>
    list.some((name) => ["ALL", "NET_RAW"].includes(name.toUpperCase().replace(/^CAP_/, "")));
  return securityContext?.privileged === true || named(add) || !named(drop);
}

import { selects } from "../../../analysis/labelSelector.ts";
import type { NetworkPolicy } from "../../../analysis/networkPolicy.ts";
import { RUN_LABEL } from "../manifests.ts";
import type { ContainerObject, PodObject } from "../objects.ts";
import type { Finding } from "./finding.ts";

/** The longest name of a Job whose pods keep a dash before their suffix (aws-network-policy-agent #671). */
export const LONGEST_JOB_NAME = 57;

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
  if (runners.length === 0) {
    return [
      { check: "runner pods", level: "note", text: "no runner pod exists now, so their shape was not looked at" },
    ];
  }
  const findings = runners.flatMap((pod) => judgePod(pod));
  const byJob = new Map<string, Set<string>>();
  for (const { metadata } of runners) {
    const owner = metadata.ownerReferences?.[0]?.name ?? metadata.name;
    const stem = metadata.name.slice(0, Math.max(0, metadata.name.lastIndexOf("-")));
    byJob.set(stem, (byJob.get(stem) ?? new Set()).add(owner));
  }
  for (const [stem, owners] of byJob) {
    if (owners.size > 1) {
      findings.push({
        check: "runner pods",
        level: "doubt",
        text: `pods of ${[...owners].join(" and ")} are all named ${stem}-…, and the AWS agent keeps one set of rules for that name`,
        remedy: "give each Job a name of its own before the last dash",
      });
    }
  }
  return findings.length > 0
    ? findings
    : [{ check: "runner pods", level: "ok", text: `${runners.length} runner pods have the shape that is enforced` }];
}

function judgePod({ metadata, spec }: PodObject): Finding[] {
  const finding = (level: "doubt" | "contradiction" | "note", text: string, remedy: string): Finding => ({
    check: "runner pods",
    level,
    text: `pod ${metadata.name} ${text}`,
    remedy,
  });
  const findings: Finding[] = [];
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === "Job");
  if (spec.hostNetwork === true) {
    findings.push(
      finding("contradiction", "is on the host's network, where no policy applies", "set hostNetwork: false"),
    );
  }
  if (owner === undefined) {
    findings.push(
      finding("doubt", "belongs to no Job; EKS documents policies only for pods with an owner", "run it as a Job"),
    );
  } else if (owner.name.length > LONGEST_JOB_NAME) {
    const text = `has a Job with a name of ${owner.name.length} characters, of which the agent loses the end`;
    findings.push(finding("doubt", text, `use at most ${LONGEST_JOB_NAME} characters (48 for a CronJob)`));
  }
  const raw = [...spec.containers, ...(spec.initContainers ?? [])].filter(hasNetRaw);
  if (raw.length > 0) {
    const text = `has NET_RAW in ${raw.map(({ name }) => name).join(", ")}, with which packets can be forged that the agent misreads`;
    findings.push(finding("doubt", text, "drop ALL capabilities in each container's securityContext"));
  }
  return findings;
}

/** Container runtimes grant it unless it is dropped. */
function hasNetRaw({ securityContext }: ContainerObject): boolean {
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  const named = (list: readonly string[]) =>
    list.some((name) => ["ALL", "NET_RAW"].includes(name.toUpperCase().replace(/^CAP_/, "")));
  return securityContext?.privileged === true || named(add) || !named(drop);
}

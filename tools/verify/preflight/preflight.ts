import type { Labels } from "../../../analysis/labelSelector.ts";
import type { NetworkPolicy } from "../../../analysis/networkPolicy.ts";
import { formatPoint } from "../../../analysis/point.ts";
import type { Semantics } from "../../../analysis/semantics.ts";
import { labelsFor } from "../manifests.ts";
import { MOST_TARGETS } from "../plan.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Plan } from "../targets.ts";
import type { NamedTarget } from "../targetsFile.ts";
import { judgeEnforcer } from "./enforcer.ts";
import { contradiction, type Finding, type Found } from "./finding.ts";
import { judgePeers } from "./peers.ts";
import { judgeControl, judgeLivePolicy, judgeNewerKinds, judgeOtherPolicies } from "./policies.ts";
import { judgePolicyEndpoints } from "./policyEndpoints.ts";
import { judgeRunnerPods, runnerPods } from "./runnerPods.ts";

interface PreflightInput {
  readonly program: NetworkPolicy;
  readonly semantics: Semantics;
  readonly snapshot: Snapshot;
  readonly controlNamespace: string;
  readonly controlLabels: Labels;
}

/** Looks at everything that can be judged without sending a packet. */
export function preflight(input: PreflightInput): Finding[] {
  const { program, semantics, snapshot } = input;
  const live = runnerPods(program, snapshot.pods).map(({ metadata }) => metadata.labels ?? {});
  const labelSets = [labelsFor(program.podSelector), ...live];
  return [
    ...judgeLivePolicy(program, snapshot.networkPolicies, semantics),
    ...judgeOtherPolicies({ program, semantics, snapshot, labelSets }),
    ...judgeNewerKinds({ ...snapshot, labelSets }),
    ...judgePeers(program, snapshot.inventory),
    ...judgeRunnerPods(program, snapshot.pods),
    ...judgeControl(input.controlLabels, input.controlNamespace, snapshot.controlPolicies),
    ...judgeEnforcer(snapshot.enforcer),
    ...(semantics.name === "vpc-cni" ? judgePolicyEndpoints(program, semantics, snapshot) : []),
  ];
}

/** Whether the plan can be carried out and agrees with what the targets file expects. */
export function judgePlan({ targets }: Plan, named: readonly NamedTarget[]): Finding[] {
  const found: Found[] = [];
  if (targets.length === 0 || targets.length > MOST_TARGETS) {
    const remedy = targets.length === 0 ? "name some in the targets file" : "name fewer in the targets file";
    found.push({
      level: "stop",
      text: `there are ${targets.length} targets; a run takes 1 to ${MOST_TARGETS}`,
      remedy,
    });
  }
  for (const { name, point, expect } of named) {
    const address = formatPoint(point);
    const target = targets.find((candidate) => formatPoint(candidate.point) === address);
    if (expect !== undefined && target !== undefined && target.expected !== expect) {
      const text = `the targets file expects ${expect} for ${name} (${address}), the policy says ${target.expected}: ${target.why}`;
      found.push(contradiction(text, "correct the file, or the stack's destinations"));
    }
  }
  for (const { name, point, specified, expected, why } of targets) {
    if (specified !== undefined) {
      found.push({
        level: expected === "allow" ? "contradiction" : "note",
        text: `${name} (${formatPoint(point)}) is ${specified} as Kubernetes specifies, but ${expected} as the agent enforces it: ${why}`,
        remedy: "see docs/semantics.md for the shape of rules that causes this",
      });
    }
  }
  return found.map((each) => ({ check: "targets", ...each }));
}

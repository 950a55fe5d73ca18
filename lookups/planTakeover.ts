import { createHash } from "node:crypto";
import type { StackConfig } from "../config/stackConfig.ts";
import { canonicalJson } from "../rules/canonicalJson.ts";
import { describeDrift } from "../rules/drift.ts";
import type { EgressNetworkPolicy } from "../rules/networkPolicy.ts";
import type { Problem } from "../rules/problem.ts";
import type { LivePolicy } from "./livePolicy.ts";

const PREFIX = "runner-egress.keeperhub.com";

/** The stack that owns the policy, `PROJECT/STACK`. */
export const STACK_ANNOTATION = `${PREFIX}/stack`;

/** Fingerprint of the spec as the stack applied it; a live spec with another one was changed by somebody else. */
export const APPLIED_ANNOTATION = `${PREFIX}/applied-spec`;

/**
 * The resource version at which the policy was last found changed by somebody else. A new value makes Pulumi send the
 * whole policy again: it can't see for itself what was appended to a live list.
 */
export const REPAIRED_ANNOTATION = `${PREFIX}/repaired-drift`;

/** Resolves every conflict with another field manager in the stack's favour, in a preview too. */
export const FORCE_ANNOTATION = "pulumi.com/patchForce";

/** The policy that the last update of this stack left; its outputs. */
export interface DeployedPolicy {
  readonly policyName?: string;
  readonly namespace?: string;
}

/** How the desired policy gets onto the cluster. */
export interface Takeover {
  /** Take over the live object in place. */
  readonly adopt: boolean;
  /** The policy gets another name or namespace, so its predecessor has to go: protection is off for this once. */
  readonly replaces: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  /** For the reader of a preview. */
  readonly warnings: readonly string[];
}

/** Fingerprint of a spec; equal specs have equal ones, whatever the order of members. */
export function fingerprint(spec: unknown): string {
  return createHash("sha256").update(canonicalJson(spec)).digest("hex").slice(0, 16);
}

/**
 * Compares the live policy with the desired one and decides how the stack gets from one to the other. Notes a problem
 * when the live policy is not this stack's and may not be adopted, and when the change would leave the runner without
 * a policy for a moment.
 *
 * @param live `undefined` when the cluster has none
 * @param deployed empty before the first update
 */
export function planTakeover(
  config: Pick<StackConfig, "stack" | "adopt" | "acknowledge">,
  desired: EgressNetworkPolicy,
  live: LivePolicy | undefined,
  deployed: DeployedPolicy,
  problems: Problem[],
): Takeover {
  const { name, namespace } = desired.metadata;
  const where = `NetworkPolicy ${namespace}/${name}`;
  const warnings: string[] = [];
  const isDeployed = deployed.policyName === name && deployed.namespace === namespace;
  const owner = live?.annotations[STACK_ANNOTATION];
  const isOurs = live !== undefined && (owner === config.stack || (owner === undefined && isDeployed));
  const annotations: Record<string, string> = {
    [FORCE_ANNOTATION]: "true",
    [STACK_ANNOTATION]: config.stack,
    [APPLIED_ANNOTATION]: fingerprint(desired.spec),
  };
  const repaired = live?.annotations[REPAIRED_ANNOTATION];
  if (isOurs && repaired !== undefined) {
    annotations[REPAIRED_ANNOTATION] = repaired;
  }
  const accepted = config.acknowledge.get("policy-identity-change");
  const refuseChange = (change: string) => {
    if (accepted === undefined) {
      problems.push({
        where,
        reason:
          `${change}. The VPC CNI may not apply this to running pods, and a replacement leaves a moment in which ` +
          "nothing is denied. docs/adoption.md has the safe steps; then set " +
          'runner-egress:acknowledge.policy-identity-change: "<why>"',
      });
    } else {
      warnings.push(`${where}: ${change}. Acknowledged (policy-identity-change): ${accepted}`);
    }
  };

  const replaces = deployed.policyName !== undefined && !isDeployed;
  if (replaces) {
    refuseChange(`the stack's policy is ${deployed.namespace}/${deployed.policyName} and would be renamed to this`);
  }
  if (live === undefined) {
    if (isDeployed) {
      annotations[REPAIRED_ANNOTATION] = "deleted";
      warnings.push(
        `${where}: somebody deleted it; every egress of the runners is open. Run pulumi up --refresh, which creates it ` +
          "again: without --refresh the update fails, because Pulumi takes it to be there",
      );
    }
    return { adopt: false, replaces, annotations, warnings };
  }

  if (!isOurs && !config.adopt) {
    problems.push({
      where,
      reason: owner
        ? `it belongs to the stack ${owner}. If that stack was renamed or is gone, set runner-egress:adopt: true; else ` +
          "check runner-egress:cluster and runner-egress:runner"
        : "it is there already and not this stack's. To take it over in place, whatever it says now, set " +
          "runner-egress:adopt: true (pulumi config set adopt true)",
    });
    return { adopt: false, replaces, annotations, warnings };
  }

  const isChanged = isOurs && live.annotations[APPLIED_ANNOTATION] !== fingerprint(live.spec);
  const isRepairOnly = isChanged && live.annotations[APPLIED_ANNOTATION] === annotations[APPLIED_ANNOTATION];
  const differences = describeDrift(live.spec, desired.spec);
  if (isChanged) {
    annotations[REPAIRED_ANNOTATION] = `resource-version-${live.resourceVersion}`;
    warnings.push(
      [`${where}: somebody changed it since this stack applied it; up puts it right. The live policy differs:`]
        .concat(differences.map((line) => `  - ${line}`))
        .join("\n"),
    );
  } else if (!isOurs) {
    warnings.push(
      [`${where}: up takes it over in place.${differences.length === 0 ? "" : " Until then it differs:"}`]
        .concat(differences.map((line) => `  - ${line}`))
        .join("\n"),
    );
  }
  if (!isRepairOnly && canonicalJson(live.spec.podSelector) !== canonicalJson(desired.spec.podSelector)) {
    refuseChange(
      `its podSelector changes from ${canonicalJson(live.spec.podSelector)} to ${canonicalJson(desired.spec.podSelector)}`,
    );
  }
  // The option stays harmless once the object is in the state, so config may keep the switch.
  return { adopt: config.adopt, replaces, annotations, warnings };
}

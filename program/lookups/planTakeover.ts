import { createHash } from "node:crypto";
import type { Problem } from "../../analysis/problems.ts";
import { canonicalJson } from "../../runner/canonicalJson.ts";
import { describeDrift } from "../../runner/drift.ts";
import { enforcementOf, type NetworkFacts } from "../../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../../runner/networkPolicy.ts";
import type { StackConfig } from "../config/stackConfig.ts";
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

/** The policy that the last update of this stack left: its outputs, none before the first. */
export interface DeployedPolicy {
  readonly policyName?: string;
  readonly namespace?: string;
  readonly facts?: { readonly cluster?: { readonly name?: string } };
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
  /** What an update changes in the live policy, in words; Pulumi's own diff goes by position and is hard to read. */
  readonly changes: readonly string[];
}

/** Fingerprint of a spec; equal specs have equal ones, whatever the order of members. */
export function fingerprint(spec: unknown): string {
  return createHash("sha256").update(canonicalJson(spec)).digest("hex").slice(0, 16);
}

/** What {@link planTakeover} compares. */
export interface TakeoverInputs {
  readonly config: Pick<StackConfig, "stack" | "adopt" | "acknowledge">;
  readonly desired: EgressNetworkPolicy;
  /** The cluster that the policy is for, and what enforces it there. */
  readonly facts: Pick<NetworkFacts, "cluster" | "addOn">;
  /** `undefined` when the cluster has no policy of this name. */
  readonly live: LivePolicy | undefined;
  readonly deployed: DeployedPolicy;
}

/**
 * Compares the live policy with the desired one and decides how the stack gets from one to the other. Notes a problem
 * when the live policy is not this stack's and may not be adopted, and when the change could leave the runner without
 * a policy for a moment.
 */
export function planTakeover(inputs: TakeoverInputs, problems: Problem[]): Takeover {
  const { config, desired, facts, live, deployed } = inputs;
  const clusterName = facts.cluster.name;
  const { name, namespace } = desired.metadata;
  const where = `NetworkPolicy ${namespace}/${name}`;
  const applied = fingerprint(desired.spec);
  const annotations: Record<string, string> = {
    [FORCE_ANNOTATION]: "true",
    [STACK_ANNOTATION]: config.stack,
    [APPLIED_ANNOTATION]: applied,
  };
  const warnings: string[] = [];
  const changes: string[] = [];
  const { facts: { cluster: { name: deployedCluster = clusterName } = {} } = {} } = deployed;
  const isDeployed =
    deployed.policyName === name && deployed.namespace === namespace && deployedCluster === clusterName;
  const replaces = deployed.policyName !== undefined && !isDeployed;
  const plan = { adopt: config.adopt && live !== undefined, replaces, annotations, warnings, changes };

  const accepted = config.acknowledge.get("policy-identity-change");
  let isIdentityChange = false;
  const changeIdentity = (change: string) => {
    isIdentityChange = true;
    if (accepted === undefined) {
      problems.push({
        where,
        reason:
          `${change}. The VPC CNI may not apply this to running pods, and a replacement can leave a moment in which ` +
          "nothing is denied. Follow docs/adoption.md, which has the safe steps, and set " +
          'runner-egress:acknowledge.policy-identity-change: "<why>"',
      });
    } else {
      warnings.push(`${where}: ${change}. Acknowledged (policy-identity-change): ${accepted}`);
    }
  };
  if (replaces) {
    const moves = deployedCluster !== clusterName;
    const before = `${deployed.namespace}/${deployed.policyName}${moves ? ` in cluster ${deployedCluster}` : ""}`;
    changeIdentity(`it replaces ${before}, which this stack has now${moves ? `, in cluster ${clusterName}` : ""}`);
  }

  const owner = live?.annotations[STACK_ANNOTATION];
  const isOurs = live !== undefined && (owner === config.stack || (owner === undefined && isDeployed));
  if (live === undefined) {
    if (isDeployed) {
      annotations[REPAIRED_ANNOTATION] = "deleted";
      warnings.push(
        `${where}: somebody deleted it, and the runners may reach everything. Run pulumi up --refresh, which creates ` +
          "it again; without --refresh the update fails, because Pulumi takes the policy to be there",
      );
    }
  } else if (!config.adopt && (!isOurs || deployed.policyName === undefined)) {
    problems.push({ where, reason: isOurs ? STATE_LOST : notOurs(owner) });
  } else {
    compareSpecs(live, isOurs);
  }
  if (accepted !== undefined && !isIdentityChange) {
    warnings.push(
      "runner-egress:acknowledge.policy-identity-change is not needed now; remove it, or it will hide the next case",
    );
  }
  return plan;

  function compareSpecs(live: LivePolicy, isOurs: boolean): void {
    const runner = { namespace, labels: desired.spec.podSelector.matchLabels };
    const enforced = enforcementOf(facts);
    const lastApplied = live.annotations[APPLIED_ANNOTATION];
    const isChanged = isOurs && lastApplied !== fingerprint(live.spec);
    const repaired = live.annotations[REPAIRED_ANNOTATION];
    if (isChanged) {
      const differences = describeDrift(live.spec, desired.spec, runner, enforced).map((line) => `\n  - ${line}`);
      annotations[REPAIRED_ANNOTATION] = `resource-version-${live.resourceVersion}`;
      const how = isOwnWrite(live)
        ? "the cluster stores something else than what this stack applied, and nobody has written it since: look at its " +
          "mutating admission webhooks, because up writes it again and the cluster changes it again"
        : "somebody changed it since this stack applied it; up puts it right";
      warnings.push(
        `${where}: ${how}. Against what the stack says, the live policy differs:` +
          (differences.join("") || " only in how it is written, not in what it allows"),
      );
    } else {
      changes.push(...describeDrift(desired.spec, live.spec, runner, enforced));
    }
    if (isOurs && !isChanged && repaired !== undefined) {
      // Kept, or its removal would be one more update.
      annotations[REPAIRED_ANNOTATION] = repaired;
    }
    if (!isOurs) {
      warnings.push(`${where}: it is not this stack's yet; up takes it over in place`);
    }
    const [is, shall] = [canonicalJson(live.spec.podSelector), canonicalJson(desired.spec.podSelector)];
    // Putting back what somebody changed by hand needs no acknowledgement: nobody asked for a new selector.
    if (is !== shall && !(isChanged && lastApplied === applied)) {
      changeIdentity(`its podSelector changes from ${is} to ${shall}`);
    }
  }
}

/** Whether the spec was written by Pulumi's Kubernetes provider alone; whoever edits a live policy becomes a writer, too. */
function isOwnWrite({ writers }: LivePolicy): boolean {
  return writers.length > 0 && writers.every((manager) => /^pulumi-kubernetes(-|$)/.test(manager));
}

const STATE_LOST =
  "it is this stack's by its annotation, but the stack's state does not have it: the state was lost or made anew, and up " +
  "would fail because the object exists. To take it over in place, set runner-egress:adopt: true (pulumi config set adopt true)";

function notOurs(owner: string | undefined): string {
  return owner === undefined
    ? "it is there already, and not this stack's. To take it over in place, whatever it says now, set " +
        "runner-egress:adopt: true (pulumi config set adopt true)"
    : `it belongs to the stack ${owner}. If that stack is gone or was renamed, set runner-egress:adopt: true ` +
        "(pulumi config set adopt true); else check runner-egress:cluster and runner-egress:runner";
}

import { formatSelector } from "../analysis/index.ts";
import { isObject, membersOf } from "../analysis/plainObject.ts";
import { type ChangeAcknowledgement, type PolicyChange, stale, valid } from "./acknowledgement.ts";
import { isUnread, type ReadPolicy, type UnreadPolicy } from "./plannedPolicy.ts";
import { idOf, type PolicySet, selecting, shellOf } from "./policySet.ts";
import type { Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";

/** What happens to a declared policy. */
interface Change extends Objection {
  readonly policy: string;
  readonly change: PolicyChange;
}

/**
 * Guardrail 7: every declared policy is protected, and neither leaves the plan nor changes its pods while the cluster has
 * it, unless that very change is acknowledged. Without the policy the runners may reach everything.
 *
 * @param today `YYYY-MM-DD`
 */
export function protection(
  { scope, declaration, runners, plan, named, deployed }: Situation,
  acknowledgements: readonly ChangeAcknowledgement[],
  today: string,
): Objection[] {
  // Without a name nobody can tell whether it is a declared policy, nor without a selector what becomes of one.
  const isOpen = (policy: UnreadPolicy) => {
    const id = idOf(policy);
    return (
      id === undefined || (deployed !== undefined && policy.shell === undefined && declaration.policies.includes(id))
    );
  };
  const unread = runners.flatMap((runner) => selecting(plan, runner).filter(isUnread));
  const changes = [
    ...unprotected(named),
    ...(deployed === undefined || unread.some(isOpen) ? [] : changesSince(deployed, named, declaration.policies)),
  ];
  const accepts = (word: ChangeAcknowledgement, { policy, change }: Change) =>
    word.policy === policy && word.change === change;
  const accepted = valid(acknowledgements, today);
  return [
    ...named.flatMap(owned),
    ...changes
      .filter((change) => !accepted.some((word) => accepts(word, change)))
      .map(({ change: _, ...objection }) => objection),
    ...(scope === "alone"
      ? []
      : stale(acknowledgements, today, (word) => changes.some((change) => accepts(word, change)))),
  ];
}

/** What the garbage collector deletes with its owner, whatever protects it in the engine. */
function owned(policy: ReadPolicy | UnreadPolicy): Objection[] {
  const { resource, object } = policy.planned;
  const { ownerReferences } = membersOf(membersOf(object).metadata);
  const owners = Array.isArray(ownerReferences) ? ownerReferences.filter(isObject) : [];
  return owners.map(({ kind, name }) => ({
    resource,
    policy: idOf(policy),
    message: `NetworkPolicy ${idOf(policy)} has an owner, ${kind ?? "object"} ${name ?? "(name unknown)"}: the garbage collector deletes it with that, and the runners could reach everything.`,
    fix: "take metadata.ownerReferences out of the policy.",
  }));
}

/** Declared policies of the plan that the engine would delete without asking. */
function unprotected(named: PolicySet): Change[] {
  return named
    .filter(({ planned }) => planned.protect === false)
    .map((policy) => ({
      policy: idOf(policy) ?? "",
      change: "unprotect",
      resource: policy.planned.resource,
      message: `NetworkPolicy ${idOf(policy)} is not protected: a renamed resource or a destroy would delete it, and the runners could reach everything.`,
      fix: 'set the resource option protect: true; or acknowledge the change "unprotect".',
    }));
}

function changesSince(deployed: PolicySet, named: PolicySet, declared: readonly string[]): Change[] {
  const planned = new Map(named.map((policy) => [idOf(policy), policy]));
  return deployed.flatMap((before): Change[] => {
    const policy = idOf(before) ?? "";
    const after = planned.get(policy);
    if (after === undefined) {
      const message = `NetworkPolicy ${policy} is deployed and not in the plan: it would be deleted or left without an owner.`;
      const fix = 'keep it in the program; or acknowledge the change "remove".';
      return declared.includes(policy) ? [{ policy, change: "remove", message, fix }] : [];
    }
    const [old, now] = [before, after].map((each) => {
      const shell = shellOf(each);
      return shell && formatSelector(shell.policy.podSelector);
    });
    return now === undefined || old === undefined || old === now
      ? []
      : [
          {
            policy,
            change: "selector",
            resource: after.planned.resource,
            message: `NetworkPolicy ${policy} changes its podSelector from "${old}" to "${now}"; the controller may not apply that to a live policy (aws-network-policy-agent #643).`,
            fix: 'create a policy under a new name first and remove the old one later; or acknowledge the change "selector".',
          },
        ];
  });
}

import { formatSelector } from "../analysis/index.ts";
import { type ChangeAcknowledgement, type PolicyChange, staleViolations, valid } from "./acknowledgement.ts";
import { isObject, membersOf } from "./plainObject.ts";
import { isRead, type ReadPolicy, type UnreadPolicy } from "./plannedPolicy.ts";
import { idOf, type PolicySet, selecting } from "./policySet.ts";
import type { Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

/** What happens to a declared policy. */
interface Change {
  readonly policy: string;
  readonly change: PolicyChange;
  readonly resource: string | undefined;
  readonly message: string;
  readonly fix: string;
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
): Violation[] {
  // Without a name nobody can tell whether it is a declared policy, nor without a selector what becomes of one.
  const isOpen = (policy: UnreadPolicy) => {
    const id = idOf(policy);
    return (
      id === undefined || (deployed !== undefined && policy.shell === undefined && declaration.policies.includes(id))
    );
  };
  const unread = runners.flatMap((runner) => selecting(plan, runner).unread);
  const changes = [
    ...unprotected(named),
    ...(deployed === undefined || unread.some(isOpen) ? [] : changesSince(deployed, named, declaration.policies)),
  ];
  const accepted = valid(acknowledgements, today);
  const accepts =
    ({ policy, change }: Change) =>
    (word: ChangeAcknowledgement) =>
      word.policy === policy && word.change === change;
  return [
    ...[...named.read, ...named.unread].flatMap(ownedViolations),
    ...changes
      .filter((change) => !accepted.some(accepts(change)))
      .map(
        ({ policy, resource, message, fix }): Violation => ({
          guardrail: "protection",
          resource,
          policy,
          rule: undefined,
          witness: undefined,
          message,
          fix,
        }),
      ),
    ...(scope === "alone"
      ? []
      : staleViolations("protection", acknowledgements, today, (word) =>
          changes.some((change) => accepts(change)(word)),
        )),
  ];
}

/** What the garbage collector deletes with its owner, whatever protects it in the engine. */
function ownedViolations(policy: ReadPolicy | UnreadPolicy): Violation[] {
  const { ownerReferences } = membersOf(membersOf(policy.planned.object).metadata);
  const owners = Array.isArray(ownerReferences) ? ownerReferences.filter(isObject) : [];
  return owners.map(({ kind, name }) => ({
    guardrail: "protection",
    resource: policy.planned.resource,
    policy: idOf(policy),
    rule: undefined,
    witness: undefined,
    message: `NetworkPolicy ${idOf(policy)} has an owner, ${kind ?? "object"} ${name ?? "(name unknown)"}: the garbage collector deletes it with that, and the runners could reach everything.`,
    fix: "take metadata.ownerReferences out of the policy.",
  }));
}

/** Declared policies of the plan that the engine would delete without asking. */
function unprotected({ read, unread }: PolicySet): Change[] {
  return [...read, ...unread]
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
  const planned = new Map([...named.read, ...named.unread].map((policy) => [idOf(policy), policy]));
  return [...deployed.read, ...deployed.unread].flatMap((before): Change[] => {
    const id = idOf(before) ?? "";
    const after = planned.get(id);
    if (after === undefined) {
      return declared.includes(id)
        ? [
            {
              policy: id,
              change: "remove",
              resource: undefined,
              message: `NetworkPolicy ${id} is deployed and not in the plan: it would be deleted or left without an owner.`,
              fix: 'keep it in the program; or acknowledge the change "remove".',
            },
          ]
        : [];
    }
    const [old, now] = [before, after].map((each) => {
      const readable = isRead(each) ? each.policy : each.shell?.policy;
      return readable && formatSelector(readable.podSelector);
    });
    return now === undefined || old === undefined || old === now
      ? []
      : [
          {
            policy: id,
            change: "selector",
            resource: after.planned.resource,
            message: `NetworkPolicy ${id} changes its podSelector from "${old}" to "${now}"; the controller may not apply that to a live policy (aws-network-policy-agent #643).`,
            fix: 'create a policy under a new name first and remove the old one later; or acknowledge the change "selector".',
          },
        ];
  });
}

import { formatSelector, type NetworkPolicy, policyId } from "../analysis/index.ts";
import { selectorOf } from "./declaredPolicies.ts";
import type { ReadPolicy } from "./plannedPolicy.ts";
import { idOf, type PolicySet } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { selectionOf, selectsOthers } from "./selection.ts";
import { inconclusive, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

type Found = Pick<Violation, "message" | "fix">;

/**
 * Guardrail 3: every runner pod is selected by a policy that isolates its egress, the policies that the declaration names
 * are in the plan, and they select exactly the runner pods.
 */
export function isolation(situation: Situation): Violation[] {
  const { declaration, runners, plan, named, scope } = situation;
  const violations = shells(named).flatMap((policy) => namedPolicyViolations(situation, policy));
  const withoutShell = { read: [], unread: plan.unread.filter(({ shell }) => shell === undefined) };
  const undecided = inconclusive("isolation", withoutShell, runners);
  violations.push(...undecided);
  // A policy of which not even the name or the selector is known may be the one that seems to be missing.
  if (scope === "alone" || undecided.length > 0) {
    return violations;
  }
  for (const id of declaration.policies) {
    if (![...plan.read, ...plan.unread].some((policy) => idOf(policy) === id)) {
      violations.push(missing(id, situation));
    }
  }
  for (const { namespace, labels } of runners) {
    const isIsolated = shells(plan).some(
      ({ policy }) => policy.isolatesEgress && selectionOf(policy, { namespace, labels }) === "every",
    );
    if (!isIsolated) {
      violations.push({
        ...of(undefined, undefined),
        message: `no NetworkPolicy of the plan isolates the egress of every pod ${formatSelector(selectorOf(labels))} in namespace ${namespace}, so such a pod may reach everything.`,
        fix: `give a policy in namespace ${namespace} the podSelector ${JSON.stringify({ matchLabels: labels })} and policyTypes ["Egress"].`,
      });
    }
  }
  return violations;
}

/** What this guardrail needs of a policy: whom it selects and whether it isolates, which bad or unknown rules do not hide. */
type Shell = Pick<ReadPolicy, "policy" | "planned">;

function shells({ read, unread }: PolicySet): Shell[] {
  return [...read, ...unread.flatMap(({ shell, planned }) => (shell === undefined ? [] : { policy: shell, planned }))];
}

/** What is wrong with the selector or the types of a policy that the declaration names. */
function namedPolicyViolations({ declaration, runners }: Situation, { policy, planned }: Shell): Violation[] {
  const found: Found[] = [];
  const { labels } = declaration.runner;
  const wanted = formatSelector(selectorOf(labels));
  const exact = `set podSelector to ${JSON.stringify({ matchLabels: labels })}.`;
  const own = `podSelector "${formatSelector(policy.podSelector)}"`;
  if (!runners.some(({ namespace }) => namespace === policy.namespace)) {
    found.push({
      message: `is in namespace ${policy.namespace}, where no runner pods are declared.`,
      fix: `put it into ${declaration.runner.namespaces.join(" or ")}, or correct ${memberIn(declaration, "runner.namespaces")}.`,
    });
  } else if (selectionOf(policy, { namespace: policy.namespace, labels }) !== "every") {
    found.push({ message: `does not select every runner pod: ${own} asks for more than ${wanted}.`, fix: exact });
  }
  if (selectsOthers(policy.podSelector, labels)) {
    found.push({ message: `selects pods that are no runners: ${own} is wider than ${wanted}.`, fix: exact });
  }
  if (!policy.isolatesEgress) {
    found.push({
      message: "does not isolate egress: its policyTypes lack Egress.",
      fix: 'set policyTypes to ["Egress"].',
    });
  }
  return found.map(({ message, fix }) => ({
    ...of(planned.resource, policy),
    message: `NetworkPolicy ${policyId(policy)} ${message}`,
    fix,
  }));
}

function missing(id: string, { plan, runners, declaration }: Situation): Violation {
  const others = plan.read
    .filter(({ policy }) => runners.some(({ namespace }) => namespace === policy.namespace))
    .map(({ policy }) => policyId(policy));
  const instead = others.length === 0 ? "" : `; the plan has ${[...new Set(others)].sort().join(", ")}`;
  return {
    ...of(undefined, undefined),
    policy: id,
    message: `NetworkPolicy ${id} is not in the plan${instead}.`,
    fix: `keep the policy in the program under that name and namespace, or correct ${memberIn(declaration, "policies")}.`,
  };
}

function of(resource: string | undefined, policy: NetworkPolicy | undefined): Omit<Violation, "message" | "fix"> {
  return {
    guardrail: "isolation",
    resource,
    policy: policy && policyId(policy),
    rule: undefined,
    witness: undefined,
    conclusive: true,
  };
}

import type { Problem } from "../analysis/problems.ts";
import { checkPolicies } from "../guardrails/index.ts";
import { declarationOf } from "../program/declaration.ts";
import type { RunnerContract } from "../runner/contract.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../runner/networkPolicy.ts";
import { ruleOrigins } from "../runner/runnerPolicy.ts";

/**
 * What the guardrails that hold for a policy by itself say about one that was built, each problem with the member of the
 * contract that is at fault, such as `cidrs.dns`; empty for the contract as a whole. The policy pack checks the same on the
 * whole plan; here they hold without it, and for values that are known only at `up`.
 *
 * Not judged by the agent's version: one that is too old is refused with the other facts about the add-on, unless the stack
 * accepts it.
 */
export function guardrailProblems(
  policy: EgressNetworkPolicy,
  contract: RunnerContract,
  facts: NetworkFacts,
): Problem[] {
  const id = `${policy.metadata.namespace}/${policy.metadata.name}`;
  const origins = ruleOrigins(contract);
  return checkPolicies({
    declaration: declarationOf(contract, facts),
    planned: [{ resource: id, object: policy }],
  }).map(({ guardrail, rule, message, fix }) => {
    const where = (rule !== undefined && origins[rule]) || "";
    // Who writes a contract has no except to change.
    const ownFix =
      guardrail === "metadata-endpoints" && where.startsWith("cidrs.")
        ? `take it out of the blocks of ${where}; of EKS Pod Identity, allow 80/TCP alone.`
        : fix;
    return { where, reason: `it breaks the guardrail ${guardrail}: ${message}\n    Fix: ${ownFix}` };
  });
}

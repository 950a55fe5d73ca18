import { type Problem, ProblemsError } from "../analysis/problems.ts";
import { checkPolicies } from "../guardrails/index.ts";
import type { RunnerContract } from "../runner/contract.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../runner/networkPolicy.ts";
import { buildRunnerPolicy, type RunnerPolicy, ruleOrigins } from "../runner/runnerPolicy.ts";
import { configKey } from "./config/contractConfig.ts";
import type { StackConfig } from "./config/stackConfig.ts";
import { declarationOf } from "./declaration.ts";

/**
 * The policy that a stack's config means in a network, held to the guardrails that hold for a policy by itself.
 *
 * @throws {ProblemsError} with everything that is wrong, each problem with the config key that sets it.
 */
export function plannedPolicy(
  { stack, contract }: Pick<StackConfig, "stack" | "contract">,
  facts: NetworkFacts,
): RunnerPolicy {
  const [project = ""] = stack.split("/");
  return guardedPolicy(contract, facts, (where) => configKey(project, where));
}

/**
 * The same of a contract.
 *
 * @param placeOf where somebody sets a member of the contract or the facts, such as `cidrs.dns` or `vpc`; the member is empty
 *   for the contract as a whole
 * @throws {ProblemsError} with everything that is wrong.
 */
export function guardedPolicy(
  contract: RunnerContract,
  facts: NetworkFacts,
  placeOf: (member: string) => string,
): RunnerPolicy {
  try {
    return buildRunnerPolicy(contract, facts, (policy, found) =>
      // What is wrong with a contract's blocks sets off other guardrails as well; only an open endpoint is news beside it.
      guardrailProblems(policy, contract, facts).filter(
        ({ guardrail }) => found.length === 0 || guardrail === "metadata-endpoints",
      ),
    );
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    const problems = error.problems.map(({ where, ...problem }) => ({ ...problem, where: placeOf(where) }));
    throw new ProblemsError("The policy can't be built; nothing was written:", problems);
  }
}

/**
 * What the guardrails say about one policy, each problem with the member of the contract that is at fault. The policy pack
 * judges by the same on the whole plan; here they hold without it, and for values that are known only at `up`.
 *
 * Not judged by the agent's version: one that is too old is refused with the other facts about the add-on, unless the stack
 * accepts it.
 */
export function guardrailProblems(
  policy: EgressNetworkPolicy,
  contract: RunnerContract,
  facts: NetworkFacts,
): (Problem & { readonly guardrail: string })[] {
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
    return { guardrail, where, reason: `it breaks the guardrail ${guardrail}: ${message}\n    Fix: ${ownFix}` };
  });
}

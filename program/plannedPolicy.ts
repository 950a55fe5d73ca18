import { type Problem, ProblemsError } from "../analysis/problems.ts";
import { guardrailProblems } from "../components/guardrailProblems.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import { buildRunnerPolicy, type RunnerPolicy } from "../runner/runnerPolicy.ts";
import { configKey } from "./config/contractConfig.ts";
import type { StackConfig } from "./config/stackConfig.ts";

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
  const refusal = (problems: readonly Problem[]) =>
    new ProblemsError(
      "The policy can't be built; nothing was written:",
      problems.map((problem) => ({ ...problem, where: configKey(project, problem.where) })),
    );
  let planned: RunnerPolicy;
  try {
    planned = buildRunnerPolicy(contract, facts);
  } catch (error) {
    throw error instanceof ProblemsError ? refusal(error.problems) : error;
  }
  const problems = guardrailProblems(planned.policy, contract, facts);
  if (problems.length > 0) {
    throw refusal(problems);
  }
  return planned;
}

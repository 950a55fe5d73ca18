import * as pulumi from "@pulumi/pulumi";
import { type Problem, throwIfWrong } from "../../analysis/problems.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import { plannedPolicy } from "../plannedPolicy.ts";
import { failureText } from "./failureText.ts";
import type { Network } from "./lookUpNetwork.ts";
import { type DeployedPolicy, planTakeover, type Takeover } from "./planTakeover.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * Looks at the live policy and at what this stack last deployed, says what differs from the desired policy, and decides
 * how to get there.
 *
 * @throws {ProblemsError} with every problem, before anything is written.
 */
export async function lookUpPolicy(
  config: StackConfig,
  { facts, cluster }: Network,
  { readLivePolicy, log }: Surroundings,
): Promise<Takeover> {
  const { namespace, policyName } = config.contract;
  const problems: Problem[] = [];
  // Apart, so that the order does not depend on who answers first.
  const stateProblems: Problem[] = [];
  const { policy, notices } = plannedPolicy(config, facts);
  const [live, deployed] = await Promise.all([
    readLivePolicy(cluster, namespace, policyName, problems),
    readDeployedPolicy(stateProblems),
  ]);
  problems.push(...stateProblems);
  throwIfWrong("What is there now can't be read; nothing was written:", problems);
  const takeover = planTakeover({ config, desired: policy, facts, live, deployed }, problems);
  throwIfWrong("The policy can't be applied; nothing was written:", problems);
  for (const text of [...notices, ...takeover.warnings]) {
    await log.warn(text);
  }
  if (takeover.changes.length > 0) {
    const lines = takeover.changes.map((line) => `\n  - ${line}`);
    await log.info(`NetworkPolicy ${namespace}/${policyName}: against the live policy, this changes:${lines.join("")}`);
  }
  return takeover;
}

/**
 * The outputs of this stack's last update. The engine's own lookup rather than a `StackReference` to the stack itself,
 * which would be one more resource in its state. A failure is noted: without them nothing tells what an update replaces.
 */
async function readDeployedPolicy(problems: Problem[]): Promise<DeployedPolicy> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  try {
    const answer: { outputs?: DeployedPolicy } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {
      name,
    });
    if (answer.outputs === undefined) {
      throw new Error("the engine answered none");
    }
    return answer.outputs;
  } catch (error) {
    const reason = `its outputs can't be read: ${failureText(error)}. Check the access to Pulumi's state and try again`;
    problems.push({ where: `stack ${name}`, reason });
    return {};
  }
}

import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../../analysis/problems.ts";
import { failureText } from "./failureText.ts";
import type { DeployedPolicy } from "./planTakeover.ts";

/**
 * The outputs of this stack's last update. The engine's own lookup rather than a `StackReference` to the stack itself,
 * which would be one more resource in its state. A failure is noted: without them nothing tells what an update replaces.
 */
export async function readDeployedPolicy(problems: Problem[]): Promise<DeployedPolicy> {
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

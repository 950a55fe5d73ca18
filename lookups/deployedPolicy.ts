import * as pulumi from "@pulumi/pulumi";
import type { DeployedPolicy } from "./planTakeover.ts";

/**
 * The outputs of this stack's last update. The engine's own lookup rather than a `StackReference` to the stack itself,
 * which would be one more resource in its state.
 */
export async function readDeployedPolicy(): Promise<DeployedPolicy> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const answer: { outputs?: DeployedPolicy } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  return answer.outputs ?? {};
}

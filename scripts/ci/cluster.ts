import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { isObject, type Properties } from "../../review/plan.ts";
import { capture } from "./command.ts";
import { fileNames } from "./files.ts";
import { Refusal } from "./refusal.ts";

/** How `kubectl` and `egress verify` get to the stack's cluster. */
export interface ClusterAccess {
  readonly context: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** The cluster of a stack: the kubeconfig context that its file names, else the EKS cluster of its facts. */
export async function clusterAccess(folder: string, stack: string, facts: Properties): Promise<ClusterAccess> {
  const file = load(readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as { config?: Record<string, unknown> };
  const cluster = file.config?.["runner-egress:cluster"];
  const { context, roleArn } = isObject(cluster) ? cluster : {};
  if (typeof context === "string") {
    return { context, env: {} };
  }
  const name = isObject(facts.cluster) ? facts.cluster.name : undefined;
  const region = isObject(facts.vpc) ? facts.vpc.region : undefined;
  if (typeof name !== "string" || typeof region !== "string") {
    throw new Refusal(`The facts of ${stack} name no cluster and no region.`);
  }
  const kubeconfig = fileNames.kubeconfig(folder, stack);
  const role = typeof roleArn === "string" ? ["--role-arn", roleArn] : [];
  const args = ["eks", "update-kubeconfig", "--name", name, "--region", region, "--kubeconfig", kubeconfig, ...role];
  const { status } = await capture("aws", args);
  if (status !== 0) {
    throw new Refusal(`aws ${args.join(" ")} ended with ${status}.`);
  }
  return { context: undefined, env: { KUBECONFIG: kubeconfig } };
}

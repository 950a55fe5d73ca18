import { accessFrom, type ClusterAccess, type Kubeconfig, readKubeconfig } from "../../kube/kubeconfig.ts";
import { isObject, type StackPlan } from "../../tools/review/plan.ts";
import { fileNames, savePrivate } from "./files.ts";

/** How the stack's Kubernetes provider gets to its cluster: a kubeconfig as JSON, or a context of the user's own. */
export type PlannedCluster = { readonly kubeconfig: string } | { readonly context: string };

const PROVIDER = "pulumi:providers:kubernetes";

/**
 * The cluster that a plan would change, from the provider that would do it, so that what is checked or verified is never
 * another one. `undefined` where the plan failed before it or does not know it yet.
 */
export function plannedCluster(plan: StackPlan): PlannedCluster | undefined {
  const providers = plan.resources.filter(({ type, after }) => type === PROVIDER && after !== undefined);
  const { kubeconfig, context } = (providers.length === 1 ? providers[0]?.after?.inputs : undefined) ?? {};
  if (typeof kubeconfig === "string" && isObject(parsed(kubeconfig))) {
    return { kubeconfig };
  }
  return typeof context === "string" ? { context } : undefined;
}

/**
 * The way to a cluster, for this process; runs the credential command if there is one.
 *
 * @throws {Error} that names what is missing or failed.
 */
export async function accessTo(cluster: PlannedCluster): Promise<ClusterAccess> {
  return "context" in cluster
    ? accessFrom(await readKubeconfig(), cluster.context)
    : accessFrom(JSON.parse(cluster.kubeconfig) as Kubeconfig);
}

/** What a command with `--context` and `KUBECONFIG` needs for a cluster. */
export interface CommandAccess {
  readonly context: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** The same for a command; a kubeconfig becomes a file of the folder. It has no credentials in it. */
export function commandAccessTo(cluster: PlannedCluster, folder: string, stack: string): CommandAccess {
  if ("context" in cluster) {
    return { context: cluster.context, env: {} };
  }
  const path = fileNames.kubeconfig(folder, stack);
  savePrivate(path, cluster.kubeconfig);
  return { context: undefined, env: { KUBECONFIG: path } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

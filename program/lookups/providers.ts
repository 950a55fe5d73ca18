import { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import type { AwsConfig, StackConfig } from "../config/stackConfig.ts";
import type { Cluster } from "./livePolicy.ts";

/** The AWS provider of every lookup. It manages nothing. */
export function awsProvider({ allowedAccountIds, ...config }: AwsConfig): AwsProvider {
  return new AwsProvider("aws", { ...config, ...(allowedAccountIds && { allowedAccountIds: [...allowedAccountIds] }) });
}

/**
 * The provider's defaults, said aloud: what is left out comes from `PULUMI_K8S_...` in the environment of whoever runs
 * Pulumi (@pulumi/kubernetes provider.js, 4.34). There an unreachable cluster could pass for an updated one, and a live
 * policy be overwritten that nobody adopted.
 */
const DEFAULTS = {
  deleteUnreachable: false,
  enablePatchForce: false,
  enableServerSideApply: true,
  skipUpdateUnreachable: false,
  upsertExistingObjects: false,
};

/** The provider of the policy. */
export function kubernetesProvider({ aws, cluster }: StackConfig, reached: Cluster): KubernetesProvider {
  return new KubernetesProvider("kubernetes", {
    ...DEFAULTS,
    // Only another cluster may replace the provider, and with it the policy; not new credentials or a new endpoint.
    clusterIdentifier: "eks" in cluster ? `eks/${aws.region}/${cluster.eks}` : `context/${cluster.context}`,
    ...("kubeconfig" in reached
      ? { kubeconfig: JSON.stringify(reached.kubeconfig) }
      : // Empty: as kubectl finds it. Left out it would be the text of KUBECONFIG, which is another path on each machine and
        // no file where it names several.
        { kubeconfig: "", context: reached.context }),
  });
}

import { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import type { AwsConfig, StackConfig } from "../config/stackConfig.ts";
import type { Cluster } from "./livePolicy.ts";

/** The AWS provider of every lookup. It manages nothing. */
export function awsProvider({ region, profile, allowedAccountIds }: AwsConfig): AwsProvider {
  return new AwsProvider("aws", {
    region,
    ...(profile !== undefined && { profile }),
    ...(allowedAccountIds && { allowedAccountIds: [...allowedAccountIds] }),
  });
}

/** The provider of the policy. */
export function kubernetesProvider({ aws, cluster }: StackConfig, reached: Cluster): KubernetesProvider {
  return new KubernetesProvider("kubernetes", {
    // Only another cluster may replace the provider, and with it the policy; not new credentials or a new endpoint.
    clusterIdentifier: "eks" in cluster ? `eks/${aws.region}/${cluster.eks}` : `context/${cluster.context}`,
    ...("kubeconfig" in reached ? { kubeconfig: JSON.stringify(reached.kubeconfig) } : { context: reached.context }),
  });
}

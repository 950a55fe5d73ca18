import type { Kubeconfig } from "../../kube/kubeconfig.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import type { EksEndpoint } from "./judgeNetwork.ts";

/**
 * A kubeconfig that gets a fresh token from `aws eks get-token` at each use, so that no token reaches the state. The same
 * arguments give the same text.
 */
export function eksKubeconfig(
  { name, endpoint, certificateAuthority }: EksEndpoint,
  { aws: { region, profile }, cluster }: Pick<StackConfig, "aws" | "cluster">,
): Kubeconfig {
  const roleArn = "eks" in cluster ? cluster.roleArn : undefined;
  return {
    "current-context": name,
    clusters: [{ name, cluster: { server: endpoint, "certificate-authority-data": certificateAuthority } }],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: [
              ...["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
              ...(roleArn === undefined ? [] : ["--role-arn", roleArn]),
              ...(profile === undefined ? [] : ["--profile", profile]),
            ],
          },
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
}

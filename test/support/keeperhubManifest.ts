import type { EgressNetworkPolicy } from "../../runner/networkPolicy.ts";

/** KeeperHub's hand-written manifest of June 2026 for one environment, as its pull request 1430 has it. */
export function keeperhubManifest(network: "10.0" | "10.1"): EgressNetworkPolicy {
  const pods = (namespace: string, label: string, value: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    podSelector: { matchLabels: { [label]: value } },
  });
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "workflow-runner-block-imds", namespace: "keeperhub" },
    spec: {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [
        {
          to: [pods("kube-system", "k8s-app", "kube-dns")],
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
          ],
        },
        {
          to: [pods("keeperhub", "app.kubernetes.io/instance", "keeperhub-sandbox")],
          ports: [{ protocol: "TCP", port: 8787 }],
        },
        {
          to: [pods("keeperhub", "app.kubernetes.io/serviceName", "keeperhub-executor-common")],
          ports: [{ protocol: "TCP", port: 3080 }],
        },
        {
          to: ["100", "101", "102"].map((third) => ({ ipBlock: { cidr: `${network}.${third}.0/24` } })),
          ports: [{ protocol: "TCP", port: 5432 }],
        },
        {
          to: [
            {
              ipBlock: {
                cidr: "0.0.0.0/0",
                except: [
                  "10.0.0.0/8",
                  "172.16.0.0/12",
                  "192.168.0.0/16",
                  "169.254.0.0/16",
                  "100.64.0.0/10",
                  "127.0.0.0/8",
                ],
              },
            },
            { ipBlock: { cidr: "::/0", except: ["fe80::/10", "fc00::/7"] } },
          ],
        },
      ],
    },
  };
}

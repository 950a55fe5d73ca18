import {
  type CompileOptions,
  compile,
  type EgressAnalysis,
  parseNetworkPolicies,
  type Semantics,
} from "../../analysis/index.ts";

/** A NetworkPolicy object around egress rules, as it would come from YAML. */
export function policy(egress: unknown, more: { metadata?: object; spec?: object } = {}): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "runner", namespace: "keeperhub", ...more.metadata },
    spec: { podSelector: { matchLabels: { app: "workflow-runner" } }, policyTypes: ["Egress"], egress, ...more.spec },
  };
}

/** A rule for one block. */
export function block(cidr: string, options: { except?: string[]; ports?: unknown[] } = {}): object {
  const { except, ports } = options;
  return { to: [{ ipBlock: { cidr, ...(except ? { except } : {}) } }], ...(ports ? { ports } : {}) };
}

export const KUBERNETES: Semantics = { name: "kubernetes" };

/** Parses and compiles rules of one policy, or whole policies. */
export function analyse(input: readonly object[], options: Partial<CompileOptions> = {}): EgressAnalysis {
  return compile(parseNetworkPolicies(input), { semantics: KUBERNETES, ...options });
}

/** KeeperHub's hand-written policies of June 2026 (keeperhub pull request 1430); prod has 10.0, staging 10.1. */
export function seedPolicy(network: "10.0" | "10.1"): object {
  const named = (namespace: string, labels: object, ports: unknown[]) => ({
    to: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        podSelector: { matchLabels: labels },
      },
    ],
    ports,
  });
  return policy(
    [
      named("kube-system", { "k8s-app": "kube-dns" }, [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ]),
      named("keeperhub", { "app.kubernetes.io/instance": "keeperhub-sandbox" }, [{ protocol: "TCP", port: 8787 }]),
      named("keeperhub", { "app.kubernetes.io/serviceName": "keeperhub-executor-common" }, [
        { protocol: "TCP", port: 3080 },
      ]),
      {
        to: [100, 101, 102].map((third) => ({ ipBlock: { cidr: `${network}.${third}.0/24` } })),
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
    { metadata: { name: "workflow-runner-block-imds" } },
  );
}

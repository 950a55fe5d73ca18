import type { EgressRule, NetworkPolicy, PolicyPort } from "./policy.ts";

/** A policy that isolates egress and selects every source. */
export function policyOf(egress: readonly EgressRule[]): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "default" },
    spec: { podSelector: {}, policyTypes: ["Egress"], egress },
  };
}

/** A rule for one block; `ports` such as `TCP 443` or `UDP 53-60`, none for all. */
export function rule(cidr: string, ports: readonly string[] = [], except: readonly string[] = []): EgressRule {
  return {
    to: [{ ipBlock: { cidr, ...(except.length === 0 ? {} : { except }) } }],
    ...(ports.length === 0 ? {} : { ports: ports.map(portOf) }),
  };
}

/** A rule without `to`. */
export function anywhere(...ports: readonly string[]): EgressRule {
  return { ports: ports.map(portOf) };
}

function portOf(text: string): PolicyPort {
  const [protocol = "TCP", range] = text.split(" ");
  if (range === undefined) {
    return { protocol };
  }
  const [first, last] = range.split("-").map(Number);
  return { protocol, port: first ?? 0, ...(last === undefined ? {} : { endPort: last }) };
}

export const PRIVATE_IPV4 = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
];

const runnerRules: readonly EgressRule[] = [
  {
    to: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
    ],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  },
  {
    to: [{ podSelector: { matchLabels: { app: "keeperhub-sandbox" } } }],
    ports: [{ protocol: "TCP", port: 8787 }],
  },
  {
    to: [{ podSelector: { matchLabels: { app: "keeperhub-executor" } } }],
    ports: [{ protocol: "TCP", port: 3080 }],
  },
  {
    to: ["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24"].map((cidr) => ({ ipBlock: { cidr } })),
    ports: [{ protocol: "TCP", port: 5432 }],
  },
  {
    to: [
      { ipBlock: { cidr: "0.0.0.0/0", except: PRIVATE_IPV4 } },
      { ipBlock: { cidr: "::/0", except: ["fc00::/7", "fe80::/10"] } },
    ],
  },
];

/** The staging policy of the change that started this project: DNS, two services, three DB subnets, the internet. */
export const internetPolicy: NetworkPolicy = policyOf(runnerRules);

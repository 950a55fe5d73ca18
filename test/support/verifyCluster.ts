import { compile } from "../../analysis/compile.ts";
import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { parseInventory } from "../../analysis/parseInventory.ts";
import { parseNetworkPolicies } from "../../analysis/parseNetworkPolicy.ts";
import type { Semantics } from "../../analysis/semantics.ts";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { labelsFor } from "../../tools/verify/manifests.ts";
import type { PodObject, ServiceObject } from "../../tools/verify/objects.ts";
import type { Snapshot } from "../../tools/verify/snapshot.ts";

/** The stack's policy for staging's network, as the API server takes it. */
export function stackPolicyObject(ipFamily: "ipv4" | "ipv6" = "ipv4") {
  return buildRunnerPolicy(KEEPERHUB_CONTRACT, {
    vpc: {
      id: "vpc-1",
      region: "us-east-1",
      ipv4Cidrs: ["10.1.0.0/16"],
      ipv6Cidrs: ipFamily === "ipv6" ? ["2600:1f18::/56"] : [],
    },
    databaseSubnets: [
      { id: "subnet-1", cidrs: ["10.1.100.0/24", ...(ipFamily === "ipv6" ? ["2600:1f18:0:64::/64"] : [])] },
    ],
    cluster: { name: "staging", ipFamily, serviceCidr: "172.20.0.0/16" },
    addOn: { networkPolicyEnabled: true, acknowledged: [] },
  }).policy;
}

/** The same, read. */
export function stackPolicy(ipFamily: "ipv4" | "ipv6" = "ipv4"): NetworkPolicy {
  return parseNetworkPolicies([stackPolicyObject(ipFamily)])[0] as NetworkPolicy;
}

/** A running pod. */
export function pod(
  namespace: string,
  name: string,
  labels: Record<string, string>,
  ip: string,
  more: { ports?: number[]; ready?: boolean; spec?: Partial<PodObject["spec"]>; owner?: string; hostIP?: string } = {},
): PodObject {
  const { ports = [], ready = true, spec = {}, owner, hostIP = "10.1.20.7" } = more;
  const dropped = { capabilities: { drop: ["ALL"] } };
  return {
    metadata: {
      name,
      namespace,
      labels,
      ...(owner !== undefined && { ownerReferences: [{ kind: "Job", name: owner }] }),
    },
    spec: {
      containers: [
        { name: "main", ports: ports.map((containerPort) => ({ containerPort })), securityContext: dropped },
      ],
      ...spec,
    },
    status: {
      phase: "Running",
      podIP: ip,
      hostIP,
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

/** A Service with a ClusterIP. */
export function service(
  namespace: string,
  name: string,
  selector: Record<string, string>,
  clusterIP: string,
  ports: { port: number; targetPort?: number | string; protocol?: string }[],
) {
  return { metadata: { name, namespace }, spec: { clusterIP, selector, ports } };
}

/** What runs in a healthy cluster of KeeperHub's. */
export function healthyPods(): PodObject[] {
  return [
    pod("kube-system", "coredns-a", { "k8s-app": "kube-dns" }, "10.1.3.2", { ports: [53, 9153] }),
    pod("keeperhub", "sandbox-a", { "app.kubernetes.io/instance": "keeperhub-sandbox" }, "10.1.3.4", { ports: [8787] }),
    pod("keeperhub", "executor-a", { "app.kubernetes.io/serviceName": "keeperhub-executor-common" }, "10.1.3.5", {
      ports: [3080],
    }),
    pod("keeperhub", "web-a", { app: "web" }, "10.1.3.6", { ports: [3000] }),
    pod("keeperhub", "run-17-x2x9z", { app: "workflow-runner" }, "10.1.3.9", { owner: "run-17" }),
  ];
}

/** And the Services in front of it. */
export function healthyServices() {
  return [
    service("kube-system", "kube-dns", { "k8s-app": "kube-dns" }, "172.20.0.10", [
      { port: 53, protocol: "UDP" },
      { port: 53, protocol: "TCP" },
    ]),
    service("keeperhub", "sandbox", { "app.kubernetes.io/instance": "keeperhub-sandbox" }, "172.20.0.87", [
      { port: 8787 },
    ]),
    service("keeperhub", "executor", { "app.kubernetes.io/serviceName": "keeperhub-executor-common" }, "172.20.0.88", [
      { port: 80, targetPort: 3080 },
    ]),
  ];
}

/** Everything read from a healthy EKS cluster, with changes. */
export function snapshot(
  changes: Partial<Omit<Snapshot, "inventory">> & { readonly services?: ReturnType<typeof healthyServices> } = {},
): Snapshot {
  const { pods = healthyPods(), services = healthyServices(), ...rest } = changes;
  const names = [...new Set([...pods, ...services].map(({ metadata }) => metadata.namespace ?? ""))];
  return {
    inventory: parseInventory([
      ...names.map((name) => ({ object: { kind: "Namespace", metadata: { name } }, path: name })),
      ...pods.map((object) => ({ object: { ...object, kind: "Pod" }, path: object.metadata.name })),
      ...services.map((object) => ({ object: { ...object, kind: "Service" }, path: object.metadata.name })),
    ]),
    pods,
    namespaceLabels: { "kubernetes.io/metadata.name": "keeperhub", team: "keeper" },
    networkPolicies: [stackPolicyObject() as never],
    controlPolicies: [stackPolicyObject() as never],
    clusterNetworkPolicies: undefined,
    applicationNetworkPolicies: undefined,
    policyEndpoints: undefined,
    apiServer: {
      service: {
        metadata: { name: "kubernetes" },
        spec: { clusterIP: "172.20.0.1", ports: [{ port: 443 }] },
      } satisfies ServiceObject,
      endpoints: {
        endpoints: [{ addresses: ["10.1.20.200"] }, { addresses: ["10.1.21.200"] }],
        ports: [{ port: 443 }],
      },
    },
    enforcer: {
      configMap: { "enable-network-policy-controller": "true" },
      agent: { image: "registry/aws-network-policy-agent:v1.3.7-eksbuild.1", args: ["--enable-network-policy=true"] },
    },
    ...rest,
  };
}

/** How the AWS agent reads policies in an IPv4 cluster. */
export const VPC_CNI: Semantics = { name: "vpc-cni", ipFamily: "ipv4", agentVersion: "1.3.7" };

export const KUBERNETES: Semantics = { name: "kubernetes" };

/** A policy under both readings, for a cluster's pods. */
export function analysesOf(
  policy: NetworkPolicy,
  { inventory }: Pick<Snapshot, "inventory">,
  semantics: Semantics = VPC_CNI,
) {
  const source = { namespace: policy.namespace, labels: labelsFor(policy.podSelector) };
  return {
    enforced: compile([policy], { semantics, source, inventory }),
    specified: compile([policy], { semantics: KUBERNETES, source, inventory }),
  };
}

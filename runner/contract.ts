import type { Labels } from "../analysis/labelSelector.ts";
import type { PolicyProtocol } from "../analysis/protocol.ts";

/** A port or a run of ports, both ends included, of one protocol. */
export interface Ports {
  readonly protocol: PolicyProtocol;
  /** 1 to 65535. */
  readonly port: number;
  /** The last port of a run, above `port`; left out for a single port. */
  readonly endPort?: number;
}

/** Pods of one namespace, chosen by labels, and the container ports that the runner may reach on them. */
export interface ServiceDestination {
  /** What a reader calls it; also its place in the policy. */
  readonly name: string;
  readonly namespace: string;
  /**
   * Labels of the pods. The VPC CNI allows the Service's own address only if every one of these labels is in the
   * Service's selector, so name no more than that selector does.
   */
  readonly podLabels: Labels;
  /** Container ports (a Service's `targetPort`), numeric. At least one. */
  readonly ports: readonly Ports[];
  /** Whether losing it is an error. Default: true. */
  readonly required?: boolean;
}

/** The database; its blocks are those of the looked-up subnets. */
export interface DatabaseDestination {
  /** At least one. */
  readonly ports: readonly Ports[];
  /** Default: true. */
  readonly required?: boolean;
}

/** Address blocks that the runner may reach beside the database and the public internet. */
export interface CidrDestination {
  readonly name: string;
  /** Canonical blocks of the cluster's own address family. */
  readonly cidrs: readonly string[];
  /** At least one: a private block on all ports would undo the policy. */
  readonly ports: readonly Ports[];
  /** Whose the blocks are; needed for a private one that is neither in the VPC nor one of AWS's own addresses. */
  readonly owner?: string;
  /** Default: true. */
  readonly required?: boolean;
}

/** The public internet, or the part of it that the runner may reach. */
export interface InternetDestination {
  /** At least one. Default: every port of every protocol. */
  readonly ports?: readonly Ports[];
  /** Only these public blocks. Canonical, of the cluster's own family, at least one. Default: the whole internet. */
  readonly blocks?: readonly string[];
  /** Further public blocks that are left out. Canonical, of the cluster's own family. Default: none. */
  readonly except?: readonly string[];
  /** Default: true. */
  readonly required?: boolean;
}

/** What the runner is, and everything that it may reach. */
export interface RunnerContract {
  /** Name of the NetworkPolicy, at most {@link LONGEST_POLICY_NAME} characters. */
  readonly policyName: string;
  /** Namespace of the runner pods and so of the policy. */
  readonly namespace: string;
  /** Labels of the runner pods. */
  readonly podLabels: Labels;
  /** In-cluster destinations: DNS, the sandbox, the executor and what config adds. */
  readonly services: readonly ServiceDestination[];
  /** Left out where the runner needs none. */
  readonly database?: DatabaseDestination;
  /** Further blocks, such as NodeLocal DNSCache or EKS Pod Identity. */
  readonly cidrs: readonly CidrDestination[];
  /** Left out where the runner may reach no public address but those of `cidrs`, such as those of a proxy. */
  readonly internet?: InternetDestination;
}

/**
 * The names under which the VPC CNI's controller stores a policy end in a dash and five characters; a longer policy
 * name loses the dash and the agent then looks for a policy that does not exist.
 */
export const LONGEST_POLICY_NAME = 57;

/**
 * What KeeperHub's manifests of June 2026 allow (keeperhub pull request 1430, `deploy/keeperhub-stack/ENV/networkpolicy.yaml`),
 * except the database's subnets, which are looked up.
 */
export const KEEPERHUB_CONTRACT: RunnerContract = {
  policyName: "workflow-runner-block-imds",
  namespace: "keeperhub",
  podLabels: { app: "workflow-runner" },
  services: [
    {
      name: "dns",
      namespace: "kube-system",
      podLabels: { "k8s-app": "kube-dns" },
      ports: [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ],
    },
    {
      name: "sandbox",
      namespace: "keeperhub",
      podLabels: { "app.kubernetes.io/instance": "keeperhub-sandbox" },
      ports: [{ protocol: "TCP", port: 8787 }],
    },
    {
      name: "executor",
      namespace: "keeperhub",
      podLabels: { "app.kubernetes.io/serviceName": "keeperhub-executor-common" },
      ports: [{ protocol: "TCP", port: 3080 }],
    },
  ],
  database: { ports: [{ protocol: "TCP", port: 5432 }] },
  cidrs: [],
  internet: {},
};

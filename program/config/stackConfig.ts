import type { AddressFamily } from "../../analysis/address.ts";
import type {
  Acknowledgement as DatedAcknowledgement,
  RegionAcknowledgement,
} from "../../guardrails/acknowledgement.ts";
import type { RunnerContract } from "../../runner/contract.ts";
import type { MustReach } from "./mustReach.ts";

/** Findings that a stack may accept by name; nothing else can be waived. */
export const ACKNOWLEDGEMENTS = [
  /** Network policy is switched off in the `vpc-cni` add-on, so the policy changes nothing. */
  "network-policy-disabled",
  /** The network policy agent is older than 1.2.4, or its age is unknown. */
  "agent-too-old",
  /** `vpc-cni` is not a managed add-on, or EKS is not asked, so its state can't be read. */
  "vpc-cni-not-managed",
  /** The policy's name, its namespace or the selector of the runner pods changes. */
  "policy-identity-change",
  /** The GitHub environment of the stack has no required reviewers; `ci:deploy` asks for it, not the program. */
  "deployment-not-reviewed",
] as const;

export type Acknowledgement = (typeof ACKNOWLEDGEMENTS)[number];

/** What a stack says, read and checked. */
export interface StackConfig {
  /** `PROJECT/STACK`, as it is written on the policy. */
  readonly stack: string;
  readonly aws: AwsConfig;
  readonly cluster: ClusterConfig;
  readonly vpc: VpcChoice;
  /** Left out where the runners need no database. */
  readonly databaseSubnets?: DatabaseSubnetChoice;
  readonly contract: RunnerContract;
  /** Public destinations that must stay reachable; the policy pack refuses a plan that loses one. */
  readonly mustReach: MustReach;
  /** Whether a policy that is there already, and not this stack's, is taken over in place. */
  readonly adopt: boolean;
  /** Accepted findings, each with the reason that the stack gives. */
  readonly acknowledge: ReadonlyMap<Acknowledgement, string>;
  /** `policy-identity-change` with its last day, for the policy pack. */
  readonly acknowledgedChange?: DatedAcknowledgement;
  /** Private reach that may be new, compared with what is deployed. */
  readonly acknowledgedReach: readonly RegionAcknowledgement[];
}

/** How AWS is asked. Plain values: with an unknown one the engine would answer every lookup with nothing. */
export interface AwsConfig {
  readonly region: string;
  readonly profile?: string;
  /** Twelve digits each; the provider refuses any other account. */
  readonly allowedAccountIds?: readonly string[];
}

/** The cluster by its EKS name, by a kubeconfig context, or facts from the one and access by the other. */
export type ClusterConfig = EksCluster | ContextCluster;

export interface EksCluster {
  readonly eks: string;
  /** IAM role for `aws eks get-token`; default: the caller's own. */
  readonly roleArn?: string;
  /** Kubeconfig context through which the API server is reached, such as a tunnel; default: its own endpoint. */
  readonly context?: string;
}

export interface ContextCluster {
  readonly context: string;
  /** Nothing tells it but this key. */
  readonly ipFamily: AddressFamily;
}

export type VpcChoice = { readonly id: string } | { readonly name: string } | { readonly ofCluster: true };

export type DatabaseSubnetChoice =
  | { readonly subnetGroup: string }
  | { readonly tags: Readonly<Record<string, string>> }
  | { readonly ids: readonly string[] };

import type { AddressFamily } from "../../analysis/address.ts";

/** Members of recorded facts that may hold stand-ins until somebody records the real ones. */
export const PLACEHOLDERS = ["vpc.id", "databaseSubnets.id", "cluster", "vpcCni"] as const;

export type Placeholder = (typeof PLACEHOLDERS)[number];

/** What AWS knows of one stack's network, as far as the program asks: the content of `facts/STACK.json`. */
export interface RecordedFacts {
  /** Where the facts come from, for their reader. */
  readonly source: string;
  /** When they were looked up: `2026-06-01T09:30:00Z`. */
  readonly recordedAt: string;
  /** Members whose values stand in for real ones. Nothing that rests on them is a fact. */
  readonly placeholders: readonly Placeholder[];
  readonly region: string;
  readonly vpc: RecordedVpc;
  /** Canonical blocks of each subnet by its id, in the order of the ids. */
  readonly databaseSubnets: ReadonlyMap<string, readonly string[]>;
  /** The DB subnet group that holds exactly these subnets; left out where the stack finds them in another way. */
  readonly databaseSubnetGroup?: string;
  /** Tags that exactly these subnets carry; left out where the stack finds them in another way. */
  readonly databaseSubnetTags?: Readonly<Record<string, string>>;
  /** Left out where the stack does not ask EKS. */
  readonly cluster?: RecordedCluster;
  /** The managed add-on; left out where there is none. */
  readonly vpcCni?: RecordedAddOn;
}

export interface RecordedVpc {
  readonly id: string;
  /** Its `Name` tag; left out where the stack finds the VPC in another way. */
  readonly name?: string;
  /** Associated blocks in address order. */
  readonly ipv4Cidrs: readonly string[];
  readonly ipv6Cidrs: readonly string[];
}

/** Without the endpoint and the certificate authority: nothing offline reaches the cluster. */
export interface RecordedCluster {
  readonly name: string;
  readonly ipFamily: AddressFamily;
  /** Left out where EKS does not tell it. */
  readonly serviceCidr?: string;
}

/** Of the add-on's configuration values those on which the policy rests. */
export interface RecordedAddOn {
  readonly version: string;
  readonly networkPolicyEnabled: boolean;
  /** Whether pods of an IPv6 cluster also send IPv4 (`ENABLE_V4_EGRESS`). */
  readonly ipv4Egress: boolean;
}

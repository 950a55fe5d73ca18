import type { ClusterFacts, VpcFacts } from "../../runner/networkFacts.ts";

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
  readonly cluster?: ClusterFacts;
  /** The managed add-on; left out where there is none. */
  readonly vpcCni?: RecordedAddOn;
}

/** Its blocks are in address order. */
export interface RecordedVpc extends Omit<VpcFacts, "region"> {
  /** Its `Name` tag; left out where the stack finds the VPC in another way. */
  readonly name?: string;
}

/** Of the add-on's configuration values those on which the policy rests. */
export interface RecordedAddOn {
  readonly version: string;
  readonly networkPolicyEnabled: boolean;
  /** Whether pods of an IPv6 cluster also send IPv4 (`ENABLE_V4_EGRESS`). */
  readonly ipv4Egress: boolean;
}

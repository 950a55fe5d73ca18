import type { StackConfig } from "../../program/config/stackConfig.ts";
import type { Call } from "./call.ts";

/** One thing that has to be there. */
export interface Part {
  /** What it is, for a line of the result. */
  readonly what: string;
  /** Asks for it and changes nothing. */
  readonly reads: Call;
  /** The part of the answer that counts. Default: that there is one. */
  readonly picks?: (answer: never) => unknown;
  /** What that has to be: of an object these members, of a list at least these. */
  readonly has?: unknown;
  /** The value that the answer is, or that what is made is. */
  readonly sets?: string;
  /** Make it where it is missing. None: it is made by another part, or by hand. */
  readonly makes?: readonly Call[];
  /** Change one that is different, where what makes it doesn't; a person decides that. */
  readonly changes?: readonly Call[];
}

/** What a fresh organisation needs, one after the other: each step may rest on those before it. */
export interface Step {
  readonly title: string;
  readonly why: string;
  readonly parts: readonly Part[];
}

/** What the steps are for. */
export interface Organisation {
  /** `OWNER/NAME` on GitHub. */
  readonly repository: string;
  /** Of the state; the same for all stacks. */
  readonly bucket: string;
  readonly region: string;
  /** ARN of the state's key, where bucket and key are another account's and there already. */
  readonly key?: string | undefined;
  readonly stacks: readonly SetupStack[];
  /** `ORG/TEAM` or `USER`. Default: who owns `.github/` by CODEOWNERS. */
  readonly reviewers?: readonly string[];
}

/** A stack and how its cluster is reached. */
export interface SetupStack {
  readonly name: string;
  readonly config: StackConfig;
  /** A change reaches it first, without an approval. */
  readonly isFirst: boolean;
  /** Name of the EKS cluster. */
  readonly cluster: string;
  /** Kubeconfig context; default: what `aws eks update-kubeconfig` calls it. */
  readonly context?: string | undefined;
}

/** What a role is for. */
export const KINDS = ["preview", "deploy"] as const;
export type Kind = (typeof KINDS)[number];

/** What the project is called on AWS. */
export const PROJECT = "runner-egress";

/** Name of a stack's role. */
export const roleName = (stack: string, kind: Kind) => `${PROJECT}-${stack}-${kind}`;

/** Its ARN. */
export const roleArn = (stack: string, kind: Kind) => `arn:aws:iam::{{ACCOUNT}}:role/${roleName(stack, kind)}`;

/** Where the state is, as Pulumi has it. */
export function stateUrl({ bucket, region }: Organisation): string {
  return `s3://${bucket}?region=${region}`;
}

/** Whether somebody has to approve a stack's deployment. */
export function isReviewed({ config, isFirst }: SetupStack): boolean {
  return !isFirst && !config.acknowledge.has("deployment-not-reviewed");
}

/** Members of an answer. */
export type Answer = Readonly<Record<string, unknown>>;

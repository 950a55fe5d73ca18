import type { AddressFamily, Diff, EgressAnalysis, NetworkPolicy, Semantics, Source } from "../../analysis/index.ts";
import type { GuardrailRun } from "./guardrails.ts";
import type { FactChange } from "./networkFacts.ts";
import type { PackFinding } from "./plan.ts";
import type { PolicyChange } from "./plannedPolicies.ts";
import type { ReviewRow, SemanticsName } from "./rows.ts";

/** What a change does to the reach of the pods. */
export type ReviewVerdict = "same reach" | "narrower" | "wider" | "both" | "cannot conclude";

/** What two states are compared: the deployed with the planned one, or the program with what is live. */
export type Perspective = "plan" | "drift";

/** A block that a rule leaves out, and what its addresses are called. */
export interface ExceptedBlock {
  readonly block: string;
  readonly names: readonly string[];
}

/** What a pod may reach, as the rules say it. */
export interface ReachEntry {
  readonly destination: string;
  readonly kind: "addresses" | "pods" | "everything";
  readonly names: readonly string[];
  readonly ports: string;
  /** Blocks that are excepted. */
  readonly excepts: readonly ExceptedBlock[];
}

/** The review of one kind of pod. */
export interface SubjectReview {
  /** The pods: namespace and labels; `undefined`: whatever the policies select. */
  readonly source: Source | undefined;
  readonly verdict: ReviewVerdict;
  /** What the change is apart from the reach, where it is special. */
  readonly stage: "change" | "first deploy" | "deletion";
  readonly rows: readonly ReviewRow[];
  /** What the pods may reach afterwards, by rule; empty where nothing is known. */
  readonly reach: readonly ReachEntry[];
  /** Names of the services that would hand AWS credentials to the pods afterwards, under either reading. */
  readonly openCredentials: readonly string[];
  /** Those of them that could not be reached before. */
  readonly openedCredentials: readonly string[];
}

/** Everything that a reviewer of one stack should know. */
export interface StackReview {
  readonly stack: string;
  readonly perspective: Perspective;
  readonly verdict: ReviewVerdict;
  /** Why nothing can be concluded; empty otherwise. */
  readonly obstacles: readonly string[];
  readonly subjects: readonly SubjectReview[];
  /** The readings that were compared. */
  readonly semantics: readonly SemanticsName[];
  readonly policies: readonly PolicyChange[];
  readonly facts: readonly FactChange[];
  /** `undefined`: the preview does not carry policy results. */
  readonly findings: readonly PackFinding[] | undefined;
  readonly packs: readonly string[];
  /** Whether the project's own guardrails judged the preview. */
  readonly guardrails: GuardrailRun;
  readonly warnings: readonly string[];
  /** What makes the verdict worth less than it looks, such as an add-on that enforces nothing. */
  readonly cautions: readonly string[];
  /** What the reader has to know to judge the result. */
  readonly notes: readonly string[];
}

/** What is compared for one kind of pod under one reading; kept for the diagram and the report. */
export interface Comparison {
  readonly semantics: SemanticsName;
  readonly before: EgressAnalysis;
  readonly after: EgressAnalysis;
  readonly diff: Diff;
}

/** Policies of both sides. */
export interface PolicySets {
  readonly before: readonly NetworkPolicy[];
  readonly after: readonly NetworkPolicy[];
}

/** A reading of the policies on each side: the agent may be another one afterwards. */
export interface Reading {
  readonly name: SemanticsName;
  readonly before: Semantics;
  readonly after: Semantics;
}

/**
 * As the agent enforces policies, where the cluster's family is known, and as Kubernetes specifies them.
 *
 * @param agent versions of the network policy agent; not known before: the same as after; not known at all: the newest
 */
export function readingsOf(
  ipFamily: AddressFamily | undefined | null,
  agent: Readonly<Record<"before" | "after", string | undefined | null>>,
): Reading[] {
  const kubernetes = { name: "kubernetes" } as const;
  const specified: Reading = { name: "kubernetes", before: kubernetes, after: kubernetes };
  if (!ipFamily) {
    return [specified];
  }
  const enforced = (version: string | undefined | null): Semantics => ({
    name: "vpc-cni",
    ipFamily,
    ...(version && { agentVersion: version }),
  });
  return [{ name: "vpc-cni", before: enforced(agent.before ?? agent.after), after: enforced(agent.after) }, specified];
}

/** The verdict of several verdicts together. */
export function joinVerdicts(verdicts: readonly ReviewVerdict[]): ReviewVerdict {
  if (verdicts.includes("cannot conclude")) {
    return "cannot conclude";
  }
  const isWider = verdicts.includes("wider") || verdicts.includes("both");
  const isNarrower = verdicts.includes("narrower") || verdicts.includes("both");
  return isWider ? (isNarrower ? "both" : "wider") : isNarrower ? "narrower" : "same reach";
}

/** The verdict that rows amount to. */
export function verdictOfRows(rows: readonly ReviewRow[]): ReviewVerdict {
  return joinVerdicts(rows.map(({ direction }) => (direction === "gained" ? "wider" : "narrower")));
}

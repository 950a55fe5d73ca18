import type { Point } from "../../analysis/normalForm.ts";
import type { Verdict } from "../../analysis/verdict.ts";

/** How a destination is tried: a TCP connection, or a DNS question over UDP, the one UDP protocol with a sure answer. */
export type ProbeKind = "tcp" | "dns";

/** Why a destination is in the plan. */
export type TargetSource =
  /** A rule of the policy allows it. */
  | "required"
  /** Nothing should allow it; found in the cluster, or the same in every one. */
  | "forbidden"
  /** Somebody named it in the targets file. */
  | "named";

/** One destination to try. */
export interface Target {
  /** `t1`, `t2`, …: what the probe's log calls it. */
  readonly id: string;
  /** What a person calls it. */
  readonly name: string;
  readonly point: Point;
  readonly kind: ProbeKind;
  readonly source: TargetSource;
  readonly expected: Verdict;
  /** Why the analysis expects that. */
  readonly why: string;
  /** What Kubernetes specifies, where the agent is expected to do something else. */
  readonly specified?: Verdict;
}

/** A destination that could be a target. */
export interface Candidate {
  readonly name: string;
  readonly point: Point;
}

/** A part of the policy that no target covers. */
export interface Uncovered {
  /** What, with its place in the policy. */
  readonly what: string;
  /** Why there is no target, and what to do. */
  readonly why: string;
  /** Whether the run can't be called verified without it: a destination that a rule allows. */
  readonly isRequired: boolean;
}

/** What is going to be tried. */
export interface Plan {
  readonly targets: readonly Target[];
  readonly uncovered: readonly Uncovered[];
}

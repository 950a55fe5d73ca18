/** How much a finding weighs, the lightest first. */
export const FINDING_LEVELS = [
  /** Looked at, and as it should be. */
  "ok",
  /** Worth knowing; changes nothing. */
  "note",
  /** Something can't be known, so the run can't end as verified. */
  "doubt",
  /** The cluster is not what the program says, whatever the probes will show. */
  "contradiction",
  /** Nothing can be tried. */
  "stop",
] as const;

export type FindingLevel = (typeof FINDING_LEVELS)[number];

/** What was looked at before anything was tried. */
export type Check =
  | "access"
  | "live policy"
  | "other policies"
  | "newer policy kinds"
  | "peers"
  | "runner pods"
  | "control"
  | "enforcer"
  | "policy endpoints"
  | "targets";

/** One thing that the preflight found. */
export interface Finding {
  readonly check: Check;
  readonly level: FindingLevel;
  /** What was found, in one sentence. */
  readonly text: string;
  /** What to do about it; every level above `note` has it. */
  readonly remedy?: string;
}

/** The heaviest level among findings. */
export function worstLevel(findings: readonly Finding[]): FindingLevel {
  const rank = Math.max(0, ...findings.map(({ level }) => FINDING_LEVELS.indexOf(level)));
  return FINDING_LEVELS[rank] as FindingLevel;
}

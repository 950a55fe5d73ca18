/** How much a finding weighs, the lightest first. */
const FINDING_LEVELS = [
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

/** What a check found. */
export interface Found {
  readonly level: FindingLevel;
  /** In one sentence. */
  readonly text: string;
  /** What to do about it; every level above `note` has it. */
  readonly remedy?: string;
}

/** One thing that the preflight found, and by which check. */
export type Finding = Found & { readonly check: Check };

export const ok = (text: string): Found => ({ level: "ok", text });
export const note = (text: string): Found => ({ level: "note", text });
export const doubt = (text: string, remedy: string): Found => ({ level: "doubt", text, remedy });
export const contradiction = (text: string, remedy: string): Found => ({ level: "contradiction", text, remedy });

/**
 * The findings of a check.
 *
 * @param allWell what is said where nothing else is
 */
export function checked(check: Check, found: readonly Found[], allWell: string): Finding[] {
  return (found.length > 0 ? found : [ok(allWell)]).map((each) => ({ check, ...each }));
}

/** The heaviest level among findings. */
export function worstLevel(findings: readonly Finding[]): FindingLevel {
  const rank = Math.max(0, ...findings.map(({ level }) => FINDING_LEVELS.indexOf(level)));
  return FINDING_LEVELS[rank] as FindingLevel;
}

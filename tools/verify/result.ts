import { formatPoint } from "../../analysis/point.ts";
import type { Semantics } from "../../analysis/semantics.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE } from "../exitCodes.ts";
import { openSeconds, type ProbeLog } from "./outcomes.ts";
import { type Finding, worstLevel } from "./preflight/finding.ts";
import type { Plan, Target, Uncovered } from "./targets.ts";
import type { Accepted } from "./targetsFile.ts";
import { type Assessment, assess, type Judged, type Sighting, sightingOf, VERDICTS } from "./verdicts.ts";

/** How a run ended. */
type Status = "verified" | "contradicted" | "inconclusive" | "could not run";

/** Exit code of the command for each ending. */
export const EXIT_CODES: Readonly<Record<Status, ExitCode>> = {
  verified: CLEAN,
  contradicted: FINDING,
  inconclusive: INCONCLUSIVE,
  "could not run": INCONCLUSIVE,
};

/** What was proved of one target. */
export interface TargetResult extends Judged {
  readonly target: Target;
  readonly control: Sighting;
  readonly runner: Sighting;
  readonly assessment: Assessment;
  /** Why the lack of a proof is accepted, where it is. */
  readonly accepted?: string;
  /** For how many seconds a new pod reached a target that must be denied. */
  readonly openSeconds?: number;
  /** What a failed attempt said. */
  readonly said?: string;
}

/** Everything that a report shows. */
export interface VerifyResult {
  readonly status: Status;
  /** One sentence. */
  readonly summary: string;
  /** `namespace/name`. */
  readonly policy: string;
  readonly semantics: Semantics["name"];
  readonly run?: string;
  /** From the first request to the end of the clean-up. */
  readonly seconds: number;
  /** For how long new runner pods were open: the longest among targets whose denial is proved. */
  readonly openSeconds?: number;
  readonly findings: readonly Finding[];
  readonly uncovered: readonly Uncovered[];
  readonly targets: readonly TargetResult[];
}

/** What there is to judge targets by. */
interface Evidence {
  readonly runner: ProbeLog;
  readonly control: ProbeLog;
  /** A policy holds the control back too, so that its silence contradicts nobody. */
  readonly isControlHeld: boolean;
}

/** Judges every target by the two logs. */
export function judgeTargets(plan: Plan, evidence: Evidence, accepted: readonly Accepted[]): TargetResult[] {
  const reasons = new Map(accepted.map(({ point, reason }) => [formatPoint(point), reason]));
  return plan.targets.map((target) => {
    const of = ({ attempts }: ProbeLog) => attempts.filter((attempt) => attempt.target === target.id);
    const control = sightingOf(of(evidence.control));
    const runner = sightingOf(of(evidence.runner));
    const judged = VERDICTS[evidence.isControlHeld && control === "timeout" ? "unstable" : control][runner];
    const assessment = assess(target.expected, judged);
    const reason = reasons.get(formatPoint(target.point));
    const open = target.expected === "deny" ? openSeconds(evidence.runner, target.id) : undefined;
    const said = [...of(evidence.runner), ...of(evidence.control)].find((attempt) => attempt.said !== "")?.said;
    return {
      target,
      control,
      runner,
      ...judged,
      assessment,
      ...(reason !== undefined && judged.verdict === "inconclusive" && { accepted: reason }),
      ...(open !== undefined && { openSeconds: open }),
      ...(said !== undefined && { said }),
    };
  });
}

/** What a run knows when it ends. */
export type Ending = Omit<VerifyResult, "status" | "summary" | "openSeconds"> & {
  /** Why the probes could not be finished, if so. */
  readonly failure?: string;
};

/**
 * Sums a run up. Verified means that every target was proved to be as expected or its lack of proof is accepted, that
 * every destination which a rule allows was tried, that at least one denial was proved, and that nothing before the
 * probes speaks against it.
 */
export function conclude({ failure, ...ending }: Ending): VerifyResult {
  const { findings, uncovered, targets } = ending;
  const proved = targets.filter(({ assessment }) => assessment === "as-expected");
  const denials = proved.filter(({ verdict }) => verdict === "denied");
  const wrong = targets.filter(({ assessment }) => assessment === "contradicted");
  const open = targets.filter(({ assessment, accepted }) => assessment === "inconclusive" && accepted === undefined);
  const untried = uncovered.filter(({ isRequired }) => isRequired);
  const worst = worstLevel(findings);
  const of = (level: Finding["level"]) => findings.filter((finding) => finding.level === level);
  const count = `${proved.length} of ${targets.length} targets as expected`;

  const end = (status: Status, summary: string): VerifyResult => {
    const times = denials.flatMap(({ openSeconds }) => openSeconds ?? []);
    return { ...ending, status, summary, ...(times.length > 0 && { openSeconds: Math.max(...times) }) };
  };
  if (worst === "stop") {
    return end("could not run", (of("stop")[0] as Finding).text);
  }
  if (failure !== undefined && targets.length === 0) {
    return end("could not run", failure);
  }
  if (wrong.length > 0 || worst === "contradiction") {
    const first = wrong[0];
    const why =
      first === undefined
        ? (of("contradiction")[0] as Finding).text
        : `${first.target.name} (${formatPoint(first.target.point)}) was expected to be ${
            first.target.expected === "allow" ? "allowed" : "denied"
          }, but ${first.because}`;
    return end("contradicted", `${count}; ${why}`);
  }
  const doubts = [
    ...(failure === undefined ? [] : [failure]),
    ...open.map(({ target, because }) => `${target.name} (${formatPoint(target.point)}): ${because}`),
    ...untried.map(({ what, why }) => `${what}: ${why}`),
    ...of("doubt").map(({ text }) => text),
    ...(denials.length === 0 ? ["no denial was proved"] : []),
  ];
  return doubts.length > 0
    ? end("inconclusive", `${count}; ${doubts[0]}${doubts.length > 1 ? `, and ${doubts.length - 1} more` : ""}`)
    : end("verified", `${count}, ${denials.length} of them denied while the control gets through`);
}

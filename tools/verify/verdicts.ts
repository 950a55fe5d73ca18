import type { Verdict } from "../../analysis/verdict.ts";
import { type Attempt, OUTCOMES, type Outcome } from "./outcomes.ts";

/** What all attempts of one pod on one target met. */
export type Sighting =
  | Outcome
  /** Some attempts were answered and some were not. Silence and no way there, mixed, are `unreachable`. */
  | "unstable"
  /** There are not enough attempts to say anything. */
  | "none";

/** What both pods together prove about a target. */
export type ProbeVerdict =
  /** The runner's packets arrive. */
  | "allowed"
  /** The runner meets silence where the control is answered. */
  | "denied"
  /** The runner is answered with a refusal where the control connects: something in between answers. */
  | "rejected"
  /** Nothing is proved, because the control is not answered either. */
  | "inconclusive"
  /** The two pods contradict each other, or the runner itself. */
  | "inconsistent"
  /** An attempt failed for a reason that says nothing about the network. */
  | "error";

/** A verdict and the sentence that explains it. */
export interface Judged {
  readonly verdict: ProbeVerdict;
  readonly because: string;
}

/** A denial that was met only once could be a lost packet. */
export const FEWEST_ATTEMPTS = 2;

/** Sums up the attempts of one pod on one target. An answer of either kind shows that packets arrive. */
export function sightingOf(attempts: readonly Pick<Attempt, "outcome">[]): Sighting {
  const outcomes = new Set(attempts.map(({ outcome }) => outcome));
  if (outcomes.has("error")) {
    return "error";
  }
  if (attempts.length < FEWEST_ATTEMPTS) {
    return "none";
  }
  const [only, ...others] = outcomes;
  if (others.length === 0) {
    return only as Outcome;
  }
  const answered = [...outcomes].filter((outcome) => outcome === "connected" || outcome === "refused");
  return answered.length === outcomes.size ? "connected" : answered.length > 0 ? "unstable" : "unreachable";
}

const SIGHTINGS: readonly Sighting[] = [...OUTCOMES, "unstable", "none"];

type Row = Readonly<Record<Sighting, Judged>>;

const says = (verdict: ProbeVerdict, because: string): Judged => ({ verdict, because });

const FAILED = says("error", "an attempt failed for a reason of its own, so nothing is known");
const TOO_FEW = says("error", `there are fewer than ${FEWEST_ATTEMPTS} attempts to judge by`);
const UNEVEN = says("inconsistent", "some of the runner's attempts were answered and some were not");

const always = (judged: Judged) => Object.fromEntries(SIGHTINGS.map((sighting) => [sighting, judged])) as Row;

const LIVE_CONTROL: Row = {
  connected: says("allowed", "the runner connects"),
  refused: says("rejected", "the runner is refused where the control connects, so something in between answers for it"),
  timeout: says("denied", "the runner meets silence where the control is answered"),
  unreachable: says("inconsistent", "the runner has no way there, while the control has"),
  unstable: UNEVEN,
  none: TOO_FEW,
  error: FAILED,
};

const DEAD_CONTROL: Row = {
  connected: says("inconsistent", "the runner connects where the control meets silence"),
  refused: says("inconsistent", "the runner is refused where the control meets silence"),
  timeout: says("inconclusive", "the control meets silence too: a dead host, a security group, a route, a hop limit"),
  unreachable: says("inconclusive", "neither pod has a way there"),
  unstable: says("inconclusive", "the control meets silence, so the runner's uneven answers prove nothing"),
  none: TOO_FEW,
  error: FAILED,
};

/**
 * Every pair of sightings, by the control's and then the runner's. A refusal means that the packet got through to
 * somebody. Where the control is refused too, that is the host itself; where the control connects, it is an enforcer
 * that answers for the host, which the AWS agent never does.
 */
export const VERDICTS: Readonly<Record<Sighting, Row>> = {
  connected: LIVE_CONTROL,
  refused: { ...LIVE_CONTROL, refused: says("allowed", "both are refused: the packet arrives and nobody listens") },
  timeout: DEAD_CONTROL,
  unreachable: DEAD_CONTROL,
  unstable: {
    ...DEAD_CONTROL,
    connected: says("allowed", "the runner connects, though the control is not always answered"),
    refused: says("inconclusive", "the control is not always answered, so who refuses the runner is not known"),
    timeout: says("inconclusive", "the control is not always answered, so the runner's silence proves nothing"),
    unreachable: says("inconclusive", "the control is not always answered, and the runner has no way there"),
    unstable: says("inconclusive", "neither pod is always answered"),
  },
  none: always(TOO_FEW),
  error: always(FAILED),
};

/** How what was proved compares with what was expected. */
export type Assessment = "as-expected" | "contradicted" | "inconclusive";

const PROVED: Readonly<Record<ProbeVerdict, Verdict | Assessment>> = {
  allowed: "allow",
  denied: "deny",
  rejected: "contradicted",
  inconsistent: "contradicted",
  inconclusive: "inconclusive",
  error: "inconclusive",
};

/** Compares. Only a proof of what was expected is as expected; never silence alone, never an error. */
export function assess(expected: Verdict, { verdict }: Judged): Assessment {
  const proved = PROVED[verdict];
  if (proved === "allow" || proved === "deny") {
    return proved === expected ? "as-expected" : expected === "order-dependent" ? "inconclusive" : "contradicted";
  }
  return proved === "contradicted" ? proved : "inconclusive";
}

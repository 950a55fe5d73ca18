import { formatPoint } from "../../../analysis/point.ts";
import type { Verdict } from "../../../analysis/verdict.ts";
import type { Finding } from "../preflight/finding.ts";
import type { TargetResult, VerifyResult } from "../result.ts";

/** A finding's level as a reader sees it. */
export const LEVEL_WORDS: Readonly<Record<Finding["level"], string>> = {
  ok: "ok",
  note: "note",
  doubt: "DOUBT",
  contradiction: "WRONG",
  stop: "STOP",
};

/** What an expectation says. */
export const EXPECTED_WORDS: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  deny: "denied",
  "order-dependent": "at random",
};

/** One word for how a target came out. */
export function outcomeWord({ assessment, accepted }: TargetResult): string {
  return assessment === "as-expected"
    ? "ok"
    : assessment === "contradicted"
      ? "WRONG"
      : accepted === undefined
        ? "UNPROVED"
        : "accepted";
}

/** What was seen of a target and what that means, in one sentence. */
export function explainOutcome({ verdict, because, accepted, said }: TargetResult): string {
  return [
    `${verdict}: ${because}`,
    ...(said === undefined ? [] : [` ("${said}")`]),
    ...(accepted === undefined ? [] : [`; accepted: ${accepted}`]),
  ].join("");
}

/** What the analysis expects of a target, under which semantics, and why. */
export function explainExpectation(result: VerifyResult, { target }: TargetResult): string {
  const specified =
    target.specified === undefined ? "" : ` (Kubernetes specifies: ${EXPECTED_WORDS[target.specified]})`;
  return `expected ${EXPECTED_WORDS[target.expected]} under ${result.semantics}${specified}: ${target.why}`;
}

/** The address of a target, as people write it. */
export function addressOf({ target }: TargetResult): string {
  return formatPoint(target.point);
}

/** For how long new pods were open, as a sentence; empty where nothing was measured. */
export function openSentence({ openSeconds }: VerifyResult): string {
  return openSeconds === undefined
    ? ""
    : `A new runner pod could reach what it must not for ${openSeconds.toFixed(1)} s after its first instruction.`;
}

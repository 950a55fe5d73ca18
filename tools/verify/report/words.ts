import { formatPoint } from "../../../analysis/point.ts";
import type { Verdict } from "../../../analysis/verdict.ts";
import type { FindingLevel } from "../preflight/finding.ts";
import type { TargetResult, VerifyResult } from "../result.ts";

/** A finding's level as a reader sees it. */
export const LEVEL_WORDS: Readonly<Record<FindingLevel, string>> = {
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

const OUTCOME_WORDS = { "as-expected": "ok", contradicted: "WRONG", inconclusive: "UNPROVED" } as const;

/** A target in words. */
export interface TargetWords {
  readonly name: string;
  /** `10.1.7.7:443/tcp` */
  readonly address: string;
  readonly expected: string;
  /** One word for how it came out. */
  readonly outcome: string;
  /** What was seen of it and what that means, in one sentence. */
  readonly seen: string;
  /** What the analysis expects of it, under which semantics, and why; `undefined` for one that is as expected. */
  readonly why: string | undefined;
}

/** Each target of a result in words. */
export function targetWords({ targets, semantics }: VerifyResult): TargetWords[] {
  return targets.map(({ target, verdict, because, said, accepted, assessment }: TargetResult) => {
    const expected = EXPECTED_WORDS[target.expected];
    const { specified, name, point, why } = target;
    const otherwise = specified === undefined ? "" : ` (Kubernetes specifies: ${EXPECTED_WORDS[specified]})`;
    return {
      name,
      address: formatPoint(point),
      expected,
      outcome: assessment === "inconclusive" && accepted !== undefined ? "accepted" : OUTCOME_WORDS[assessment],
      seen:
        `${verdict}: ${because}${said === undefined ? "" : ` ("${said}")`}` +
        `${accepted === undefined ? "" : `; accepted: ${accepted}`}`,
      why: assessment === "as-expected" ? undefined : `expected ${expected} under ${semantics}${otherwise}: ${why}`,
    };
  });
}

/** For how long new pods were open, as a sentence; empty where nothing was measured. */
export function openSentence({ openSeconds }: VerifyResult): string {
  return openSeconds === undefined
    ? ""
    : `A new runner pod could reach what it must not for ${openSeconds.toFixed(1)} s after its first instruction.`;
}

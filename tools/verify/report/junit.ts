import { junitXml, type TestCase } from "../../junit.ts";
import type { VerifyResult } from "../result.ts";
import { targetWords } from "./words.ts";

/**
 * A result as JUnit XML, which CI systems show as tests: a case for each target and for each finding. What is wrong or
 * unproved fails; what was accepted or need not be tried is skipped.
 */
export function junitReport(result: VerifyResult): string {
  const { findings, uncovered, status, summary, targets, policy, seconds } = result;
  const suite = "before the probes";
  const cases: TestCase[] = [
    ...findings.map(({ check, level, text, remedy }) => ({
      suite,
      name: `${check}: ${text}`,
      ...(level !== "ok" && level !== "note" && { failure: `${text}. To do: ${remedy ?? "nothing known"}` }),
    })),
    ...uncovered.map(({ what, why, isRequired }) => ({
      suite,
      name: `not tried: ${what}`,
      ...(isRequired ? { failure: why } : { skipped: why }),
    })),
    // A run without targets must not look like a run without failures.
    ...(targets.length === 0 ? [{ suite, name: "the probes ran", failure: `${status}: ${summary}` }] : []),
    ...targetWords(result).map(({ address, name, outcome, seen, why }) => ({
      suite: "targets",
      name: `${address} ${name}`,
      ...(why !== undefined && { [outcome === "accepted" ? "skipped" : "failure"]: `${seen}; ${why}` }),
    })),
  ];
  return junitXml(`egress verify ${policy}: ${status}`, "egress verify", cases, seconds);
}

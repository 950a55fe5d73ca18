import { junitXml, type TestCase } from "../../junit.ts";
import type { VerifyResult } from "../result.ts";
import { addressOf, explainExpectation, explainOutcome } from "./words.ts";

/**
 * A result as JUnit XML, which CI systems show as tests: a case for each target and for each finding. What is wrong or
 * unproved fails; what was accepted or need not be tried is skipped.
 */
export function junitReport(result: VerifyResult): string {
  const cases = [...findingCases(result), ...targetCases(result)];
  return junitXml(`egress verify ${result.policy}: ${result.status}`, "egress verify", cases, result.seconds);
}

function findingCases({ findings, uncovered, status, summary, targets }: VerifyResult): TestCase[] {
  const suite = "before the probes";
  return [
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
  ];
}

function targetCases(result: VerifyResult): TestCase[] {
  return result.targets.map((target) => {
    const text = `${explainOutcome(target)}; ${explainExpectation(result, target)}`;
    const { assessment, accepted } = target;
    return {
      suite: "targets",
      name: `${addressOf(target)} ${target.target.name}`,
      ...(assessment !== "as-expected" && (accepted === undefined ? { failure: text } : { skipped: text })),
    };
  });
}

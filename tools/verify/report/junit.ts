import type { VerifyResult } from "../result.ts";
import { addressOf, explainExpectation, explainOutcome } from "./words.ts";

interface TestCase {
  readonly suite: string;
  readonly name: string;
  readonly failure?: string;
  readonly skipped?: string;
}

/**
 * A result as JUnit XML, which CI systems show as tests: a case for each target and for each finding. What is wrong or
 * unproved fails; what was accepted or need not be tried is skipped.
 */
export function junitReport(result: VerifyResult): string {
  const cases = [...findingCases(result), ...targetCases(result)];
  const suites = [...new Set(cases.map(({ suite }) => suite))].map((suite) => {
    const own = cases.filter((testCase) => testCase.suite === suite);
    const count = (key: "failure" | "skipped") => own.filter((testCase) => testCase[key] !== undefined).length;
    const attributes = `tests="${own.length}" failures="${count("failure")}" skipped="${count("skipped")}" errors="0"`;
    return `  <testsuite name="${escapeXml(suite)}" ${attributes}>\n${own.map(caseXml).join("")}  </testsuite>\n`;
  });
  const name = `egress verify ${result.policy}: ${result.status}`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(name)}" time="${result.seconds}">\n${suites.join("")}</testsuites>\n`;
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

function caseXml({ suite, name, failure, skipped }: TestCase): string {
  const start = `    <testcase classname="egress verify.${escapeXml(suite)}" name="${escapeXml(name)}"`;
  const inner =
    failure !== undefined
      ? `<failure message="${escapeXml(failure)}"/>`
      : skipped !== undefined
        ? `<skipped message="${escapeXml(skipped)}"/>`
        : "";
  return inner === "" ? `${start}/>\n` : `${start}>${inner}</testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** XML 1.0 has no control characters, not even as references; a line break in an attribute needs a reference. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (char) => ENTITIES[char] as string)
    .replace(/\r?\n/g, "&#10;")
    .replaceAll("\t", " ")
    .replace(/[\p{Cc}\ufffe\uffff]/gu, "\ufffd");
}

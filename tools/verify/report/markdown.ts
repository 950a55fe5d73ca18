import { codeSpan, details, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import type { VerifyResult } from "../result.ts";
import {
  addressOf,
  EXPECTED_WORDS,
  explainExpectation,
  explainOutcome,
  LEVEL_WORDS,
  openSentence,
  outcomeWord,
} from "./words.ts";

const ICONS: Readonly<Record<VerifyResult["status"], string>> = {
  verified: "✅",
  contradicted: "❌",
  inconclusive: "❔",
  "could not run": "⛔",
};

/** A result for a pull request: the verdict, a table of targets, and what was found before, folded. */
export function markdownReport(result: VerifyResult): string {
  const { status, policy, summary, uncovered } = result;
  const targets = result.targets.map((target) => [
    outcomeWord(target),
    codeSpan(addressOf(target)),
    escapeText(target.target.name),
    EXPECTED_WORDS[target.target.expected],
    escapeText(explainOutcome(target)),
  ]);
  const untried = uncovered.map(({ what, why, isRequired }) => [
    isRequired ? "UNPROVED" : "not tried",
    "",
    escapeText(what),
    "",
    escapeText(why),
  ]);
  const rows = [...targets, ...untried];
  const findings = result.findings.map(({ level, check, text, remedy }) => [
    LEVEL_WORDS[level],
    check,
    escapeText(text),
    escapeText(remedy ?? ""),
  ]);
  const why = result.targets
    .filter(({ assessment }) => assessment !== "as-expected")
    .map((target) => `- ${codeSpan(addressOf(target))}: ${escapeText(explainExpectation(result, target))}`);
  const parts = [
    `### ${ICONS[status]} Egress of ${escapeText(policy)}: ${status}`,
    escapeText(summary),
    openSentence(result),
    rows.length === 0 ? "" : table(["", "Target", "What", "Expected", "Seen"], rows),
    why.join("\n"),
    details(
      `Before the probes: ${plural(findings.length, "finding")}`,
      table(["", "Check", "Found", "What to do"], findings),
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

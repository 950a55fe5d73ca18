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
  const targets = result.targets.map((target) =>
    row([
      outcomeWord(target),
      `\`${addressOf(target)}\``,
      escapeCell(target.target.name),
      EXPECTED_WORDS[target.target.expected],
      escapeCell(explainOutcome(target)),
    ]),
  );
  const untried = result.uncovered.map(({ what, why, isRequired }) =>
    row([isRequired ? "UNPROVED" : "not tried", "", escapeCell(what), "", escapeCell(why)]),
  );
  const rows = [...targets, ...untried];
  const findings = result.findings.map(({ level, check, text, remedy }) =>
    row([LEVEL_WORDS[level], check, escapeCell(text), escapeCell(remedy ?? "")]),
  );
  const why = result.targets
    .filter(({ assessment }) => assessment !== "as-expected")
    .map((target) => `- \`${addressOf(target)}\`: ${escapeCell(explainExpectation(result, target))}\n`);
  const open = openSentence(result);
  return [
    `### ${ICONS[result.status]} Egress of ${escapeCell(result.policy)}: ${result.status}\n\n`,
    `${escapeCell(result.summary)}\n`,
    ...(open === "" ? [] : [`\n${open}\n`]),
    ...(rows.length === 0
      ? []
      : ["\n", row(["", "Target", "What", "Expected", "Seen"]), "|---|---|---|---|---|\n", ...rows]),
    ...(why.length === 0 ? [] : ["\n", ...why]),
    `\n<details><summary>Before the probes: ${result.findings.length} findings</summary>\n\n`,
    row(["", "Check", "Found", "What to do"]),
    "|---|---|---|---|\n",
    ...findings,
    "\n</details>\n",
  ].join("");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

/** Names and messages come from the cluster: none of them may become markup or end a cell. */
function escapeCell(text: string): string {
  return text
    .replace(/[&<>]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[char] as string)
    .replace(/([\\|*_[\]~])/g, "\\$1")
    .replace(/[\r\n]+/g, " ");
}

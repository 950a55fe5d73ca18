import { codeSpan, details, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import type { VerifyResult } from "../result.ts";
import { LEVEL_WORDS, openSentence, targetWords } from "./words.ts";

const ICONS: Readonly<Record<VerifyResult["status"], string>> = {
  verified: "✅",
  contradicted: "❌",
  inconclusive: "❔",
  "could not run": "⛔",
};

/** A result for a pull request: the verdict, a table of targets, and what was found before, folded. */
export function markdownReport(result: VerifyResult): string {
  const { status, policy, summary, uncovered, findings } = result;
  const words = targetWords(result);
  const rows = [
    ...words.map((each) => [
      each.outcome,
      codeSpan(each.address),
      escapeText(each.name),
      each.expected,
      escapeText(each.seen),
    ]),
    ...uncovered.map(({ what, why, isRequired }) => [
      isRequired ? "UNPROVED" : "not tried",
      "",
      escapeText(what),
      "",
      escapeText(why),
    ]),
  ];
  const before = findings.map(({ level, check, text, remedy = "" }) => [
    LEVEL_WORDS[level],
    check,
    escapeText(text),
    escapeText(remedy),
  ]);
  const why = words.flatMap(({ address, why }) =>
    why === undefined ? [] : [`- ${codeSpan(address)}: ${escapeText(why)}`],
  );
  const parts = [
    `### ${ICONS[status]} Egress of ${escapeText(policy)}: ${status}`,
    escapeText(summary),
    openSentence(result),
    rows.length === 0 ? "" : table(["", "Target", "What", "Expected", "Seen"], rows),
    why.join("\n"),
    details(
      `Before the probes: ${plural(before.length, "finding")}`,
      table(["", "Check", "Found", "What to do"], before),
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

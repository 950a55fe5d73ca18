import { layout } from "../../layout.ts";
import type { Finding } from "../preflight/finding.ts";
import type { VerifyResult } from "../result.ts";
import type { Uncovered } from "../targets.ts";
import { LEVEL_WORDS, openSentence, targetWords } from "./words.ts";

/** Findings, each with what to do. */
export function findingsText(findings: readonly Finding[]): string {
  return findings
    .map(({ check, level, text, remedy }) => {
      const line = `  ${LEVEL_WORDS[level].padEnd(5)}  ${check}: ${text}\n`;
      return remedy === undefined ? line : `${line}         → ${remedy}\n`;
    })
    .join("");
}

/** What is not going to be, or was not, tried. */
export function uncoveredText(uncovered: readonly Uncovered[]): string {
  return uncovered
    .map(({ what, why, isRequired }) => `  ${isRequired ? "DOUBT" : "note "}  ${what}: ${why}\n`)
    .join("");
}

/** A part of a text with its title; nothing where it would be empty. */
export function section(title: string, body: string): string {
  return body === "" ? "" : `\n${title}\n${body}`;
}

/** A result for a terminal. */
export function textReport(result: VerifyResult): string {
  const words = targetWords(result);
  const rows = words.map(({ outcome, expected, address, name }, index) => {
    const { runner, control } = result.targets[index] ?? {};
    return [outcome, expected, address, name, `runner ${runner}, control ${control}`];
  });
  const details = words.map(({ address, seen, why }) =>
    why === undefined ? "" : `  ${address}\n    ${seen}\n    ${why}\n`,
  );
  return [
    `${result.policy}: ${result.status}\n`,
    `${result.summary}\n`,
    section("Before the probes", findingsText(result.findings)),
    section("Not tried", uncoveredText(result.uncovered)),
    section("Targets", rows.length === 0 ? "" : `${layout(rows, "  ")}\n`),
    section("Why", details.join("")),
    `\n${[openSentence(result), `${result.seconds} s in all.`].filter((text) => text !== "").join(" ")}\n`,
  ].join("");
}

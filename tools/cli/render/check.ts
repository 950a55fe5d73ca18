import { type AssertionResult, formatPoint } from "../../../analysis/index.ts";
import { escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import type { CheckedSemantics } from "../commands/check.ts";
import type { Question } from "../input/question.ts";
import type { OutputFormat } from "../options.ts";
import { painter, type Style, type Terminal } from "../terminal.ts";
import { explanationJson, type Json, semanticsJson, toJsonText } from "./json.ts";
import { describeSemantics, noteLines, notesOf } from "./text.ts";

const STYLES: Readonly<Record<AssertionResult["outcome"], Style>> = {
  holds: "green",
  fails: "red",
  vacuous: "red",
  inconclusive: "yellow",
};

/** The result of `check` in one of the output formats. */
export function renderCheck(
  { sender, analyses }: Question,
  checked: readonly CheckedSemantics[],
  format: OutputFormat,
  terminal: Terminal,
): string {
  if (format === "json") {
    return toJsonText({
      sender: sender.text,
      notes: notesOf(analyses),
      checks: checked.map(({ semantics, results }) => ({
        semantics: semanticsJson(semantics),
        assertions: results.map(resultJson),
      })),
    });
  }
  const notes = noteLines(analyses);
  const heading = `From ${sender.text}${notes === "" ? "" : `\n${notes.trimEnd()}`}`;
  if (format === "markdown") {
    const rows = checked.flatMap(({ semantics, results }) =>
      results.map(({ name, outcome, apart, text }) => [
        outcome,
        escapeText(name),
        semantics.name,
        outcome === "holds" && apart.length === 0 ? "" : escapeText(text),
      ]),
    );
    return `${heading}\n\n${table(["Outcome", "Assertion", "Semantics", "Why"], rows)}\n\n${summary(checked)}\n`;
  }
  const paint = painter(terminal);
  const sections = checked.map(({ semantics, results }) => {
    const lines = results.map(
      ({ outcome, text }) => `  ${paint(STYLES[outcome], outcome.toUpperCase().padEnd(12))}  ${text}\n`,
    );
    return `${paint("bold", describeSemantics(semantics))}\n${lines.join("")}\n`;
  });
  return `${paint("dim", heading)}\n\n${sections.join("")}${summary(checked)}\n`;
}

function summary(checked: readonly CheckedSemantics[]): string {
  const outcomes = checked.flatMap(({ results }) => results.map(({ outcome }) => outcome));
  const counts = (["holds", "fails", "vacuous", "inconclusive"] as const)
    .map((outcome) => [outcome, outcomes.filter((one) => one === outcome).length] as const)
    .filter(([, number]) => number > 0);
  return `${plural(outcomes.length, "check")}: ${counts.map(([outcome, number]) => `${number} ${outcome}`).join(", ")}`;
}

function resultJson({ name, expect, outcome, apart, text, contradictions }: AssertionResult): Json {
  return {
    name,
    expect,
    outcome,
    apart,
    text,
    contradictions: contradictions.map(({ where, protocols, ports, verdict, witness, explanation, why }) => ({
      where,
      why,
      protocols,
      ports: { from: ports.from, to: ports.to },
      verdict,
      witness: witness && formatPoint(witness),
      explanation: explanation && explanationJson(explanation),
    })),
  };
}

import { type AssertionResult, formatPoint } from "../../../analysis/index.ts";
import { junitXml } from "../../junit.ts";
import { escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import type { CheckedSemantics } from "../commands/check.ts";
import type { Question } from "../input/question.ts";
import { explanationJson, type Json, portsJson, semanticsJson } from "./json.ts";
import { describeSemantics, type Forms, notesOf, styleOf, tally } from "./text.ts";

/** The result of `check`. */
export function checkForms({ sender, analyses }: Question, checked: readonly CheckedSemantics[]): Forms {
  const outcomes = checked.flatMap(({ results }) => results.map(({ outcome }) => outcome));
  const sorted = [...outcomes].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const summary = `${plural(outcomes.length, "check")}: ${tally(sorted)}\n`;
  return {
    json: () => ({
      sender: sender.text,
      notes: notesOf(analyses),
      checks: checked.map(({ semantics, results }) => ({
        semantics: semanticsJson(semantics),
        assertions: results.map(resultJson),
      })),
    }),
    heading: [`From ${sender.text}`, ...notesOf(analyses)],
    markdown: () => {
      const rows = checked.flatMap(({ semantics, results }) =>
        results.map(({ name, outcome, apart, text }) => [
          outcome,
          escapeText(name),
          semantics.name,
          outcome === "holds" && apart.length === 0 ? "" : escapeText(text),
        ]),
      );
      return `${table(["Outcome", "Assertion", "Semantics", "Why"], rows)}\n\n${summary}`;
    },
    text: (paint) => {
      const sections = checked.map(({ semantics, results }) => {
        const lines = results.map(
          ({ outcome, text }) => `  ${paint(styleOf(outcome), outcome.toUpperCase().padEnd(12))}  ${text}\n`,
        );
        return `${paint("bold", describeSemantics(semantics))}\n${lines.join("")}\n`;
      });
      return `${sections.join("")}${summary}`;
    },
  };
}

const ORDER: readonly AssertionResult["outcome"][] = ["holds", "fails", "vacuous", "inconclusive"];

/** The result of `check` as JUnit XML: a suite for each semantics, a case for each assertion. */
export function checkJunit({ sender }: Question, checked: readonly CheckedSemantics[]): string {
  const cases = checked.flatMap(({ semantics, results }) =>
    results.map(({ name, outcome, text }) => ({
      suite: describeSemantics(semantics),
      name,
      ...((outcome === "fails" || outcome === "vacuous") && { failure: text }),
      ...(outcome === "inconclusive" && { error: text }),
    })),
  );
  return junitXml(`runner-egress check, from ${sender.text}`, "runner-egress check", cases);
}

function resultJson({ contradictions, name, expect, outcome, apart, text }: AssertionResult): Json {
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
      ports: portsJson(ports),
      verdict,
      witness: witness && formatPoint(witness),
      explanation: explanation && explanationJson(explanation),
    })),
  };
}

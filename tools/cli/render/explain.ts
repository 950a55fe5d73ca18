import { formatPart, type SelectorRegion } from "../../../analysis/index.ts";
import { codeSpan, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { Answer, AnswerVerdict, Judgement } from "../commands/explain.ts";
import type { Question } from "../input/question.ts";
import type { OutputFormat } from "../options.ts";
import { type Paint, painter, type Style, type Terminal } from "../terminal.ts";
import { explanationJson, type Json, semanticsJson, toJsonText } from "./json.ts";
import { allowedPorts, describeSemantics, noteLines, notesOf } from "./text.ts";

const STYLES: Readonly<Record<AnswerVerdict, Style>> = {
  disagree: "yellow",
  allow: "green",
  deny: "red",
  "order-dependent": "yellow",
  mixed: "yellow",
  unknown: "yellow",
};

/** The answers to `explain` in one of the output formats. */
export function renderExplain(
  question: Question,
  answers: readonly Answer[],
  format: OutputFormat,
  terminal: Terminal,
): string {
  switch (format) {
    case "json":
      return toJsonText({
        sender: question.sender.text,
        policies: question.set.policies.length,
        notes: notesOf(question.analyses),
        semantics: question.analyses.map(({ semantics }) => semanticsJson(semantics)),
        aborts: question.analyses.flatMap(abortReasons),
        answers: answers.map(answerJson),
      });
    case "markdown":
      return markdown(question, answers);
    case "text":
      return text(question, answers, painter(terminal));
  }
}

function heading({ sender, analyses }: Question): string {
  const applying = analyses[0]?.applying.length ?? 0;
  return `From ${sender.text} (${plural(applying, "policy applies", "policies apply")})`;
}

function text(question: Question, answers: readonly Answer[], paint: Paint): string {
  const blocks = answers.map((answer) => {
    const { destination, verdict, judgements } = answer;
    const title = `${paint([STYLES[verdict], "bold"], verdict.toUpperCase())}  ${paint("bold", destination.text)}`;
    return `${title}${paint("dim", `  ${agreement(answer, question)}`)}\n${sections(judgements)
      .map((section) => section.map((line) => `  ${line}\n`).join(""))
      .join("")}`;
  });
  return `${paint("dim", heading(question))}\n${noteLines(question.analyses)}\n${blocks.join("\n")}${summary(answers)}${abortText(question)}`;
}

function agreement({ verdict }: Answer, { analyses }: Question): string {
  const names = analyses.map(({ semantics }) => semantics.name);
  return verdict === "disagree" ? "the semantics disagree" : names.join(", ");
}

/** What is said of each semantics; once where they agree. */
function sections(judgements: readonly Judgement[]): string[][] {
  const disagree = new Set(judgements.map(({ verdict }) => verdict)).size > 1;
  // What EKS enforces leads.
  const ordered = [...judgements].sort(({ analysis }) => (analysis.semantics.name === "vpc-cni" ? -1 : 1));
  return (disagree ? ordered : judgements.slice(0, 1)).map((judgement) => {
    const lines = [judgement.text, ...details(judgement).map((line) => `  ${line}`)];
    return disagree ? [`${judgement.analysis.semantics.name}: ${lines[0]}`, ...lines.slice(1)] : lines;
  });
}

function details({ object }: Judgement): string[] {
  return object === undefined ? [] : [...object.parts.map(formatPart), ...object.candidates.map(candidateText)];
}

function candidateText(region: SelectorRegion): string {
  return `${region.text}: ${allowedPorts(region).join(", ")}`;
}

function summary(answers: readonly Answer[]): string {
  if (answers.length < 2) {
    return "";
  }
  const counts = new Map<AnswerVerdict, number>();
  for (const { verdict } of answers) {
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return `\n${plural(answers.length, "destination")}: ${[...counts].map(([verdict, number]) => `${number} ${verdict}`).join(", ")}\n`;
}

function abortText({ analyses }: Question): string {
  return analyses
    .flatMap(abortReasons)
    .map((reason) => `\nThe agent cannot load the policies: ${reason}.\n`)
    .join("");
}

function markdown(question: Question, answers: readonly Answer[]): string {
  const names = question.analyses.map(({ semantics }) => describeSemantics(semantics));
  const rows = answers.map(({ destination, judgements }) => [
    codeSpan(destination.text),
    ...judgements.map(({ verdict }) => `**${verdict}**`),
    sections(judgements).flat().map(escapeText).join("\n"),
  ]);
  return `${heading(question)}\n${noteLines(question.analyses)}\n${table(["Destination", ...names, "Why"], rows)}\n${abortText(question)}`;
}

function answerJson({ destination, verdict, judgements }: Answer): Json {
  return {
    destination: destination.text,
    verdict,
    judgements: judgements.map((judgement) => ({
      semantics: judgement.analysis.semantics.name,
      verdict: judgement.verdict,
      text: judgement.text,
      explanation: judgement.explanation && explanationJson(judgement.explanation),
      parts: judgement.object?.parts.map(({ what, explanation }) => ({
        what,
        explanation: explanationJson(explanation),
      })),
      candidates: judgement.object?.candidates.map(candidateText),
    })),
  };
}

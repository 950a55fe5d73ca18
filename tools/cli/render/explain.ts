import { formatPart, type SelectorRegion } from "../../../analysis/index.ts";
import { codeSpan, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { Answer, Judgement } from "../commands/explain.ts";
import type { Question } from "../input/question.ts";
import { explanationJson, type Json, semanticsJson } from "./json.ts";
import { allowedPorts, describeSemantics, type Forms, notesOf, remarksOf, styleOf, tally } from "./text.ts";

/** The answers to `explain`. */
export function explainForms({ sender, analyses, set }: Question, answers: readonly Answer[]): Forms {
  const applying = plural(analyses[0]?.applying.length ?? 0, "policy applies", "policies apply");
  const names = analyses.map(({ semantics }) => semantics.name).join(", ");
  return {
    json: () => ({
      sender: sender.text,
      policies: set.policies.length,
      notes: notesOf(analyses),
      semantics: analyses.map(({ semantics }) => semanticsJson(semantics)),
      aborts: analyses.flatMap(abortReasons),
      answers: answers.map(answerJson),
    }),
    heading: [`From ${sender.text} (${applying})`, ...remarksOf(analyses)],
    markdown: () => {
      const rows = answers.map(({ destination, judgements }) => [
        codeSpan(destination.text),
        ...judgements.map(({ verdict }) => `**${verdict}**`),
        reasons(judgements).map(escapeText).join("\n"),
      ]);
      const semantics = analyses.map((analysis) => describeSemantics(analysis.semantics));
      return `${table(["Destination", ...semantics, "Why"], rows)}\n`;
    },
    text: (paint) => {
      const blocks = answers.map(({ destination, verdict, judgements }) => {
        const title = `${paint([styleOf(verdict), "bold"], verdict.toUpperCase())}  ${paint("bold", destination.text)}`;
        const agreement = verdict === "disagree" ? "the semantics disagree" : names;
        const lines = reasons(judgements).map((line) => `  ${line}\n`);
        return `${title}${paint("dim", `  ${agreement}`)}\n${lines.join("")}`;
      });
      const counts = tally(answers.map(({ verdict }) => verdict));
      const summary = answers.length < 2 ? "" : `\n${plural(answers.length, "destination")}: ${counts}\n`;
      return `${blocks.join("\n")}${summary}`;
    },
  };
}

/** What is said of each semantics; once where they agree. */
function reasons(judgements: readonly Judgement[]): string[] {
  const disagree = new Set(judgements.map(({ verdict }) => verdict)).size > 1;
  // What EKS enforces leads.
  const ordered = [...judgements].sort(({ analysis }) => (analysis.semantics.name === "vpc-cni" ? -1 : 1));
  return (disagree ? ordered : judgements.slice(0, 1)).flatMap(({ analysis, text, object }) => [
    disagree ? `${analysis.semantics.name}: ${text}` : text,
    ...(object?.parts ?? []).map((part) => `  ${formatPart(part)}`),
    ...(object?.candidates ?? []).map((region) => `  ${candidateText(region)}`),
  ]);
}

function candidateText(region: SelectorRegion): string {
  return `${region.text}: ${allowedPorts(region).join(", ")}`;
}

function answerJson({ destination, verdict, judgements }: Answer): Json {
  return {
    destination: destination.text,
    verdict,
    judgements: judgements.map(({ analysis, verdict, text, explanation, object }) => ({
      semantics: analysis.semantics.name,
      verdict,
      text,
      explanation: explanation && explanationJson(explanation),
      parts: object?.parts.map(({ what, explanation }) => ({ what, explanation: explanationJson(explanation) })),
      candidates: object?.candidates.map(candidateText),
    })),
  };
}

import {
  type EgressAnalysis,
  type Explanation,
  explain,
  explainObject,
  formatPart,
  labelDoubt,
  type ObjectExplanation,
  type ObjectVerdict,
  type SelectorRegion,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import { codeSpan, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { CommandDefinition } from "../command.ts";
import { reading } from "../errors.ts";
import { type Destination, parseDestination, parseDestinationList } from "../input/destinations.ts";
import { loadQuestion, type Question } from "../input/question.ts";
import { type QuestionFlags, questionOptions } from "../options.ts";
import { explanationJson, type Json, semanticsJson } from "../render/json.ts";
import {
  allowedPorts,
  describeSemantics,
  type Forms,
  notesOf,
  printResult,
  remarksOf,
  styleOf,
  tally,
} from "../render/text.ts";
import { readStdin, type Terminal } from "../terminal.ts";

/** Says for each destination whether the pod may send to it, and why. */
export const command = {
  description:
    "Says for each destination whether the pod may send to it, and which rule and except decided.\n\n" +
    "Destinations: 10.1.7.7:443/tcp, [fd00:ec2::254]:80, service/NAMESPACE/NAME:PORT, pod/NAMESPACE/NAME:PORT, " +
    "host names (never resolved), or - for a list on stdin.",
  operands: ["what the pod sends to"],
  options: questionOptions("both"),
  examples: [
    "explain 10.1.7.7:443/tcp --policy docs/examples/runner-staging.yaml",
    "explain 10.1.100.20:5432 '[fd00:ec2::254]:80' --policy docs/examples/runner-staging.yaml --semantics kubernetes",
    "explain service/kube-system/kube-dns:53/udp --policy docs/examples/runner-staging.yaml --inventory docs/examples/cluster.yaml",
    "explain - --policy docs/examples/runner-staging.yaml --output markdown < docs/examples/hosts.txt",
  ],
  run: runExplain,
} satisfies CommandDefinition;

/** One destination under one semantics. */
interface Judgement {
  readonly analysis: EgressAnalysis;
  readonly verdict: ObjectVerdict;
  readonly text: string;
  /** For a bare address. */
  readonly explanation: Explanation | undefined;
  /** For a pod or a Service. */
  readonly object: ObjectExplanation | undefined;
}

/** One destination under every semantics that was asked for. */
interface Answer {
  readonly destination: Destination;
  readonly judgements: readonly Judgement[];
  /** What all judgements say; `unknown` where one is, else `disagree` where they differ. */
  readonly verdict: AnswerVerdict;
}

type AnswerVerdict = ObjectVerdict | "disagree";

/** What else there is decides nothing. */
const CODES: Partial<Record<AnswerVerdict, ExitCode>> = { allow: CLEAN, deny: FINDING };

async function runExplain(
  terminal: Terminal,
  destinations: readonly string[],
  flags: QuestionFlags,
): Promise<ExitCode> {
  const asked = (
    await Promise.all(
      destinations.map(async (text) =>
        text === "-" ? parseDestinationList(await readStdin(terminal)) : [parseDestination(text)],
      ),
    )
  ).flat();
  const question = await loadQuestion(flags, terminal);
  const answers = asked.map((destination) => answer(question, destination));
  await printResult(flags.output, explainForms(question, answers), terminal);
  const aborts = question.analyses.some((analysis) => analysis.aborts.length > 0);
  return worst([...answers.map(({ verdict }) => CODES[verdict] ?? INCONCLUSIVE), aborts ? INCONCLUSIVE : CLEAN]);
}

function answer({ analyses }: Question, destination: Destination): Answer {
  const judgements = analyses.map((analysis) => judge(analysis, destination));
  const verdicts = new Set(judgements.map(({ verdict }) => verdict));
  const [only = "unknown"] = verdicts;
  const verdict = verdicts.size === 1 ? only : verdicts.has("unknown") ? "unknown" : "disagree";
  return { destination, judgements, verdict };
}

function judge(analysis: EgressAnalysis, destination: Destination): Judgement {
  const nothing = { analysis, explanation: undefined, object: undefined };
  if (destination.kind === "host") {
    return { ...nothing, verdict: "unknown", text: hostText(destination.host) };
  }
  if (destination.kind === "object") {
    const object = reading(destination.text, () => explainObject(analysis, destination.object));
    return { ...nothing, verdict: object.verdict, text: object.text, object };
  }
  const explanation = reading(destination.text, () => explain(analysis, destination.point));
  const doubt = labelDoubt(analysis, destination.point);
  if (doubt !== undefined) {
    return { ...nothing, verdict: "unknown", text: `${destination.text} ${doubt}`, explanation };
  }
  const { service, text } = explanation;
  // Backends that differ are no matter of chance: which one is chosen decides.
  const isService = service !== undefined && explanation.verdict === "order-dependent";
  const verdict = isService ? (service.backends.length === 0 ? "unknown" : "mixed") : explanation.verdict;
  return { ...nothing, verdict, text, explanation };
}

function hostText(host: string): string {
  return (
    `${host} is a host name, and policies see only addresses. Resolve it where the pod runs and ask for every address, ` +
    `such as with: getent ahosts ${host}`
  );
}

/** The answers to `explain`. */
function explainForms({ sender, analyses, set }: Question, answers: readonly Answer[]): Forms {
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

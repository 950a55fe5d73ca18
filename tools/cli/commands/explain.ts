import {
  type EgressAnalysis,
  type Explanation,
  explain,
  explainObject,
  labelDoubt,
  type ObjectExplanation,
  type ObjectVerdict,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import { type Destination, parseDestination, parseDestinationList } from "../input/destinations.ts";
import { loadQuestion, type Question } from "../input/question.ts";
import type { OutputFlags, PolicyFlags, SemanticsFlags } from "../options.ts";
import { renderExplain } from "../render/explain.ts";
import { print, readStdin, type Terminal } from "../terminal.ts";
import { reading } from "../usageError.ts";

export type ExplainFlags = PolicyFlags & SemanticsFlags & OutputFlags;

/** One destination under one semantics. */
export interface Judgement {
  readonly analysis: EgressAnalysis;
  readonly verdict: ObjectVerdict;
  readonly text: string;
  /** For a bare address. */
  readonly explanation: Explanation | undefined;
  /** For a pod or a Service. */
  readonly object: ObjectExplanation | undefined;
}

/** One destination under every semantics that was asked for. */
export interface Answer {
  readonly destination: Destination;
  readonly judgements: readonly Judgement[];
  /** What all judgements say; `unknown` where one is, else `disagree` where they differ. */
  readonly verdict: AnswerVerdict;
}

export type AnswerVerdict = ObjectVerdict | "disagree";

const CODES: Readonly<Record<AnswerVerdict, ExitCode>> = {
  disagree: INCONCLUSIVE,
  allow: CLEAN,
  deny: FINDING,
  "order-dependent": INCONCLUSIVE,
  mixed: INCONCLUSIVE,
  unknown: INCONCLUSIVE,
};

/** Says for each destination whether the pod may send to it, and why. */
export async function explainCommand(
  destinations: readonly string[],
  flags: ExplainFlags,
  terminal: Terminal,
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
  await print(terminal, renderExplain(question, answers, flags.output, terminal));
  const aborts = question.analyses.some((analysis) => analysis.aborts.length > 0);
  return worst([...answers.map(({ verdict }) => CODES[verdict]), aborts ? INCONCLUSIVE : CLEAN]);
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
  // Backends that differ are no matter of chance: which one is chosen decides.
  const isMixed = explanation.reason === "service" && explanation.verdict === "order-dependent";
  return { ...nothing, verdict: isMixed ? "mixed" : explanation.verdict, text: explanation.text, explanation };
}

function hostText(host: string): string {
  return (
    `${host} is a host name, and policies see only addresses. Resolve it where the pod runs and ask for every address, ` +
    `such as with: getent ahosts ${host}`
  );
}

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
import type { CommandDefinition } from "../command.ts";
import { type Destination, parseDestination, parseDestinationList } from "../input/destinations.ts";
import { loadQuestion, type Question } from "../input/question.ts";
import { type QuestionFlags, questionOptions } from "../options.ts";
import { explainForms } from "../render/explain.ts";
import { printResult } from "../render/text.ts";
import { readStdin, type Terminal } from "../terminal.ts";
import { reading } from "../usageError.ts";

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

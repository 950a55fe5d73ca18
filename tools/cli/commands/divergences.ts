import {
  type Divergence,
  type DivergenceShape,
  divergences,
  type EgressAnalysis,
  formatPoint,
  formatPorts,
  formatRange,
  formatReference,
  type PodDivergence,
  podDivergences,
  type VpcCniSemantics,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE } from "../../exitCodes.ts";
import { codeSpan, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import { abortReasons, isUndecided } from "../aborts.ts";
import type { CommandDefinition } from "../command.ts";
import { loadQuestion, type Question } from "../input/question.ts";
import {
  AGENT_OPTIONS,
  LIMIT_OPTION,
  NODE_OPTION,
  type OutputFlags,
  outputOption,
  POLICY_OPTIONS,
  type PolicyFlags,
  repeatable,
  SENDER_OPTIONS,
  type SemanticsFlags,
} from "../options.ts";
import { boxJson } from "../render/diff.ts";
import { portsJson, referenceJson, semanticsJson } from "../render/json.ts";
import { describeSemantics, type Forms, notesOf, printResult, remarksOf, styleOf } from "../render/text.ts";
import type { Terminal } from "../terminal.ts";

type DivergencesFlags = PolicyFlags &
  SemanticsFlags &
  OutputFlags & { readonly accept?: readonly DivergenceShape[]; readonly limit: number };

/** Lists where the AWS agent enforces something else than Kubernetes specifies: exit code 1 if anywhere. */
export const command = {
  description:
    "Lists each region on which the AWS network policy agent does something else than the Kubernetes API reference says, " +
    "with an example and the shape of rules that causes it (docs/semantics.md).",
  options: [
    repeatable("--accept <shape>", "a shape that is known and does not count, such as other-family-not-enforced"),
    LIMIT_OPTION,
    ...POLICY_OPTIONS,
    ...SENDER_OPTIONS,
    ...AGENT_OPTIONS,
    NODE_OPTION,
    outputOption(),
  ],
  examples: [
    "divergences --policy docs/examples/runner-staging.yaml --node-ip 10.1.20.7",
    "divergences --policy docs/examples/runner-staging.yaml --accept other-family-not-enforced",
  ],
  run: runDivergences,
} satisfies CommandDefinition;

/** What is no fault of the policies and does not count: it holds in every cluster of its kind. */
const CONTEXT: Partial<Record<DivergenceShape, (found: Divergence) => string>> = {
  "node-address": ({ range }) => `The agent always allows the pod's own node, ${formatRange(range)}, on every port.`,
  "other-family-not-enforced": () =>
    "The agent of an IPv4 cluster passes IPv6; pods have no IPv6 address there, unless ENABLE_V6_EGRESS is true.",
};

async function runDivergences(terminal: Terminal, flags: DivergencesFlags): Promise<ExitCode> {
  const question = await loadQuestion({ ...flags, semantics: "vpc-cni" }, terminal);
  const [analysis] = question.analyses as [EgressAnalysis];
  const { policies, source, inventory } = analysis;
  const semantics = analysis.semantics as VpcCniSemantics;
  const options = { semantics, source, ...(inventory === undefined ? {} : { inventory }) };
  const all = divergences(policies, options, question.set.names);
  const allPods = podDivergences(policies, options);
  const isAccepted = ({ shape }: { readonly shape: DivergenceShape }) => flags.accept?.includes(shape) === true;
  const isContext = ({ shape }: Divergence) =>
    shape === "node-address" || (shape === "other-family-not-enforced" && semantics.ipFamily === "ipv4");
  const counted = all.filter((each) => !isAccepted(each));
  const result: Result = {
    found: counted.filter((each) => !isContext(each)),
    pods: allPods.filter((each) => !isAccepted(each)),
    context: [...Map.groupBy(counted.filter(isContext), ({ shape }) => shape)].map(
      ([shape, [first]]) => `context  ${shape}  ${CONTEXT[shape]?.(first as Divergence)}`,
    ),
    accepted: Map.groupBy([...all, ...allPods].filter(isAccepted), ({ shape }) => shape),
  };
  await printResult(flags.output, formsOf(question, result, flags.limit), terminal);
  const isDifferent = result.found.length + result.pods.length > 0;
  return question.analyses.some(isUndecided) ? INCONCLUSIVE : isDifferent ? FINDING : CLEAN;
}

interface Result {
  readonly found: readonly Divergence[];
  /** The same for pods by label, where no inventory gives them addresses. */
  readonly pods: readonly PodDivergence[];
  readonly context: readonly string[];
  readonly accepted: ReadonlyMap<DivergenceShape, readonly unknown[]>;
}

/** One disagreement in words. */
interface Row {
  readonly direction: Divergence["direction"];
  readonly shape: string;
  readonly where: string;
  /** A destination; `undefined` for pods by label. */
  readonly example: string | undefined;
  readonly why: readonly string[];
}

function formsOf({ sender, analyses }: Question, { found, pods, context, accepted }: Result, limit: number): Forms {
  const semantics = analyses.map((analysis) => analysis.semantics);
  const limited = limit === 0 ? found : found.slice(0, limit);
  const rows = [...pods.map(podRow), ...limited.map(regionRow)];
  const total = found.length + pods.length;
  const footer = [
    ...context,
    ...(limited.length < found.length ? [`... and ${found.length - limited.length} more (--limit 0 shows all)`] : []),
    ...[...accepted].map(([shape, { length }]) => `${plural(length, "region")} accepted: ${shape}`),
    total === 0 ? "No divergence.\n" : `${plural(total, "divergence")}.\n`,
  ].join("\n");
  const against = semantics.map(describeSemantics).join(", ");
  return {
    json: () => ({
      sender: sender.text,
      semantics: semantics.map(semanticsJson),
      aborts: analyses.flatMap(abortReasons),
      notes: notesOf(analyses),
      context,
      pods: pods.map(({ causedBy, ports, ...rest }) => ({
        ...rest,
        ports: portsJson(ports),
        causedBy: causedBy.map(referenceJson),
      })),
      divergences: found.map(({ direction, shape, ...box }) => ({ direction, shape, ...boxJson(box) })),
      accepted: Object.fromEntries([...accepted].map(([shape, { length }]) => [shape, length])),
    }),
    heading: [`From ${sender.text}: kubernetes against ${against}`, ...remarksOf(analyses)],
    markdown: () => {
      const cells = rows.map(({ direction, shape, where, example, why }) => [
        direction,
        shape,
        escapeText(where),
        example === undefined ? "" : codeSpan(example),
        why.map(escapeText).join("\n"),
      ]);
      const header = ["Direction", "Shape", "Region", "Example", "Why"];
      return `${rows.length === 0 ? "" : `${table(header, cells)}\n\n`}${footer}`;
    },
    text: (paint) => {
      const blocks = rows.map(({ direction, shape, where, example, why }) => {
        const title = `${paint([styleOf(direction), "bold"], direction)}  ${paint("bold", shape)}  ${where}`;
        const lines = [...(example === undefined ? [] : [`for example ${example}`]), ...why];
        return `${title}\n${lines.map((line) => `    ${line}\n`).join("")}\n`;
      });
      return `${blocks.join("")}${footer}`;
    },
  };
}

function podRow({ direction, shape, pods, protocols, ports, text, causedBy }: PodDivergence): Row {
  const where = `${pods} ${protocols.join(", ")} ${formatPorts(ports)}`;
  const why = [`${text}: ${causedBy.map(formatReference).join(" and ")}`];
  return { direction, shape, where, example: undefined, why };
}

function regionRow({ direction, shape, range, protocols, ports, witness, explanations }: Divergence): Row {
  const where = `${formatRange(range)} ${protocols.join(", ")} ${formatPorts(ports)}`;
  const why = [`kubernetes: ${explanations.before.text}`, `vpc-cni: ${explanations.after.text}`];
  return { direction, shape, where, example: formatPoint(witness), why };
}

import {
  type Divergence,
  formatPoint,
  formatPorts,
  formatRange,
  formatReference,
  type PodDivergence,
} from "../../../analysis/index.ts";
import { codeSpan, escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { DivergencesResult } from "../commands/divergences.ts";
import type { Question } from "../input/question.ts";
import { boxJson } from "./diff.ts";
import { portsJson, referenceJson, semanticsJson } from "./json.ts";
import { describeSemantics, type Forms, notesOf, remarksOf, styleOf } from "./text.ts";

/** One disagreement in words. */
interface Row {
  readonly direction: Divergence["direction"];
  readonly shape: string;
  readonly where: string;
  /** A destination; `undefined` for pods by label. */
  readonly example: string | undefined;
  readonly why: readonly string[];
}

/**
 * The result of `divergences`.
 *
 * @param limit how many regions are shown, 0 for all
 */
export function divergencesForms(
  { sender, analyses }: Question,
  { found, pods, context, accepted }: DivergencesResult,
  limit: number,
): Forms {
  const semantics = analyses.map((analysis) => analysis.semantics);
  const limited = limit === 0 ? found : found.slice(0, limit);
  const rows = [...pods.map(podRow), ...limited.map(regionRow)];
  const total = found.length + pods.length;
  const footer = [
    ...context,
    ...(limited.length < found.length ? [`... and ${found.length - limited.length} more (--limit 0 shows all)`] : []),
    ...[...accepted].map(([shape, number]) => `${plural(number, "region")} accepted: ${shape}`),
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
      accepted: Object.fromEntries(accepted),
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

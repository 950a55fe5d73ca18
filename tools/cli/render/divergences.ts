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
import type { DivergencesFlags, DivergencesResult } from "../commands/divergences.ts";
import type { Question } from "../input/question.ts";
import { type Paint, painter, type Style, type Terminal } from "../terminal.ts";
import { boxJson } from "./diff.ts";
import { referenceJson, semanticsJson, toJsonText } from "./json.ts";
import { describeSemantics, notesOf } from "./text.ts";

const STYLES: Readonly<Record<Divergence["direction"], Style>> = {
  "over-allow": "red",
  "over-deny": "yellow",
  "order-dependent": "yellow",
};

/** The result of `divergences` in one of the output formats. */
export function renderDivergences(
  { sender, analyses }: Question,
  { found, pods, context, accepted, aborts }: DivergencesResult,
  { output, limit }: Pick<DivergencesFlags, "output" | "limit">,
  terminal: Terminal,
): string {
  const semantics = analyses.map((analysis) => analysis.semantics);
  const heading = `From ${sender.text}: kubernetes against ${semantics.map(describeSemantics).join(", ")}`;
  if (output === "json") {
    return toJsonText({
      sender: sender.text,
      semantics: semantics.map(semanticsJson),
      aborts,
      notes: notesOf(analyses),
      context,
      pods: pods.map(({ causedBy, ports, ...rest }) => ({
        ...rest,
        ports: { from: ports.from, to: ports.to },
        causedBy: causedBy.map(referenceJson),
      })),
      divergences: found.map(({ direction, shape, ...box }) => ({ direction, shape, ...(boxJson(box) as object) })),
      accepted: Object.fromEntries(accepted),
    });
  }
  const limited = limit === 0 ? found : found.slice(0, limit);
  const total = found.length + pods.length;
  const notes = [
    ...context,
    ...notesOf(analyses),
    ...(limited.length < found.length ? [`... and ${found.length - limited.length} more (--limit 0 shows all)`] : []),
    ...[...accepted].map(([shape, number]) => `${plural(number, "region")} accepted: ${shape}`),
    ...aborts.map((reason) => `The agent cannot load the policies: ${reason}.`),
    total === 0 ? "No divergence." : `${plural(total, "divergence")}.`,
  ];
  if (output === "markdown") {
    const podRows = pods.map((each) => [
      each.direction,
      each.shape,
      escapeText(podText(each)),
      "",
      escapeText(podWhy(each)),
    ]);
    const regionRows = limited.map((divergence) => [
      divergence.direction,
      divergence.shape,
      regionText(divergence),
      codeSpan(formatPoint(divergence.witness)),
      whyText(divergence).map(escapeText).join("\n"),
    ]);
    const rows = [...podRows, ...regionRows];
    const found = rows.length === 0 ? "" : `${table(["Direction", "Shape", "Region", "Example", "Why"], rows)}\n\n`;
    return `${heading}\n\n${found}${notes.join("\n")}\n`;
  }
  const paint = painter(terminal);
  const blocks = [
    ...pods.map((each) => `${title(each, podText(each), paint)}\n    ${podWhy(each)}\n\n`),
    ...limited.map((divergence) => block(divergence, paint)),
  ];
  return `${paint("dim", heading)}\n\n${blocks.join("")}${notes.join("\n")}\n`;
}

function podText({ pods, protocols, ports }: PodDivergence): string {
  return `${pods} ${protocols.join(", ")} ${formatPorts(ports)}`;
}

function podWhy({ text, causedBy }: PodDivergence): string {
  return `${text}: ${causedBy.map(formatReference).join(" and ")}`;
}

function title({ direction, shape }: Pick<Divergence, "direction" | "shape">, where: string, paint: Paint): string {
  return `${paint([STYLES[direction], "bold"], direction)}  ${paint("bold", shape)}  ${where}`;
}

function block(divergence: Divergence, paint: Paint): string {
  const { witness } = divergence;
  const lines = [`for example ${formatPoint(witness)}`, ...whyText(divergence)];
  return `${title(divergence, regionText(divergence), paint)}\n${lines.map((line) => `    ${line}\n`).join("")}\n`;
}

function regionText({ range, protocols, ports }: Divergence): string {
  return `${formatRange(range)} ${protocols.join(", ")} ${formatPorts(ports)}`;
}

function whyText({ explanations: { before, after } }: Divergence): string[] {
  return [`kubernetes: ${before.text}`, `vpc-cni: ${after.text}`];
}

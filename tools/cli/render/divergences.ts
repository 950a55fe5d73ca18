import { type Divergence, formatPoint, formatPorts, formatRange } from "../../../analysis/index.ts";
import type { DivergencesFlags, DivergencesResult } from "../commands/divergences.ts";
import type { Question } from "../input/question.ts";
import { type Paint, painter, type Style, type Terminal } from "../terminal.ts";
import { boxJson } from "./diff.ts";
import { semanticsJson, toJsonText } from "./json.ts";
import { count, describeSemantics, markdownTable } from "./text.ts";

const STYLES: Readonly<Record<Divergence["direction"], Style>> = {
  "over-allow": "red",
  "over-deny": "yellow",
  "order-dependent": "yellow",
};

/** The result of `divergences` in one of the output formats. */
export function renderDivergences(
  { sender, analyses }: Question,
  { found, accepted, aborts }: DivergencesResult,
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
      divergences: found.map(({ direction, shape, ...box }) => ({ direction, shape, ...(boxJson(box) as object) })),
      accepted: Object.fromEntries(accepted),
    });
  }
  const limited = limit === 0 ? found : found.slice(0, limit);
  const notes = [
    ...(limited.length < found.length ? [`... and ${found.length - limited.length} more (--limit 0 shows all)`] : []),
    ...[...accepted].map(([shape, number]) => `${count(number, "region")} accepted: ${shape}`),
    ...aborts.map((reason) => `The agent cannot load the policies: ${reason}.`),
    found.length === 0 ? "No divergence." : `${count(found.length, "divergence")}.`,
  ];
  if (output === "markdown") {
    const rows = limited.map((divergence) => [
      divergence.direction,
      divergence.shape,
      regionText(divergence),
      `\`${formatPoint(divergence.witness)}\``,
      whyText(divergence).join("\n"),
    ]);
    const table =
      rows.length === 0 ? "" : `${markdownTable(["Direction", "Shape", "Region", "Example", "Why"], rows)}\n`;
    return `${heading}\n\n${table}${notes.join("\n")}\n`;
  }
  const paint = painter(terminal);
  return `${paint("dim", heading)}\n\n${limited.map((divergence) => block(divergence, paint)).join("")}${notes.join("\n")}\n`;
}

function block(divergence: Divergence, paint: Paint): string {
  const { direction, shape, witness } = divergence;
  const lines = [`for example ${formatPoint(witness)}`, ...whyText(divergence)];
  const title = `${paint([STYLES[direction], "bold"], direction)}  ${paint("bold", shape)}  ${regionText(divergence)}`;
  return `${title}\n${lines.map((line) => `    ${line}\n`).join("")}\n`;
}

function regionText({ range, protocols, ports }: Divergence): string {
  return `${formatRange(range)} ${protocols.join(", ")} ${formatPorts(ports)}`;
}

function whyText({ explanations: { before, after } }: Divergence): string[] {
  return [`kubernetes: ${before.text}`, `vpc-cni: ${after.text}`];
}

import type { ChangeBox } from "../../../analysis/boxes.ts";
import {
  boxSize,
  countDiff,
  type Diff,
  type DiffBox,
  type DiffCounts,
  describeBox,
  formatAddress,
  formatPoint,
  formatPorts,
  formatRange,
  isEmptyDiff,
  type NamedAddresses,
  POLICY_PROTOCOLS,
  type PodRow,
  type Protocol,
  protocolsOf,
} from "../../../analysis/index.ts";
import { codeSpan, escapeText, table } from "../../markdown.ts";
import { grouped, plural } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { Comparison, DiffFlags, DiffResult } from "../commands/diff.ts";
import { type Paint, painter, type Terminal } from "../terminal.ts";
import { explanationJson, type Json, semanticsJson, toJsonText } from "./json.ts";
import { describeSemantics, notesOf } from "./text.ts";

/** The result of `diff` in one of the output formats. */
export function renderDiff(result: DiffResult, { output, limit }: DiffFlags, terminal: Terminal): string {
  switch (output) {
    case "json":
      return toJsonText({
        before: result.before.label,
        after: result.after.label,
        sender: result.sender.text,
        comparisons: result.comparisons.map((comparison) => comparisonJson(comparison, result.names)),
      });
    case "markdown":
      return `${heading(result)}\n\n${sections(result, markdownSection(limit, result.names))}`;
    case "text": {
      const paint = painter(terminal);
      return `${paint("dim", heading(result))}\n\n${sections(result, textSection(paint, limit, result.names))}`;
    }
  }
}

type Section = (title: string, comparison: Comparison) => string;

function heading({ before, after, sender }: DiffResult): string {
  return `${before.label} -> ${after.label}, from ${sender.text}`;
}

/** One section for each semantics, or one for both where ports under TCP, UDP and SCTP differ alike. */
function sections({ comparisons }: DiffResult, section: Section): string {
  const [first, second] = comparisons;
  if (first === undefined) {
    return "";
  }
  if (second !== undefined && essence(first.diff) === essence(second.diff)) {
    const portless = portlessPart(second);
    const title = `${first.semantics.name} and ${describeSemantics(second.semantics)}`;
    return (
      section(title, first) +
      (isEmptyDiff(portless.diff) ? "" : `\n${section(`${second.semantics.name} only, without ports`, portless)}`)
    );
  }
  return comparisons.map((each) => section(describeSemantics(each.semantics), each)).join("\n");
}

const isPolicyProtocol = (protocol: Protocol) => (POLICY_PROTOCOLS as readonly Protocol[]).includes(protocol);

function essence({ gained, lost }: Diff<ChangeBox>): string {
  return [gained, lost]
    .map(({ boxes, pods }) =>
      [
        ...boxes.flatMap(({ range, protocols, ports, before, after }) => {
          const shared = protocols.filter(isPolicyProtocol);
          return shared.length === 0
            ? []
            : [
                `${range.family} ${range.first}-${range.last} ${shared.join()} ${ports.from}-${ports.to} ${before}>${after}`,
              ];
        }),
        ...pods.map(({ text, protocols, ports }) => `${text} ${protocols.join()} ${portsText(ports)}`),
      ].join("\n"),
    )
    .join("\n\n");
}

/** What is left of a comparison for ICMP, ICMPv6 and GRE. */
function portlessPart(comparison: Comparison): Comparison {
  const { gained, lost } = comparison.diff;
  const rest = (boxes: readonly ChangeBox[]) => boxes.filter(({ protocols }) => !protocols.some(isPolicyProtocol));
  return {
    ...comparison,
    diff: { gained: { boxes: rest(gained.boxes), pods: [] }, lost: { boxes: rest(lost.boxes), pods: [] } },
  };
}

function textSection(paint: Paint, limit: number, names: readonly NamedAddresses[]): Section {
  return (title, comparison) => {
    const { gained, lost } = comparison.diff;
    const lines = [paint("bold", title)];
    for (const [name, sign, side, style] of [
      ["Gained", "+", gained, "red"],
      ["Lost", "-", lost, "green"],
    ] as const) {
      const rows = shown([...side.pods, ...side.boxes], limit).flatMap((row) =>
        "pods" in row
          ? [`  ${paint(style, `${sign} ${podsText(row)}`)}`]
          : [`  ${paint(style, `${sign} ${boxText(row)}`)}`, ...boxDetails(comparison, row, names)],
      );
      const total = side.boxes.length + side.pods.length;
      lines.push(
        `${name}: ${total === 0 ? "nothing" : sizeText(side.boxes, side.pods)}`,
        ...rows,
        ...leftOut(total, limit),
      );
    }
    return `${[...lines, ...abortText(comparison)].join("\n")}\n`;
  };
}

function markdownSection(limit: number, names: readonly NamedAddresses[]): Section {
  return (title, comparison) => {
    const { gained, lost } = comparison.diff;
    const all = [
      ...[...gained.pods, ...gained.boxes].map((row) => ["**gained**", row] as const),
      ...[...lost.pods, ...lost.boxes].map((row) => ["lost", row] as const),
    ];
    const rows = shown(all, limit).map(([kind, row]) =>
      "pods" in row ? [kind, escapeText(podsText(row)), "", ""] : [kind, ...markdownCells(comparison, row, names)],
    );
    const found = all.length === 0 ? "No difference." : table(["", "Destinations", "Example", "Why"], rows);
    const notes = [...leftOut(all.length, limit), ...abortText(comparison)];
    return `### ${title}\n\n${found}\n${notes.length === 0 ? "" : `\n${notes.join("\n")}\n`}`;
  };
}

function markdownCells({ before, after }: Comparison, box: ChangeBox, known: readonly NamedAddresses[]): string[] {
  const { names, witness, explanations } = describeBox(before, after, box, known);
  return [
    [boxText(box), names.join("; ")].map(escapeText).join("\n"),
    codeSpan(formatPoint(witness)),
    [`before: ${explanations.before.text}`, `after: ${explanations.after.text}`].map(escapeText).join("\n"),
  ];
}

function boxText({ range, protocols, ports, before, after }: ChangeBox): string {
  const pairs = boxSize(range, ports);
  const change = before === "order-dependent" || after === "order-dependent" ? ` (${before} -> ${after})` : "";
  return `${formatRange(range)} ${protocols.join(", ")} ${portsText(ports)}${change}, ${grouped(pairs)} ${pairs === 1n ? "pair" : "pairs"}`;
}

function boxDetails({ before, after }: Comparison, box: ChangeBox, known: readonly NamedAddresses[]): string[] {
  const { names, witness, explanations } = describeBox(before, after, box, known);
  return [
    names.join("; "),
    `for example ${formatPoint(witness)}`,
    `before: ${explanations.before.text}`,
    `after: ${explanations.after.text}`,
  ].map((line) => `      ${line}`);
}

function podsText({ text, protocols, ports }: PodRow): string {
  return `${text}: ${protocols.join(", ")} ${portsText(ports)}`;
}

function portsText(ports: PodRow["ports"]): string {
  return typeof ports === "string" ? `port "${ports}"` : formatPorts(ports);
}

function sizeText(boxes: readonly ChangeBox[], pods: readonly PodRow[]): string {
  return [
    ...(boxes.length === 0 ? [] : [plural(boxes.length, "box", "boxes")]),
    ...(pods.length === 0 ? [] : [`${plural(pods.length, "set")} of pods`]),
  ].join(", ");
}

function shown<T>(rows: readonly T[], limit: number): readonly T[] {
  return limit === 0 ? rows : rows.slice(0, limit);
}

function leftOut(rows: number, limit: number): string[] {
  return limit > 0 && rows > limit ? [`  ... and ${rows - limit} more (--limit 0 shows all)`] : [];
}

function abortText({ before, after }: Comparison): string[] {
  return [
    ...notesOf([before]).map((text) => `Before: ${text}`),
    ...notesOf([after]).map((text) => `After: ${text}`),
    ...abortReasons(before).map((reason) => `The agent cannot load the policies before: ${reason}.`),
    ...abortReasons(after).map((reason) => `The agent cannot load the policies after: ${reason}.`),
  ];
}

function comparisonJson(
  { semantics, before, after, diff: { gained, lost } }: Comparison,
  names: readonly NamedAddresses[],
): Json {
  const described = (box: ChangeBox) => boxJson(describeBox(before, after, box, names));
  const counts = countDiff(before, after, protocolsOf(semantics));
  const aborts = { before: abortReasons(before), after: abortReasons(after) };
  return {
    semantics: semanticsJson(semantics),
    gained: { counts: countsJson(counts.gained), boxes: gained.boxes.map(described), pods: gained.pods.map(podsJson) },
    lost: { counts: countsJson(counts.lost), boxes: lost.boxes.map(described), pods: lost.pods.map(podsJson) },
    notes: { before: notesOf([before]), after: notesOf([after]) },
    aborts,
  };
}

function countsJson(counts: DiffCounts): Json {
  return Object.fromEntries(
    Object.entries(counts).map(([family, byProtocol]) => [
      family,
      Object.fromEntries(Object.entries(byProtocol).map(([protocol, number]) => [protocol, String(number)])),
    ]),
  );
}

/** A box; `pairs` counts (address, port) pairs for one of the protocols. */
export function boxJson({
  range,
  protocols,
  ports,
  before,
  after,
  pairs,
  witness,
  names,
  explanations,
}: DiffBox): Json {
  const end = (value: bigint) => formatAddress({ family: range.family, value });
  return {
    range: formatRange(range),
    first: end(range.first),
    last: end(range.last),
    protocols,
    ports: { from: ports.from, to: ports.to },
    before,
    after,
    pairs: String(pairs),
    witness: formatPoint(witness),
    names,
    explanations: { before: explanationJson(explanations.before), after: explanationJson(explanations.after) },
  };
}

function podsJson({ text, protocols, ports }: PodRow): Json {
  return { pods: text, protocols, ports: typeof ports === "string" ? ports : { from: ports.from, to: ports.to } };
}

import type { ChangeBox } from "../../../analysis/boxes.ts";
import {
  boxSize,
  countDiff,
  type Diff,
  type DiffBox,
  type DiffCounts,
  describeBox,
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
import type { Comparison, DiffResult } from "../commands/diff.ts";
import type { Paint } from "../terminal.ts";
import { countsJson, explanationJson, type Json, portsJson, rangeJson, semanticsJson } from "./json.ts";
import { abortLines, describeSemantics, type Forms, notesOf } from "./text.ts";

/**
 * The result of `diff`.
 *
 * @param limit how many rows are shown, 0 for all
 */
export function diffForms(result: DiffResult, limit: number): Forms {
  const { before, after, sender, names, comparisons } = result;
  return {
    json: () => ({
      before: before.label,
      after: after.label,
      sender: sender.text,
      comparisons: comparisons.map((comparison) => comparisonJson(comparison, names)),
    }),
    heading: [`${before.label} -> ${after.label}, from ${sender.text}`],
    markdown: () => sections(result, markdownSection(limit, names)),
    text: (paint) => sections(result, textSection(paint, limit, names)),
  };
}

type Section = (title: string, comparison: Comparison) => string;

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

/** One row in words: pods by label, or a box with an example and why it changes. */
interface RowWords {
  readonly what: string;
  readonly box?: { readonly names: string; readonly example: string; readonly why: readonly string[] };
}

function words({ before, after }: Comparison, row: PodRow | ChangeBox, known: readonly NamedAddresses[]): RowWords {
  if ("pods" in row) {
    return { what: `${row.text}: ${row.protocols.join(", ")} ${portsText(row.ports)}` };
  }
  const { names, witness, explanations } = describeBox(before, after, row, known);
  const why = [`before: ${explanations.before.text}`, `after: ${explanations.after.text}`];
  return { what: boxText(row), box: { names: names.join("; "), example: formatPoint(witness), why } };
}

function textSection(paint: Paint, limit: number, known: readonly NamedAddresses[]): Section {
  return (title, comparison) => {
    const { gained, lost } = comparison.diff;
    const lines = [paint("bold", title)];
    for (const [name, sign, { boxes, pods }, style] of [
      ["Gained", "+", gained, "red"],
      ["Lost", "-", lost, "green"],
    ] as const) {
      const rows = shown([...pods, ...boxes], limit).flatMap((row) => {
        const { what, box } = words(comparison, row, known);
        const details = box === undefined ? [] : [box.names, `for example ${box.example}`, ...box.why];
        return [`  ${paint(style, `${sign} ${what}`)}`, ...details.map((line) => `      ${line}`)];
      });
      const sizes = [
        ...(boxes.length === 0 ? [] : [plural(boxes.length, "box", "boxes")]),
        ...(pods.length === 0 ? [] : [`${plural(pods.length, "set")} of pods`]),
      ];
      lines.push(`${name}: ${sizes.join(", ") || "nothing"}`, ...rows, ...leftOut(boxes.length + pods.length, limit));
    }
    return `${[...lines, ...remarks(comparison)].join("\n")}\n`;
  };
}

function markdownSection(limit: number, known: readonly NamedAddresses[]): Section {
  return (title, comparison) => {
    const { gained, lost } = comparison.diff;
    const all = [
      ...[...gained.pods, ...gained.boxes].map((row) => ["**gained**", row] as const),
      ...[...lost.pods, ...lost.boxes].map((row) => ["lost", row] as const),
    ];
    const rows = shown(all, limit).map(([kind, row]) => {
      const { what, box } = words(comparison, row, known);
      return box === undefined
        ? [kind, escapeText(what), "", ""]
        : [
            kind,
            `${escapeText(what)}\n${escapeText(box.names)}`,
            codeSpan(box.example),
            box.why.map(escapeText).join("\n"),
          ];
    });
    const found = all.length === 0 ? "No difference." : table(["", "Destinations", "Example", "Why"], rows);
    const notes = [...leftOut(all.length, limit), ...remarks(comparison)];
    return `### ${title}\n\n${found}\n${notes.length === 0 ? "" : `\n${notes.join("\n")}\n`}`;
  };
}

function boxText({ range, protocols, ports, before, after }: ChangeBox): string {
  const pairs = boxSize(range, ports);
  const change = before === "order-dependent" || after === "order-dependent" ? ` (${before} -> ${after})` : "";
  return `${formatRange(range)} ${protocols.join(", ")} ${portsText(ports)}${change}, ${grouped(pairs)} ${pairs === 1n ? "pair" : "pairs"}`;
}

function portsText(ports: PodRow["ports"]): string {
  return typeof ports === "string" ? `port "${ports}"` : formatPorts(ports);
}

function shown<T>(rows: readonly T[], limit: number): readonly T[] {
  return limit === 0 ? rows : rows.slice(0, limit);
}

function leftOut(rows: number, limit: number): string[] {
  return limit > 0 && rows > limit ? [`  ... and ${rows - limit} more (--limit 0 shows all)`] : [];
}

function remarks({ before, after }: Comparison): string[] {
  return [
    ...notesOf([before]).map((text) => `Before: ${text}`),
    ...notesOf([after]).map((text) => `After: ${text}`),
    ...abortLines([before], " before"),
    ...abortLines([after], " after"),
  ];
}

function comparisonJson(
  { semantics, before, after, diff: { gained, lost } }: Comparison,
  names: readonly NamedAddresses[],
): Json {
  const counts = countDiff(before, after, protocolsOf(semantics));
  const side = ({ boxes, pods }: typeof gained, counts: DiffCounts): Json => ({
    counts: countsJson(counts, protocolsOf(semantics)),
    boxes: boxes.map((box) => boxJson(describeBox(before, after, box, names))),
    pods: pods.map(({ text, protocols, ports }) => ({ pods: text, protocols, ports: portsJson(ports) })),
  });
  return {
    semantics: semanticsJson(semantics),
    gained: side(gained, counts.gained),
    lost: side(lost, counts.lost),
    notes: { before: notesOf([before]), after: notesOf([after]) },
    aborts: { before: abortReasons(before), after: abortReasons(after) },
  };
}

/** A box; `pairs` counts (address, port) pairs for one of the protocols. */
export function boxJson({ range, protocols, ports, before, after, pairs, witness, names, explanations }: DiffBox) {
  return {
    ...rangeJson(range),
    protocols,
    ports: portsJson(ports),
    before,
    after,
    pairs: String(pairs),
    witness: formatPoint(witness),
    names,
    explanations: { before: explanationJson(explanations.before), after: explanationJson(explanations.after) },
  };
}

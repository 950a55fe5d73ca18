import {
  type AddressFamily,
  type AddressRange,
  boxSize,
  type EgressAnalysis,
  explain,
  formatPorts,
  formatRange,
  namesIn,
  type PortRange,
  type Protocol,
  type Region,
  type Verdict,
} from "../../../analysis/index.ts";
import { layout } from "../../layout.ts";
import { escapeText, table } from "../../markdown.ts";
import { grouped } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { Question } from "../input/question.ts";
import { decimals, explanationJson, type Json, portsJson, rangeJson, semanticsJson } from "./json.ts";
import { allowedPorts, describeSemantics, type Forms, notesOf, remarksOf, styleOf } from "./text.ts";

/** How many (address, port) pairs of a family and a protocol have each verdict. */
export interface FamilySizes {
  readonly family: AddressFamily;
  readonly protocol: Protocol;
  readonly sizes: Readonly<Record<Verdict, bigint>>;
}

/** Regions of one cell on the same ports, which the eye reads as one. */
interface Row {
  readonly range: AddressRange;
  readonly protocols: Protocol[];
  readonly ports: PortRange;
  readonly verdict: Verdict;
}

const SIZE_HEADER = ["family", "protocol", "allow", "deny", "order-dependent"];

/** The result of `regions` under one semantics. */
export function regionsForms(
  { sender, set }: Question,
  analysis: EgressAnalysis,
  found: readonly Region[],
  sizes: readonly FamilySizes[],
): Forms {
  const pods = analysis.selectors.map((region) => ({ pods: region.text, allowed: allowedPorts(region) }));
  const podCells = pods.map(({ pods, allowed }) => [pods, allowed.join(", ") || "nothing"]);
  const sizeCells = sizes.map(({ family, protocol, sizes: { allow, deny, "order-dependent": random } }) => [
    family,
    protocol,
    ...[allow, deny, random].map(grouped),
  ]);
  const rows = () => {
    const joined = joinedRows(found);
    const cells = joined.map(({ range, protocols, ports, verdict }) => [
      verdict,
      formatRange(range),
      protocols.join(", "),
      formatPorts(ports),
      namesIn(range, set.names).join("; "),
    ]);
    return { joined, cells };
  };
  return {
    json: () => ({
      sender: sender.text,
      semantics: semanticsJson(analysis.semantics),
      isolated: analysis.isolated,
      notes: notesOf([analysis]),
      aborts: abortReasons(analysis),
      regions: found.map((region) => regionJson(analysis, region)),
      pods,
      sizes: sizes.map(({ family, protocol, sizes }) => ({ family, protocol, sizes: decimals(sizes) })),
    }),
    heading: [`What ${sender.text} may reach, ${describeSemantics(analysis.semantics)}`, ...remarksOf([analysis])],
    markdown: () => {
      const escaped = (cells: readonly string[][]) => cells.map((row) => row.map(escapeText));
      return [
        table(["Verdict", "Addresses", "Protocols", "Ports", "Names"], escaped(rows().cells)),
        table(["Pods by label", "Allowed"], escaped(podCells)),
        `${table(SIZE_HEADER, sizeCells)}\n`,
      ].join("\n\n");
    },
    text: (paint) => {
      const { joined, cells } = rows();
      const lines = layout(cells).split("\n");
      const coloured = lines.map((line, index) => {
        const verdict = joined[index]?.verdict ?? "";
        return line.replace(verdict, (word) => paint(styleOf(verdict), word));
      });
      const byLabel = pods.length === 0 ? "" : `\nPods by label:\n${layout(podCells, "  ")}\n`;
      const totals = `\n(address, port) pairs:\n${layout([SIZE_HEADER, ...sizeCells], "  ")}\n`;
      return `${coloured.join("\n")}\n${byLabel}${totals}`;
    },
  };
}

function joinedRows(found: readonly Region[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { range, protocol, ports, verdict } of found) {
    const key = `${formatRange(range)} ${ports.from}-${ports.to} ${verdict}`;
    const row = rows.get(key) ?? { range, protocols: [], ports, verdict };
    row.protocols.push(protocol);
    rows.set(key, row);
  }
  return [...rows.values()];
}

function regionJson(analysis: EgressAnalysis, { range, protocol, ports, verdict }: Region): Json {
  const point = { address: { family: range.family, value: range.first }, protocol, port: ports.from };
  return {
    ...rangeJson(range),
    protocol,
    ports: portsJson(ports),
    verdict,
    pairs: String(boxSize(range, ports)),
    explanation: explanationJson(explain(analysis, point)),
  };
}

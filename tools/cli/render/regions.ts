import {
  type AddressFamily,
  type AddressRange,
  boxSize,
  type EgressAnalysis,
  explain,
  formatAddress,
  formatPorts,
  formatRange,
  namesIn,
  type PortRange,
  type Protocol,
  type Region,
  type SelectorRegion,
  type Verdict,
} from "../../../analysis/index.ts";
import { layout } from "../../layout.ts";
import { escapeText, table } from "../../markdown.ts";
import { grouped } from "../../words.ts";
import { abortReasons } from "../aborts.ts";
import type { Question } from "../input/question.ts";
import type { OutputFormat } from "../options.ts";
import { type Paint, painter, type Style, type Terminal } from "../terminal.ts";
import { explanationJson, type Json, semanticsJson, toJsonText } from "./json.ts";
import { allowedPorts, describeSemantics, notesOf } from "./text.ts";

/** How many (address, port) pairs of a family and a protocol have each verdict. */
export interface FamilySizes {
  readonly family: AddressFamily;
  readonly protocol: Protocol;
  readonly sizes: Readonly<Record<Verdict, bigint>>;
}

/** What neighbouring regions of one cell look like together. */
interface Row {
  readonly range: AddressRange;
  readonly protocols: readonly Protocol[];
  readonly ports: PortRange;
  readonly verdict: Verdict;
  readonly names: readonly string[];
}

const STYLES: Readonly<Record<Verdict, Style>> = { allow: "green", deny: "red", "order-dependent": "yellow" };

/** The result of `regions` in one of the output formats. */
export function renderRegions(
  { sender, set }: Question,
  analysis: EgressAnalysis,
  found: readonly Region[],
  sizes: readonly FamilySizes[],
  format: OutputFormat,
  terminal: Terminal,
): string {
  const heading = `What ${sender.text} may reach, ${describeSemantics(analysis.semantics)}`;
  if (format === "json") {
    return toJsonText({
      sender: sender.text,
      semantics: semanticsJson(analysis.semantics),
      isolated: analysis.isolated,
      notes: notesOf([analysis]),
      aborts: abortReasons(analysis),
      regions: found.map((region) => regionJson(analysis, region)),
      pods: analysis.selectors.map(podsJson),
      sizes: sizes.map(({ family, protocol, sizes: bySize }) => ({
        family,
        protocol,
        sizes: Object.fromEntries(Object.entries(bySize).map(([verdict, size]) => [verdict, String(size)])),
      })),
    });
  }
  const rows = joined(found, (range) => namesIn(range, set.names));
  const aborts = [
    ...notesOf([analysis]).map((text) => `${text}\n`),
    ...abortReasons(analysis).map((reason) => `The agent cannot load the policies: ${reason}.\n`),
  ];
  if (format === "markdown") {
    const cells = rows.map((row) => [...cellsOf(row), escapeText(row.names.join("; "))]);
    const pods = analysis.selectors.map((region) => podsCells(region).map(escapeText));
    return [
      heading,
      ...(aborts.length === 0 ? [] : [aborts.join("")]),
      table(["Verdict", "Addresses", "Protocols", "Ports", "Names"], cells),
      table(["Pods by label", "Allowed"], pods),
      `${table(SIZE_HEADER, sizes.map(sizeCells))}\n`,
    ].join("\n\n");
  }
  return text(heading, aborts, rows, analysis, sizes, painter(terminal));
}

function text(
  heading: string,
  aborts: readonly string[],
  rows: readonly Row[],
  analysis: EgressAnalysis,
  sizes: readonly FamilySizes[],
  paint: Paint,
): string {
  const lines = layout(rows.map((row) => [...cellsOf(row), row.names.join("; ")])).split("\n");
  const coloured = lines.map((line, index) => {
    const verdict = rows[index]?.verdict;
    return verdict === undefined ? line : line.replace(verdict, (word) => paint(STYLES[verdict], word));
  });
  const pods =
    analysis.selectors.length === 0 ? "" : `\nPods by label:\n${layout(analysis.selectors.map(podsCells), "  ")}\n`;
  const totals = `\n(address, port) pairs:\n${layout([SIZE_HEADER, ...sizes.map(sizeCells)], "  ")}\n`;
  return `${paint("dim", heading)}\n\n${aborts.join("")}${coloured.join("\n")}\n${pods}${totals}`;
}

function cellsOf({ range, protocols, ports, verdict }: Row): string[] {
  return [verdict, formatRange(range), protocols.join(", "), formatPorts(ports)];
}

/** Joins what the eye reads as one: protocols with the same ports, and ranges that go on. */
function joined(found: readonly Region[], nameOf: (range: AddressRange) => string[]): Row[] {
  const rows: { range: AddressRange; protocols: Protocol[]; ports: PortRange; verdict: Verdict }[] = [];
  const inCell = new Map<string, (typeof rows)[0]>();
  let cell = "";
  for (const { range, protocol, ports, verdict } of found) {
    const here = formatRange(range);
    if (here !== cell) {
      inCell.clear();
      cell = here;
    }
    const key = `${ports.from}-${ports.to} ${verdict}`;
    const known = inCell.get(key);
    if (known === undefined) {
      const row = { range, protocols: [protocol], ports, verdict };
      inCell.set(key, row);
      rows.push(row);
    } else {
      known.protocols.push(protocol);
    }
  }
  return rows.map((row) => ({ ...row, names: nameOf(row.range) }));
}

const SIZE_HEADER = ["family", "protocol", "allow", "deny", "order-dependent"];

function sizeCells({ family, protocol, sizes }: FamilySizes): string[] {
  return [family, protocol, grouped(sizes.allow), grouped(sizes.deny), grouped(sizes["order-dependent"])];
}

function podsCells(region: SelectorRegion): string[] {
  return [region.text, allowedPorts(region).join(", ") || "nothing"];
}

function regionJson(analysis: EgressAnalysis, { range, protocol, ports, verdict }: Region): Json {
  const point = { address: { family: range.family, value: range.first }, protocol, port: ports.from };
  const end = (value: bigint) => formatAddress({ family: range.family, value });
  return {
    range: formatRange(range),
    first: end(range.first),
    last: end(range.last),
    protocol,
    ports: { from: ports.from, to: ports.to },
    verdict,
    pairs: String(boxSize(range, ports)),
    explanation: explanationJson(explain(analysis, point)),
  };
}

function podsJson(region: SelectorRegion): Json {
  return { pods: region.text, allowed: allowedPorts(region) };
}

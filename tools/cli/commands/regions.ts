import { Option } from "commander";
import {
  ADDRESS_FAMILIES,
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
  protocolsOf,
  type Region,
  regions,
  sizeByVerdict,
  type Verdict,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, INCONCLUSIVE } from "../../exitCodes.ts";
import { layout } from "../../layout.ts";
import { escapeText, table } from "../../markdown.ts";
import { grouped } from "../../words.ts";
import { abortReasons, isUndecided } from "../aborts.ts";
import type { CommandDefinition } from "../command.ts";
import { loadQuestion, type Question } from "../input/question.ts";
import { type QuestionFlags, questionOptions } from "../options.ts";
import { decimals, explanationJson, type Json, portsJson, rangeJson, semanticsJson } from "../render/json.ts";
import {
  allowedPorts,
  describeSemantics,
  type Forms,
  notesOf,
  printResult,
  remarksOf,
  styleOf,
} from "../render/text.ts";
import type { Terminal } from "../terminal.ts";

type RegionsFlags = QuestionFlags & { readonly verdict?: Verdict; readonly family?: AddressFamily };

/** Lists every region of destinations with its verdict, under one semantics; `kubernetes` where nothing was said. */
export const command = {
  description: "Lists all destinations as disjoint regions with their verdicts, pods by label, and exact sizes.",
  options: [
    new Option("--verdict <verdict>", "only these").choices(["allow", "deny", "order-dependent"]),
    new Option("--family <family>", "only these addresses").choices(ADDRESS_FAMILIES),
    ...questionOptions("kubernetes"),
  ],
  examples: [
    "regions --policy docs/examples/runner-staging.yaml --verdict allow",
    "regions --policy docs/examples/runner-staging.yaml --semantics vpc-cni --family ipv4 --output json",
  ],
  run: runRegions,
} satisfies CommandDefinition;

async function runRegions(terminal: Terminal, flags: RegionsFlags): Promise<ExitCode> {
  const question = await loadQuestion({ ...flags, semantics: flags.semantics ?? "kubernetes" }, terminal);
  for (const analysis of question.analyses) {
    const families = flags.family === undefined ? ADDRESS_FAMILIES : [flags.family];
    const wanted = (region: Region) =>
      families.includes(region.range.family) && (flags.verdict === undefined || region.verdict === flags.verdict);
    const sizes = families.flatMap((family) =>
      protocolsOf(analysis.semantics).map(
        (protocol): FamilySizes => ({ family, protocol, sizes: sizeByVerdict(analysis, family, protocol) }),
      ),
    );
    const found = regions(analysis).filter(wanted);
    await printResult(flags.output, regionsForms(question, analysis, found, sizes), terminal);
  }
  return question.analyses.some(isUndecided) ? INCONCLUSIVE : CLEAN;
}

/** How many (address, port) pairs of a family and a protocol have each verdict. */
interface FamilySizes {
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
function regionsForms(
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

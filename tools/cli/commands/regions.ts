import { Option } from "commander";
import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  boxSize,
  type EgressAnalysis,
  explain,
  formatPorts,
  formatRange,
  namesIn,
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
    await printResult(flags.output, formsOf(question, analysis, flags), terminal);
  }
  return question.analyses.some(isUndecided) ? INCONCLUSIVE : CLEAN;
}

const SIZE_HEADER = ["family", "protocol", "allow", "deny", "order-dependent"];

/** The result under one semantics. */
function formsOf({ sender, set }: Question, analysis: EgressAnalysis, flags: RegionsFlags): Forms {
  const families = flags.family === undefined ? ADDRESS_FAMILIES : [flags.family];
  const found = regions(analysis).filter(
    ({ range, verdict }) => families.includes(range.family) && verdict === (flags.verdict ?? verdict),
  );
  const sizes = families.flatMap((family) =>
    protocolsOf(analysis.semantics).map((protocol) => ({
      family,
      protocol,
      sizes: sizeByVerdict(analysis, family, protocol),
    })),
  );
  const sizeCells = sizes.map(({ family, protocol, sizes: { allow, deny, "order-dependent": random } }) => [
    family,
    protocol,
    ...[allow, deny, random].map(grouped),
  ]);
  const pods = analysis.selectors.map((region) => ({ pods: region.text, allowed: allowedPorts(region) }));
  const podCells = pods.map(({ pods, allowed }) => [pods, allowed.join(", ") || "nothing"]);
  // Regions of one cell on the same ports: the eye reads them as one.
  const cells = () =>
    [
      ...Map.groupBy(found, ({ range, ports, verdict }) => `${formatRange(range)} ${formatPorts(ports)} ${verdict}`),
    ].map(([, regions]) => {
      const { verdict, range, ports } = regions[0] as Region;
      const protocols = regions.map(({ protocol }) => protocol).join(", ");
      return [verdict, formatRange(range), protocols, formatPorts(ports), namesIn(range, set.names).join("; ")];
    });
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
        table(["Verdict", "Addresses", "Protocols", "Ports", "Names"], escaped(cells())),
        table(["Pods by label", "Allowed"], escaped(podCells)),
        `${table(SIZE_HEADER, sizeCells)}\n`,
      ].join("\n\n");
    },
    text: (paint) => {
      const coloured = layout(cells())
        .split("\n")
        .map((line) => line.replace(/^[\w-]+/, (verdict) => paint(styleOf(verdict), verdict)));
      const byLabel = pods.length === 0 ? "" : `\nPods by label:\n${layout(podCells, "  ")}\n`;
      const totals = `\n(address, port) pairs:\n${layout([SIZE_HEADER, ...sizeCells], "  ")}\n`;
      return `${coloured.join("\n")}\n${byLabel}${totals}`;
    },
  };
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

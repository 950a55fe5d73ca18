import { Option } from "commander";
import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  protocolsOf,
  type Region,
  regions,
  sizeByVerdict,
  type Verdict,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, INCONCLUSIVE } from "../../exitCodes.ts";
import { isUndecided } from "../aborts.ts";
import type { CommandDefinition } from "../command.ts";
import { loadQuestion } from "../input/question.ts";
import { type QuestionFlags, questionOptions } from "../options.ts";
import { type FamilySizes, regionsForms } from "../render/regions.ts";
import { printResult } from "../render/text.ts";
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

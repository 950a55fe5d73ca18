import {
  type AddressFamily,
  protocolsOf,
  type Region,
  regions,
  sizeByVerdict,
  type Verdict,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, INCONCLUSIVE } from "../../exitCodes.ts";
import { loadQuestion } from "../input/question.ts";
import type { OutputFlags, PolicyFlags, SemanticsFlags } from "../options.ts";
import { type FamilySizes, renderRegions } from "../render/regions.ts";
import { print, type Terminal } from "../terminal.ts";

/** The flags of `regions`. */
export type RegionsFlags = PolicyFlags &
  SemanticsFlags &
  OutputFlags & { readonly verdict?: Verdict; readonly family?: AddressFamily };

/** Lists every region of destinations with its verdict, under one semantics; `kubernetes` where nothing was said. */
export async function regionsCommand(flags: RegionsFlags, terminal: Terminal): Promise<ExitCode> {
  const question = await loadQuestion({ ...flags, semantics: flags.semantics ?? "kubernetes" }, terminal);
  for (const analysis of question.analyses) {
    const families: readonly AddressFamily[] = flags.family === undefined ? ["ipv4", "ipv6"] : [flags.family];
    const wanted = (region: Region) =>
      families.includes(region.range.family) && (flags.verdict === undefined || region.verdict === flags.verdict);
    const sizes = families.flatMap((family) =>
      protocolsOf(analysis.semantics).map(
        (protocol): FamilySizes => ({ family, protocol, sizes: sizeByVerdict(analysis, family, protocol) }),
      ),
    );
    await print(
      terminal,
      renderRegions(question, analysis, regions(analysis).filter(wanted), sizes, flags.output, terminal),
    );
  }
  return question.analyses.some(({ aborts, ifIsolated }) => aborts.length > 0 || ifIsolated !== undefined)
    ? INCONCLUSIVE
    : CLEAN;
}

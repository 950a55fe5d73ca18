import {
  type Divergence,
  type DivergenceShape,
  divergences,
  SELECTED_BY_EVERY_POLICY,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE } from "../../exitCodes.ts";
import { abortReasons } from "../aborts.ts";
import { loadQuestion, withNode } from "../input/question.ts";
import { policiesFor } from "../input/sender.ts";
import { type OutputFlags, type PolicyFlags, type SemanticsFlags, vpcCniSemantics } from "../options.ts";
import { renderDivergences } from "../render/divergences.ts";
import { print, type Terminal } from "../terminal.ts";

/** The flags of `divergences`; the semantics are both. */
export type DivergencesFlags = PolicyFlags &
  SemanticsFlags &
  OutputFlags & { readonly accept?: readonly DivergenceShape[]; readonly limit: number };

/** What `divergences` found: what counts, and how many are of an accepted shape. */
export interface DivergencesResult {
  readonly found: readonly Divergence[];
  readonly accepted: ReadonlyMap<DivergenceShape, number>;
  readonly aborts: readonly string[];
}

/** Lists where the AWS agent enforces something else than Kubernetes specifies: exit code 1 if anywhere. */
export async function divergencesCommand(flags: DivergencesFlags, terminal: Terminal): Promise<ExitCode> {
  const question = await loadQuestion({ ...flags, semantics: "vpc-cni" }, terminal);
  const { set, sender, inventory, pod } = question;
  const all = divergences(
    policiesFor(sender, set.policies),
    {
      semantics: vpcCniSemantics(withNode(flags, pod, set.cluster), set.cluster),
      source: sender.source ?? SELECTED_BY_EVERY_POLICY,
      ...(inventory === undefined ? {} : { inventory }),
    },
    set.names,
  );
  const accepted = new Map<DivergenceShape, number>();
  for (const { shape } of all) {
    if (flags.accept?.includes(shape) === true) {
      accepted.set(shape, (accepted.get(shape) ?? 0) + 1);
    }
  }
  const result = {
    found: all.filter(({ shape }) => !accepted.has(shape)),
    accepted,
    aborts: question.analyses.flatMap(abortReasons),
  };
  await print(terminal, renderDivergences(question, result, flags, terminal));
  return result.aborts.length > 0 ? INCONCLUSIVE : result.found.length > 0 ? FINDING : CLEAN;
}

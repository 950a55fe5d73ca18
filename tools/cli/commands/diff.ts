import type { ChangeBox } from "../../../analysis/boxes.ts";
import {
  bareDiff,
  type Diff,
  type EgressAnalysis,
  isEmptyDiff,
  type NamedAddresses,
  type Semantics,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import { refuseForeign } from "../input/foreignPolicies.ts";
import type { NamedPod } from "../input/namedPod.ts";
import { parseName } from "../input/names.ts";
import type { ClusterFacts, PolicySet } from "../input/policySet.ts";
import { clusterReader, compileFor, loadOperand, loadSurroundings, withNode } from "../input/question.ts";
import { type Sender, senderOf } from "../input/sender.ts";
import { chosenSemantics, type OutputFlags, type PolicyFlags, type SemanticsFlags } from "../options.ts";
import { renderDiff } from "../render/diff.ts";
import { note, print, type Terminal } from "../terminal.ts";

/** The flags of `diff`; the policies are its operands. */
export type DiffFlags = Omit<PolicyFlags, "policy" | "stack"> &
  SemanticsFlags &
  OutputFlags & { readonly names?: readonly string[]; readonly limit: number };

/** What a change opens and closes under one semantics. */
export interface Comparison {
  readonly semantics: Semantics;
  readonly before: EgressAnalysis;
  readonly after: EgressAnalysis;
  /** Boxes are explained only where they are shown: thousands of them take seconds. */
  readonly diff: Diff<ChangeBox>;
}

/** Everything that `diff` found out. */
export interface DiffResult {
  readonly before: PolicySet;
  readonly after: PolicySet;
  readonly sender: Sender;
  readonly names: readonly NamedAddresses[];
  readonly comparisons: readonly Comparison[];
}

/** Compares what two sets of policies allow: exit code 1 if it is not the same. */
export async function diffCommand(
  beforeText: string,
  afterText: string,
  flags: DiffFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const own = (flags.names ?? []).map(parseName);
  const clusters = clusterReader();
  const before = await loadOperand(beforeText, flags, terminal, clusters);
  const after = await loadOperand(afterText, flags, terminal, clusters);
  for (const { label, policies } of [before, after]) {
    if (policies.length === 0) {
      note(terminal, `${label}: no NetworkPolicy, so everything is allowed there`);
    }
  }
  // The same pod on both sides: a policy that selects other pods than before is a change, not another question.
  const { inventory, pod } = await loadSurroundings(flags, terminal, clusters);
  const sender = pod?.sender ?? senderOf([...before.policies, ...after.policies], flags);
  for (const { foreign, policies } of [before, after]) {
    refuseForeign(foreign, policies, sender);
  }
  const names = [...own, ...before.names, ...after.names];
  const comparisons = semanticsOfSides(flags, pod, before, after).map(([left, right]): Comparison => {
    const analyses = {
      before: compileFor(before, sender, left, inventory),
      after: compileFor(after, sender, right, inventory),
    };
    return { semantics: right, ...analyses, diff: bareDiff(analyses.before, analyses.after) };
  });
  const result = { before, after, sender, names, comparisons };
  await print(terminal, renderDiff(result, flags, terminal));
  return worst(comparisons.map(codeOf));
}

/** Each side is read as its own cluster reads it: stacks may differ in family and agent. */
function semanticsOfSides(
  flags: DiffFlags,
  pod: NamedPod | undefined,
  before: PolicySet,
  after: PolicySet,
): [Semantics, Semantics][] {
  const of = (cluster: ClusterFacts | undefined) => chosenSemantics(withNode(flags, pod, cluster), cluster);
  const right = of(after.cluster ?? before.cluster);
  return of(before.cluster ?? after.cluster).map((left, index) => [left, right[index] as Semantics]);
}

function codeOf({ before, after, diff: found }: Comparison): ExitCode {
  const isUndecided = (analysis: EgressAnalysis) => analysis.aborts.length > 0 || analysis.ifIsolated !== undefined;
  return isUndecided(before) || isUndecided(after) ? INCONCLUSIVE : isEmptyDiff(found) ? CLEAN : FINDING;
}

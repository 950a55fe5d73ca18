import { type Command, Option } from "commander";
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
import { isUndecided } from "../aborts.ts";
import { answerLines } from "../answerLines.ts";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { refuseForeign } from "../input/foreignPolicies.ts";
import type { ClusterFacts, PolicySet } from "../input/policySet.ts";
import { clusterReader, compileFor, loadOperand, loadSurroundings } from "../input/question.ts";
import type { NamedPod } from "../input/sender.ts";
import { type Sender, senderOf } from "../input/sender.ts";
import {
  chosenSemantics,
  LIMIT_OPTION,
  NAMES_OPTION,
  type OutputFlags,
  outputOption,
  type PolicyFlags,
  SENDER_OPTIONS,
  type SemanticsFlags,
  semanticsOptions,
} from "../options.ts";
import { diffForms } from "../render/diff.ts";
import { printResult } from "../render/text.ts";
import { note, type Terminal } from "../terminal.ts";
import { COMPARISON } from "./diffLines.ts";

/** The flags of `diff`; the policies are its operands. */
type DiffFlags = Omit<PolicyFlags, "policy" | "stack"> &
  SemanticsFlags &
  OutputFlags & { readonly lines?: true; readonly names?: readonly NamedAddresses[]; readonly limit: number };

/** Compares what two sets of policies allow: exit code 1 if it is not the same. */
export const command = {
  description:
    "Compares what two sets of policies allow: files, folders, stack:NAME, context:NAME (a live cluster), or - for stdin.\n\n" +
    "With --lines, reads JSON lines {id, before, after, pod?, ipFamily?, nodeIp?} and writes the exact counts of " +
    "(address, port) pairs gained and lost.",
  operands: ["the policies as they are", "the policies as they would be"],
  options: [
    new Option("--lines", "read pairs of policy sets from stdin, one JSON object a line"),
    NAMES_OPTION,
    LIMIT_OPTION,
    ...SENDER_OPTIONS,
    ...semanticsOptions("both; with --lines kubernetes"),
    outputOption(),
  ],
  examples: [
    "diff docs/examples/runner-2026-05.yaml docs/examples/runner-staging.yaml",
    "diff docs/examples/runner-staging.yaml docs/examples/runner-prod.yaml --names 10.1.0.0/16=staging-vpc --names 10.0.0.0/16=prod-vpc",
    "diff --lines < docs/examples/pairs.jsonl",
  ],
  run: runDiff,
} satisfies CommandDefinition;

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

async function runDiff(
  terminal: Terminal,
  beforeText: string | undefined,
  afterText: string | undefined,
  flags: DiffFlags,
  used: Command,
): Promise<ExitCode> {
  if (flags.lines === true) {
    if (beforeText !== undefined) {
      throw new UsageError("diff --lines reads stdin and takes no BEFORE and AFTER");
    }
    refuseForLines(used);
    return answerLines(COMPARISON, flags, terminal);
  }
  if (beforeText === undefined || afterText === undefined) {
    throw new UsageError(
      "diff needs two sides: diff BEFORE AFTER (files, folders, stack:NAME or context:NAME), or diff --lines",
    );
  }
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
  for (const side of [before, after]) {
    refuseForeign(side, sender);
  }
  const names = [...(flags.names ?? []), ...before.names, ...after.names];
  const comparisons = semanticsOfSides(flags, pod, before, after).map(([left, right]): Comparison => {
    const analyses = {
      before: compileFor(before, sender, left, inventory),
      after: compileFor(after, sender, right, inventory),
    };
    return { semantics: right, ...analyses, diff: bareDiff(analyses.before, analyses.after) };
  });
  await printResult(flags.output, diffForms({ before, after, sender, names, comparisons }, flags.limit), terminal);
  return worst(comparisons.map(codeOf));
}

/** Each side is read as its own cluster reads it: stacks may differ in family and agent. */
function semanticsOfSides(
  flags: DiffFlags,
  pod: NamedPod | undefined,
  before: PolicySet,
  after: PolicySet,
): [Semantics, Semantics][] {
  const of = (cluster: ClusterFacts | undefined) => chosenSemantics(flags, cluster, pod);
  const right = of(after.cluster ?? before.cluster);
  return of(before.cluster ?? after.cluster).map((left, index) => [left, right[index] as Semantics]);
}

/** Each line says all that these options say, and JSON is its only form. */
function refuseForLines(used: Command): void {
  const others = ["namespace", "podLabel", "pod", "inventory", "context", "names", "limit", "output"];
  const given = used.options.filter(
    (option) => others.includes(option.attributeName()) && used.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (given.length > 0) {
    const names = given.map(({ long }) => long).join(", ");
    throw new UsageError(`${names}: has no effect with diff --lines, where each line says which pod sends (pod)`);
  }
}

function codeOf({ before, after, diff: found }: Comparison): ExitCode {
  return isUndecided(before) || isUndecided(after) ? INCONCLUSIVE : isEmptyDiff(found) ? CLEAN : FINDING;
}

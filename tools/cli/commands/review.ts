import { Option } from "commander";
import type { AddressFamily } from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import {
  mergePlans,
  type ReviewOptions,
  readPreview,
  renderMarkdown,
  renderText,
  reviewDrift,
  reviewJson,
  reviewStack,
  type StackReview,
  unguarded,
} from "../../review/index.ts";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { refuseForeign } from "../input/foreignPolicies.ts";
import { loadPolicyFiles } from "../input/policySet.ts";
import { familyOption, type OutputFlags, outputOption, type PodFlags, podLabelOption, repeatable } from "../options.ts";
import { type Json, toJsonText } from "../render/json.ts";
import { note, print, type Terminal } from "../terminal.ts";
import { NAMED, previewSource, sourceOf } from "./previewInput.ts";

/** What makes a review fail. */
const FAILURES = ["wider", "change", "violation"] as const;

interface ReviewFlags extends OutputFlags, PodFlags {
  readonly live?: readonly string[];
  readonly drift?: boolean;
  readonly failOn?: readonly (typeof FAILURES)[number][];
  readonly ipFamily?: AddressFamily;
  readonly commentKey?: string;
}

/** Reviews previews: exit code 2 if nothing can be concluded, 1 for what `--fail-on` names. */
export const command = {
  description:
    "Reads previews of one or more stacks and says for each what the pods could newly reach and no longer reach.\n\n" +
    "A preview is the output of `pulumi preview --json`, best with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1, which also " +
    "lists what does not change and what the policy packs say. The digest and the events of one run may be given together.",
  operands: ["PATH or STACK=PATH; - for stdin"],
  options: [
    repeatable(
      "--live <stack=path>",
      "what is live, from kubectl get networkpolicies -n NAMESPACE -o json; takes the place of the state that Pulumi remembers",
    ),
    new Option("--drift", "with --live: say what the live policies allow beyond the program, and what they lack"),
    repeatable(
      "--fail-on <what>",
      "exit with 1 if a stack is wider, has any change of reach, or violates a policy of a pack; with 2 if that can't be said",
      FAILURES,
    ),
    new Option(
      "--namespace <name>",
      "namespace of the pods, with --pod-label (default: those of the program's contract, else those that each policy selects)",
    ),
    podLabelOption("a label of the pods"),
    familyOption("the cluster's family, where the preview does not say it"),
    new Option("--comment-key <key>", "markdown: tells several comments of one pull request apart"),
    outputOption(),
  ],
  examples: [
    "review docs/examples/preview-staging.jsonl docs/examples/preview-prod.jsonl --output markdown",
    "review docs/examples/preview-staging.jsonl --fail-on wider",
    "review staging=docs/examples/preview-staging.jsonl --live staging=docs/examples/runner-staging.yaml --drift",
  ],
  run: runReview,
} satisfies CommandDefinition;

async function runReview(terminal: Terminal, paths: readonly string[], flags: ReviewFlags): Promise<ExitCode> {
  if (flags.drift === true && flags.live === undefined) {
    throw new UsageError("--drift compares with the live policies; give them with --live STACK=FILE");
  }
  const sources = await Promise.all(paths.map((path) => previewSource(path, terminal)));
  const plans = mergePlans(sources.map(readPreview));
  const live = await readLive(
    flags.live ?? [],
    plans.map(({ stack }) => stack),
    terminal,
  );
  const missing = plans.map(({ stack }) => stack).filter((stack) => !live.has(stack));
  if (flags.drift === true && missing.length > 0) {
    throw new UsageError(`--drift needs the live policies of every stack; add --live for ${missing.join(", ")}`);
  }
  const source = sourceOf(flags);
  const reviews = plans.map((plan): StackReview => {
    const objects = live.get(plan.stack);
    const options: ReviewOptions = {
      ...(source && { source }),
      ...(flags.ipFamily && { ipFamily: flags.ipFamily }),
      ...(objects && { live: objects }),
    };
    return flags.drift === true && objects !== undefined
      ? reviewDrift(plan, objects, options)
      : reviewStack(plan, options);
  });
  await print(terminal, render(reviews, flags));
  for (const { stack, guardrails } of flags.failOn?.includes("violation") ? reviews : []) {
    const gap = unguarded(guardrails);
    if (gap !== undefined) {
      note(
        terminal,
        `${stack}: --fail-on violation, but the guardrails are ${gap}; preview with --policy-pack policy-pack and PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1`,
      );
    }
  }
  return worst(reviews.map((review) => codeOf(review, flags.failOn ?? [])));
}

/** The live NetworkPolicies of each stack; a path without a stack counts for the only one. */
async function readLive(
  values: readonly string[],
  stacks: readonly string[],
  terminal: Terminal,
): Promise<Map<string, Readonly<Record<string, unknown>>[]>> {
  const live = new Map<string, Readonly<Record<string, unknown>>[]>();
  for (const value of values) {
    const [, named, path] = NAMED.exec(value) ?? [];
    const stack = named ?? (stacks.length === 1 ? stacks[0] : undefined);
    if (stack === undefined || !stacks.includes(stack)) {
      throw new UsageError(`--live ${value}: say for which stack, as STACK=FILE; previewed are ${stacks.join(", ")}`);
    }
    const set = await loadPolicyFiles([path ?? value], undefined, terminal);
    refuseForeign(set, undefined);
    live.set(stack, [...(live.get(stack) ?? []), ...set.objects]);
  }
  return live;
}

function render(reviews: readonly StackReview[], { output, commentKey }: ReviewFlags): string {
  switch (output) {
    case "json":
      return toJsonText(reviewJson(reviews) as Json);
    case "markdown":
      return `${renderMarkdown(reviews, commentKey === undefined ? {} : { key: commentKey })}\n`;
    case "text":
      return `${renderText(reviews)}\n`;
  }
}

function codeOf(review: StackReview, failOn: readonly (typeof FAILURES)[number][]): ExitCode {
  const { verdict, findings } = review;
  const isOpen =
    verdict === "cannot conclude" || (failOn.includes("violation") && unguarded(review.guardrails) !== undefined);
  const fails = {
    wider: verdict === "wider" || verdict === "both",
    change: verdict !== "same reach" && verdict !== "cannot conclude",
    violation: (findings ?? []).some(({ severity }) => severity === "mandatory"),
  };
  return isOpen ? INCONCLUSIVE : failOn.some((name) => fails[name]) ? FINDING : CLEAN;
}

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
import { refuseForeign } from "../input/foreignPolicies.ts";
import { readPolicyFiles } from "../input/policySet.ts";
import type { OutputFlags } from "../options.ts";
import { type Json, toJsonText } from "../render/json.ts";
import { note, print, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";
import { NAMED, previewSource, sourceOf } from "./previewInput.ts";

/** What makes a review fail. */
export const FAILURES = ["wider", "change", "violation"] as const;

/** The flags of `review`. */
export interface ReviewFlags extends OutputFlags {
  readonly live?: readonly string[];
  readonly drift?: boolean;
  readonly failOn?: readonly (typeof FAILURES)[number][];
  readonly namespace?: string;
  readonly podLabel?: readonly string[];
  readonly ipFamily?: AddressFamily;
  readonly commentKey?: string;
}

/** Reviews previews: exit code 2 if nothing can be concluded, 1 for what `--fail-on` names. */
export async function reviewCommand(
  paths: readonly string[],
  flags: ReviewFlags,
  terminal: Terminal,
): Promise<ExitCode> {
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
    const { objects, foreign, policies } = await readPolicyFiles([path ?? value], undefined, terminal);
    refuseForeign(foreign, policies, undefined);
    live.set(stack, [...(live.get(stack) ?? []), ...objects]);
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

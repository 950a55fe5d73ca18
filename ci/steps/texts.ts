import { existsSync, readFileSync } from "node:fs";
import { codeSpan, shorten } from "../../tools/markdown.ts";
import {
  COMMENT_LIMIT,
  commentMarker,
  readPreview,
  renderMarkdown,
  reviewDrift,
  reviewStack,
  type StackReview,
} from "../../tools/review/index.ts";
import { isObject, type StackPlan } from "../../tools/review/plan.ts";
import type { DriftRecord } from "./files.ts";
import { fileNames, load } from "./files.ts";
import { errorEvent } from "./previewStack.ts";

/** Tells the drift issue from a review comment. */
export const DRIFT_KEY = "drift";

/** The most reasons of one stack in an issue; the log of the run has them all. */
const MOST_REASONS = 40;

/** A post: its first line is the marker by which a later run finds it. */
export interface Text {
  readonly marker: string;
  readonly body: string;
}

/** What the comment says about the pull request itself. */
export interface PullRequestNotes {
  /** Files of the pull request that judge changes. */
  readonly touched?: readonly string[];
  /** Addresses of the stacks' reports. */
  readonly reports?: ReadonlyMap<string, string>;
  /** A job failed, and what is there may be of an earlier attempt. */
  readonly isStale?: boolean;
}

/** The comment on a pull request: what `egress review` says of the previews of all stacks. */
export function reviewText(folder: string, stacks: readonly string[], notes: PullRequestNotes = {}): Text {
  const { touched = [], reports = new Map<string, string>(), isStale = false } = notes;
  const shown = touched.slice(0, MOST_REASONS).map((file) => codeSpan(shorten(file, 200)));
  const rest = touched.length > MOST_REASONS ? ` and ${touched.length - MOST_REASONS} more` : "";
  const more = [
    ...(isStale
      ? [
          "**⚠️ A preview of this run failed before it could say why.** What is said here may be of an earlier attempt; see the log.",
        ]
      : []),
    ...(touched.length === 0
      ? []
      : [
          `**⚠️ This pull request changes what judges it**, and was judged by its own version: ${shown.join(", ")}${rest}. Review these files first.`,
        ]),
    ...(reports.size === 0
      ? []
      : [`As a page to explore: ${[...reports].map(([stack, url]) => `[${stack}](${url})`).join(", ")}.`]),
  ].join("\n\n");
  const limit = COMMENT_LIMIT - Buffer.byteLength(more) - 2;
  const body = renderMarkdown(
    stacks.map((stack) => reviewStack(planOf(folder, stack))),
    { limit },
  );
  return { marker: commentMarker(), body: more === "" ? body : `${body}\n\n${more}` };
}

/** The issue about drift; `undefined` when every stack is as it was deployed. */
export function driftText(folder: string, stacks: readonly string[], didJobsSucceed: boolean): Text | undefined {
  const unknown = (stack: string): DriftRecord => ({
    stack,
    state: "unknown",
    reasons: ["the check did not run to its end"],
  });
  const records = stacks.map((stack) => load<DriftRecord>(fileNames.drift(folder, stack)) ?? unknown(stack));
  const notSame = records.filter(({ state }) => state !== "same");
  // A check that found nothing succeeds: where one failed and all are the same, a record is an earlier attempt's.
  const found = notSame.length === 0 && !didJobsSucceed ? stacks.map(unknown) : notSame;
  if (found.length === 0) {
    return undefined;
  }
  const list = ["### What was found", ...found.map(listOf), "What to do: `docs/drift.md`."].join("\n\n");
  const limit = COMMENT_LIMIT - Buffer.byteLength(list) - 2;
  const review = renderMarkdown(
    found.map(({ stack }) => driftReview(folder, stack)),
    { key: DRIFT_KEY, limit },
  );
  return { marker: commentMarker(DRIFT_KEY), body: `${review}\n\n${list}` };
}

function listOf({ stack, state, reasons }: DriftRecord): string {
  const said = state === "moved" ? "moved" : "could not be checked";
  const shown = reasons.slice(0, MOST_REASONS).map((reason) => `- ${codeSpan(shorten(reason, 400))}`);
  const rest = reasons.length > MOST_REASONS ? [`- … and ${reasons.length - MOST_REASONS} more`] : [];
  return [`**${stack}** ${said}:`, "", ...shown, ...rest].join("\n");
}

function driftReview(folder: string, stack: string): StackReview {
  const plan = planOf(folder, stack);
  const live = load<{ items: unknown[] }>(fileNames.live(folder, stack));
  return live === undefined ? reviewStack(plan) : reviewDrift(plan, live.items.filter(isObject));
}

/** The preview of a stack; without one, a plan that says so. */
function planOf(folder: string, stack: string): StackPlan {
  const path = fileNames.events(folder, stack);
  const text = existsSync(path)
    ? readFileSync(path, "utf8")
    : errorEvent("there is no preview; see the workflow's log");
  return readPreview({ name: path, text, stack });
}

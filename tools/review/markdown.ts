import { codeSpan, details, escapeText, shorten, table } from "../markdown.ts";
import { capital, formatCount, plural } from "../words.ts";
import { unguarded } from "./guardrails.ts";
import { COMPLETE, LEVELS, type Level, SENTENCES_ONLY } from "./levels.ts";
import { stackSection, stackSentence } from "./markdownStack.ts";
import { OTHERS_LEFT_OUT, saidIf } from "./notes.ts";
import { formatRowPorts } from "./rows.ts";
import type { StackReview } from "./stackReview.ts";
import { alarmOf, SIGNS, wordingOf } from "./wording.ts";

/** GitHub refuses a longer comment ("body is too long"), counted in characters; bytes are never fewer. */
export const COMMENT_LIMIT = 65_536;

/** Destinations of each direction in the overview. */
const IN_OVERVIEW = 2;

/** The invisible first line by which a later run finds its comment. */
export function commentMarker(key = "review"): string {
  return `<!-- runner-egress:${key.replace(/[^A-Za-z0-9._-]/g, "-")} -->`;
}

export interface MarkdownOptions {
  /** Most bytes of the result. Default: {@link COMMENT_LIMIT}. */
  readonly limit?: number;
  /** Tells comments of one pull request apart. Default: `review`. */
  readonly key?: string;
}

/**
 * The review as GitHub-flavoured Markdown for a comment. What does not fit is left out row by row and part by part, each
 * time with a word on what is missing; never in the middle of a table.
 */
export function renderMarkdown(reviews: readonly StackReview[], options: MarkdownOptions = {}): string {
  const limit = options.limit ?? COMMENT_LIMIT;
  const marker = commentMarker(options.key);
  for (const level of LEVELS) {
    const body = render(reviews, level, marker);
    if (bytes(body) <= limit) {
      return body;
    }
  }
  return renderSentences(reviews, marker, limit);
}

function render(reviews: readonly StackReview[], level: Level, marker: string): string {
  return [
    marker,
    `## ${titleOf(reviews)}`,
    ...alarms(reviews),
    overview(reviews),
    ...scope(reviews),
    ...(level === SENTENCES_ONLY ? reviews.map(stackSentence) : reviews.map((review) => stackSection(review, level))),
    ...(level === COMPLETE ? [] : ["Not everything fits into a comment; the JSON output has it all."]),
    legend(reviews),
  ].join("\n\n");
}

/** When not even one sentence a stack fits: as many lines of the overview as do. */
function renderSentences(reviews: readonly StackReview[], marker: string, limit: number): string {
  const around = (body: string) => [marker, `## ${titleOf(reviews)}`, ...alarms(reviews), body].join("\n\n");
  for (let count = reviews.length; count > 0; count = Math.floor(count / 2)) {
    const hidden = reviews.length - count;
    const rest = hidden === 0 ? "" : `\n\n… and ${plural(hidden, "more stack")}; the JSON output has them.`;
    const body = around(overview(reviews.slice(0, count)) + rest);
    if (bytes(body) <= limit) {
      return body;
    }
  }
  return around(`${plural(reviews.length, "stack")}; the JSON output has them.`);
}

function titleOf(reviews: readonly StackReview[]): string {
  const [first] = reviews;
  return first === undefined ? "Egress review" : wordingOf(first).title;
}

/** What must not be overlooked, first and in red. */
function alarms(reviews: readonly StackReview[]): string[] {
  const said = stacksBy(reviews, (review) => {
    const alarm = alarmOf(review);
    return alarm === undefined ? [] : [`**${escapeText(alarm.headline)}** ${alarm.meaning}`];
  });
  return [...said].map(([text, stacks]) => `> [!CAUTION]\n> ${someOf(stacks)}: ${text}`);
}

/** The stacks of which each thing is said. */
function stacksBy(
  reviews: readonly StackReview[],
  say: (review: StackReview) => readonly string[],
): Map<string, string[]> {
  const said = reviews.flatMap((review) => say(review).map((text) => ({ text, stack: review.stack })));
  return new Map(
    [...Map.groupBy(said, ({ text }) => text)].map(([text, all]) => [text, all.map(({ stack }) => stack)]),
  );
}

/** Names of stacks; 3,000 names help nobody. */
function someOf(stacks: readonly string[]): string {
  const shown = stacks.slice(0, 3).map((stack) => codeSpan(shorten(stack, 80)));
  return `${shown.join(", ")}${stacks.length > 3 ? " and others" : ""}`;
}

function overview(reviews: readonly StackReview[]): string {
  const [first] = reviews;
  if (first === undefined) {
    return "No stack was previewed.";
  }
  const wording = wordingOf(first);
  return table(
    ["Stack", wording.column, capital(wording.gained), capital(wording.lost), "Guardrails"],
    reviews.map((review) => [
      codeSpan(shorten(review.stack, 80)),
      `${SIGNS[review.verdict]} **${wording.verdicts[review.verdict]}**`,
      summaryOf(review, "gained"),
      summaryOf(review, "lost"),
      guardrails(review),
    ]),
  );
}

/** The first destinations of a direction, and how many more there are. */
function summaryOf({ verdict, subjects }: StackReview, direction: "gained" | "lost"): string {
  if (verdict === "cannot conclude") {
    return "?";
  }
  if (direction === "lost" && subjects.some(({ stage }) => stage === "first deploy")) {
    return "everything that is not listed below";
  }
  const rows = subjects.flatMap((subject) => subject.rows).filter((row) => row.direction === direction);
  const shown = rows
    .slice(0, IN_OVERVIEW)
    .map((row) => `${codeSpan(shorten(row.destination, 60))} on ${escapeText(formatRowPorts(row))}`);
  const rest = rows.length - shown.length;
  return rows.length === 0 ? "–" : [...shown, ...(rest > 0 ? [`${formatCount(BigInt(rest))} more`] : [])].join(", ");
}

/** What every verdict here is about, and what it leaves out; always in sight. */
function scope(reviews: readonly StackReview[]): string[] {
  const sentences = saidIf([
    [
      reviews.some(({ notes }) => notes.includes(OTHERS_LEFT_OUT)),
      "This compares the stack's own NetworkPolicies. Other policies that select the same pods would add to what they reach; routes and security groups, which can take away from it, are not considered.",
    ],
    [
      reviews.some(({ guardrails }) => guardrails.kind === "not run"),
      "Where guardrails are not run, the preview had no policy pack (`--policy-pack policy-pack`).",
    ],
  ]);
  return sentences.length === 0 ? [] : [sentences.join(" ")];
}

function guardrails({ guardrails: run, findings = [] }: StackReview): string {
  const gap = unguarded(run);
  const mandatory = findings.filter(({ severity }) => severity === "mandatory").length;
  const others = findings.length - mandatory;
  const said = saidIf([
    [mandatory > 0, plural(mandatory, "violation")],
    [gap !== undefined, gap ?? ""],
    [others > 0, `${others} advisory`],
  ]);
  return said.length === 0 ? "✅ passed" : `${mandatory > 0 ? "❌" : "⚠️"} ${said.join(", ")}`;
}

/** What a reader who has never seen this needs; folded. */
function legend(reviews: readonly StackReview[]): string {
  const notes = stacksBy(reviews, ({ notes }) => notes.filter((note) => note !== OTHERS_LEFT_OUT));
  // A note of every stack needs no names.
  const whose = (stacks: readonly string[]) => (stacks.length === reviews.length ? "" : `${someOf(stacks)}: `);
  return details(
    "How to read this",
    [
      "Each row is a set of destinations whose verdict changes, computed exactly over every IPv4 and IPv6 address, protocol and port; reordering or splitting rules gives no row. The example is one destination of the row, in the form that `egress explain` takes. The last column names what decides, with its place in the policy before or after the change, where lists are counted from 0. The colours tell the direction, not the danger: what is narrower can break what the pods do. " +
        "A policy is read twice: as Kubernetes specifies it, and as the network policy agent of the AWS VPC CNI enforces it on EKS; a row says so where the two differ.",
      "No NetworkPolicy can stop what goes to the pod's own node, the first seconds of a new pod, or connections that are already open.",
      ...(notes.size === 0
        ? []
        : [[...notes].map(([note, stacks]) => `- ${whose(stacks)}${escapeText(note)}`).join("\n")]),
    ].join("\n\n"),
  );
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

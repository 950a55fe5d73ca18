import { formatCount } from "../words.ts";
import { unguarded } from "./guardrails.ts";
import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { ReachEntry, StackReview, SubjectReview } from "./stackReview.ts";
import {
  alarmOf,
  credentials,
  holds,
  namesOf,
  nextSteps,
  specialChanges,
  subjectName,
  type Wording,
  whyItMatters,
  wordingOf,
} from "./wording.ts";

/** The review for a terminal. */
export function renderText(reviews: readonly StackReview[]): string {
  return reviews.map(stackText).join("\n\n");
}

function stackText(review: StackReview): string {
  const wording = wordingOf(review);
  const alarm = alarmOf(review);
  const gap = unguarded(review.guardrails);
  return [
    `${review.stack}: ${wording.verdicts[review.verdict]}`,
    ...(alarm === undefined ? [] : [`  DANGER: ${alarm.headline} ${alarm.meaning}`]),
    ...review.cautions.map((caution) => `  caution: ${caution}`),
    ...review.obstacles.map((obstacle) => `  ! ${obstacle.replaceAll("\n", "\n    ")}`),
    ...review.subjects.flatMap((subject) => subjectLines(subject, review, wording)),
    ...specialChanges(review.policies).map(({ id, kind }) => `  NetworkPolicy ${id} is ${kind}`),
    ...review.facts.map(({ what, before, after }) => `  network: ${what}: ${before ?? "–"} -> ${after ?? "–"}`),
    ...(gap === undefined ? [] : [`  guardrails: ${gap}`]),
    ...(review.findings ?? []).map(
      ({ severity, policy, message }) => `  ${severity}: ${policy}: ${message.replace(/\s+/g, " ")}`,
    ),
    ...review.warnings.map((warning) => `  warning: ${warning.replaceAll("\n", "\n    ")}`),
    ...review.notes.map((note) => `  note: ${note}`),
  ].join("\n");
}

function subjectLines(subject: SubjectReview, review: StackReview, wording: Wording): string[] {
  const { stage, rows, reach } = subject;
  const isFirst = stage === "first deploy";
  const except = ({ excepts }: ReachEntry) =>
    excepts.length === 0 ? "" : ` except ${excepts.map(({ block }) => block).join(", ")}`;
  return [
    `  ${subjectName(subject)}${stage === "change" ? "" : ` (${stage})`}`,
    ...(isFirst ? reach.map((entry) => `    = ${entry.destination}${except(entry)}, ${entry.ports}`) : []),
    ...rows.filter(({ direction }) => !isFirst || direction === "gained").map((row) => rowText(row, review)),
    ...credentials(subject).map((sentence) => `    ${sentence.replace(/\.$/, "")}`),
    ...whyItMatters(rows).map((reason) => `    why it matters: it opens the way to ${reason}`),
    ...nextSteps(subject, wording).map((step) => `    next: ${step}`),
  ];
}

function rowText(row: ReviewRow, review: StackReview): string {
  const names = row.names.length === 0 ? "" : ` (${namesOf(row).join("; ")})`;
  const size =
    row.addresses === undefined
      ? ""
      : `, ${formatCount(row.addresses)} ${row.addresses === 1n ? "address" : "addresses"}`;
  const witness = row.witness === undefined ? "" : `, such as ${row.witness}`;
  const where = row.semantics.length < review.semantics.length ? ` [${holds(row)}]` : "";
  return (
    `    ${row.direction === "gained" ? "+" : "-"} ${row.destination}${names}, ${formatRowPorts(row)}${size}${witness}${where}\n` +
    `      ${row.because}`
  );
}

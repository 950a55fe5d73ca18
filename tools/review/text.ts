import { formatCount } from "../words.ts";
import { unguarded } from "./guardrails.ts";
import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { StackReview } from "./stackReview.ts";
import {
  alarmOf,
  credentials,
  holds,
  namesOf,
  nextSteps,
  specialChanges,
  subjectName,
  whyItMatters,
  wordingOf,
} from "./wording.ts";

/** The review for a terminal. */
export function renderText(reviews: readonly StackReview[]): string {
  return reviews.map(stackText).join("\n\n");
}

function stackText(review: StackReview): string {
  const wording = wordingOf(review);
  const lines = [`${review.stack}: ${wording.verdicts[review.verdict]}`];
  const alarm = alarmOf(review);
  lines.push(...(alarm === undefined ? [] : [`  DANGER: ${alarm.headline} ${alarm.meaning}`]));
  lines.push(...review.cautions.map((caution) => `  caution: ${caution}`));
  lines.push(...review.obstacles.map((obstacle) => `  ! ${obstacle.replaceAll("\n", "\n    ")}`));
  for (const subject of review.subjects) {
    lines.push(`  ${subjectName(subject)}${subject.stage === "change" ? "" : ` (${subject.stage})`}`);
    if (subject.stage === "first deploy") {
      lines.push(
        ...subject.reach.map(
          ({ destination, ports, excepts }) =>
            `    = ${destination}${excepts.length > 0 ? ` except ${excepts.map(({ block }) => block).join(", ")}` : ""}, ${ports}`,
        ),
      );
    }
    const shown =
      subject.stage === "first deploy" ? subject.rows.filter(({ direction }) => direction === "gained") : subject.rows;
    lines.push(...shown.map((row) => rowText(row, review)));
    lines.push(
      ...credentials(subject).map((sentence) => `    ${sentence.replace(/\.$/, "")}`),
      ...whyItMatters(subject.rows).map((reason) => `    why it matters: it opens the way to ${reason}`),
      ...nextSteps(subject, wording).map((step) => `    next: ${step}`),
    );
  }
  lines.push(
    ...specialChanges(review.policies).map(({ id, kind }) => `  NetworkPolicy ${id} is ${kind}`),
    ...review.facts.map(({ what, before, after }) => `  network: ${what}: ${before ?? "–"} -> ${after ?? "–"}`),
  );
  const gap = unguarded(review.guardrails);
  lines.push(
    ...(gap === undefined ? [] : [`  guardrails: ${gap}`]),
    ...(review.findings ?? []).map(
      ({ severity, policy, message }) => `  ${severity}: ${policy}: ${message.replace(/\s+/g, " ")}`,
    ),
  );
  lines.push(...review.warnings.map((warning) => `  warning: ${warning.replaceAll("\n", "\n    ")}`));
  lines.push(...review.notes.map((note) => `  note: ${note}`));
  return lines.join("\n");
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

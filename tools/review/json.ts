import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { StackReview, SubjectReview } from "./stackReview.ts";

/** The review for machines: plain JSON values, counts as decimal strings, one element for each stack. */
export function reviewJson(reviews: readonly StackReview[]): unknown {
  return { reviews: reviews.map((review) => ({ ...review, subjects: review.subjects.map(subjectJson) })) };
}

function subjectJson(subject: SubjectReview): unknown {
  return { ...subject, source: subject.source ?? null, rows: subject.rows.map(rowJson) };
}

function rowJson(row: ReviewRow): unknown {
  return {
    ...row,
    text: `${row.destination}, ${formatRowPorts(row)}`,
    addresses: row.addresses?.toString() ?? null,
    pairs: row.pairs?.toString() ?? null,
    witness: row.witness ?? null,
  };
}

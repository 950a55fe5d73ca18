import type { ReviewRow } from "./rows.ts";
import type { Perspective, ReviewVerdict, StackReview, SubjectReview } from "./stackReview.ts";

/** Words that depend on what is compared with what. */
export interface Wording {
  readonly title: string;
  readonly column: string;
  readonly gained: string;
  readonly lost: string;
  readonly verdicts: Readonly<Record<ReviewVerdict, string>>;
}

const WORDINGS: Readonly<Record<Perspective, Wording>> = {
  plan: {
    title: "Egress review",
    column: "What the pods can reach",
    gained: "newly reachable",
    lost: "no longer reachable",
    verdicts: {
      "same reach": "same reach",
      narrower: "narrower",
      wider: "wider",
      both: "both wider and narrower",
      "cannot conclude": "cannot conclude",
    },
  },
  drift: {
    title: "Egress drift",
    column: "What the live policies allow, compared with the program",
    gained: "allowed live, not by the program",
    lost: "allowed by the program, not live",
    verdicts: {
      "same reach": "same reach",
      narrower: "narrower than the program",
      wider: "wider than the program",
      both: "both wider and narrower than the program",
      "cannot conclude": "cannot conclude",
    },
  },
};

/** The words for a review. */
export function wordingOf({ perspective }: Pick<StackReview, "perspective">): Wording {
  return WORDINGS[perspective];
}

/** A sign for the eye; the word always stands beside it. */
export const SIGNS: Readonly<Record<ReviewVerdict, string>> = {
  "same reach": "⚪",
  narrower: "🟢",
  wider: "🔴",
  both: "🟠",
  "cannot conclude": "❔",
};

/** `pods app=workflow-runner in namespace keeperhub`. */
export function subjectName({ source }: Pick<SubjectReview, "source">): string {
  return source === undefined
    ? "the pods that the policies select"
    : `pods ${Object.entries(source.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",")} in namespace ${source.namespace}`;
}

/** Where a row holds: under both readings, or only one. */
export function holds({ semantics }: Pick<ReviewRow, "semantics">): string {
  return semantics.length > 1
    ? "as specified and as enforced"
    : semantics[0] === "vpc-cni"
      ? "only as the VPC CNI enforces it"
      : "only as Kubernetes specifies it";
}

/** `4,194,304`; from 2^33 on as a power of two where it is one, else in scientific notation. */
export function formatCount(count: bigint): string {
  if (count < 1n << 33n) {
    return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
  }
  const isPower = (count & (count - 1n)) === 0n;
  return isPower ? `2^${count.toString(2).length - 1}` : Number(count).toExponential(1).replace("e+", " × 10^");
}

/** `1 row`, `3 rows`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Something with a name besides its address. */
export type Named = Pick<ReviewRow, "names" | "destination">;

/** More names than this a reader can't take in. */
const MOST_NAMES = 3;

/** What a destination is called, without repeating the destination. */
export function namesOf({ names, destination }: Named): string[] {
  return names.slice(0, MOST_NAMES).map((name) => name.replace(` (${destination})`, ""));
}

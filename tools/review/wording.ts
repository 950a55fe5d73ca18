import { CONCERNS, type Concern } from "./concerns.ts";
import type { PolicyChange } from "./plannedPolicies.ts";
import type { ReviewRow, SemanticsName } from "./rows.ts";
import type { Perspective, ReviewVerdict, StackReview, SubjectReview } from "./stackReview.ts";

/** Words that depend on what is compared with what. */
export interface Wording {
  readonly title: string;
  readonly column: string;
  readonly gained: string;
  readonly lost: string;
  /** What credentials that are opened do, one and several. */
  readonly opened: readonly [string, string];
  /** What to think of next, for a gain, a loss and a first deploy. */
  readonly next: Readonly<Record<"gained" | "lost" | "first", string>>;
  readonly verdicts: Readonly<Record<ReviewVerdict, string>>;
}

const WORDINGS: Readonly<Record<Perspective, Wording>> = {
  plan: {
    title: "Egress review",
    column: "What the pods can reach",
    gained: "newly reachable",
    lost: "no longer reachable",
    opened: ["becomes reachable", "become reachable"],
    next: {
      gained:
        "before approving: should the pods reach these destinations? If not, revert the rule named under Because.",
      lost: "before approving: do the pods still need the destinations that are no longer reachable? New connections to them will time out.",
      first:
        "before approving: does the list include everything that the pods need? New connections to any other destination will time out.",
    },
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
    opened: ["can be reached, which the program denies", "can be reached, which the program denies"],
    next: {
      gained: "an update (pulumi up) closes what only the live policies allow. To keep it open, add it to the program.",
      lost: "an update (pulumi up) opens what only the program allows. To keep it closed, remove it from the program.",
      first: "an update (pulumi up) opens everything. To keep the live restriction, add it to the program.",
    },
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
  narrower: "🔵",
  wider: "🔴",
  both: "🟠",
  "cannot conclude": "❔",
};

/** `pods app=workflow-runner in namespace keeperhub`. */
export function subjectName({ source }: Pick<SubjectReview, "source">): string {
  if (source === undefined) {
    return "the pods that the policies select";
  }
  const labels = Object.entries(source.labels).map(([key, value]) => `${key}=${value}`);
  return `${labels.length === 0 ? "pods without labels" : `pods ${labels.join(",")}`} in namespace ${source.namespace}`;
}

const REASONS: Readonly<Record<Concern, string>> = {
  credentials:
    "the instance metadata and pod credential endpoints, which return AWS credentials to anyone who can make a pod send a request there",
  private: "private addresses, where databases, other pods and internal services may listen",
  pods: "pods of the cluster, which then receive whatever these pods send",
  internet: "the public internet, from which code can be fetched and to which data can be sent",
};

/** Why gains matter, the worst first; empty where there is none. */
export function whyItMatters(rows: readonly ReviewRow[]): string[] {
  const found = new Set(rows.flatMap(({ concerns }) => concerns));
  return CONCERNS.filter((concern) => found.has(concern)).map((concern) => REASONS[concern]);
}

/** What must not be overlooked: credentials that a change opens, and what that means; `undefined` where it opens none. */
export function alarmOf({
  subjects,
  perspective,
}: Pick<StackReview, "perspective"> & {
  readonly subjects: readonly Pick<SubjectReview, "openedCredentials">[];
}): { readonly headline: string; readonly meaning: string } | undefined {
  const opened = [...new Set(subjects.flatMap(({ openedCredentials }) => openedCredentials))];
  const [one, many] = WORDINGS[perspective].opened;
  return opened.length === 0
    ? undefined
    : {
        headline: `${opened.join(", ")} ${opened.length === 1 ? one : many}.`,
        meaning: "Anyone who makes a pod send a request there gets AWS credentials.",
      };
}

/** Whether the pods can get AWS credentials afterwards, which is asked first; empty where that goes without saying. */
export function credentials({ stage, openCredentials }: SubjectReview): string[] {
  if (stage === "deletion") {
    return [];
  }
  return openCredentials.length === 0
    ? [
        "these policies block the instance metadata and pod credential endpoints, except during a pod's first few seconds.",
      ]
    : [
        `${openCredentials.join(", ")} can be reached: anyone who makes a pod send a request there gets AWS credentials.`,
      ];
}

/** What a reader should do next about a kind of pod. */
export function nextSteps({ stage, rows }: SubjectReview, { next }: Wording): string[] {
  const has = (direction: ReviewRow["direction"]) => rows.some((row) => row.direction === direction);
  return [
    ...(has("gained") ? [next.gained] : []),
    ...(stage === "first deploy" ? [next.first] : has("lost") ? [next.lost] : []),
  ];
}

/** Where a row holds: under both readings, or only one. */
export function holds({ semantics }: Pick<ReviewRow, "semantics">): string {
  const [only, ...others] = semantics;
  return only === undefined || others.length > 0 ? BOTH_READINGS : `only ${READING_WORDS[only]}`;
}

/** How policies are read, and that two readings agree. */
export const READING_WORDS: Readonly<Record<SemanticsName, string>> = {
  "vpc-cni": "as the VPC CNI enforces it",
  kubernetes: "as Kubernetes specifies it",
};
export const BOTH_READINGS = "as specified and as enforced";

/** More names than this a reader can't take in. */
const MOST_NAMES = 3;

/** What a destination is called, the most telling names. */
export function namesOf({ names }: Pick<ReviewRow, "names">): readonly string[] {
  return names.slice(0, MOST_NAMES);
}

/** A name without the block that stands beside it. */
export function shortName(name: string, block: string): string {
  return name.replace(`${block}, `, "").replace(` (${block})`, "");
}

/** What happens to policies besides being written anew. */
export function specialChanges(policies: readonly PolicyChange[]): PolicyChange[] {
  return policies.filter(({ kind }) => kind !== "unchanged" && kind !== "changed");
}

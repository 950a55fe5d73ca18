/** The guardrails, in the order in which they are reported; docs/guardrails.md has a section for each. */
export const GUARDRAILS = [
  "conclusive",
  "metadata-endpoints",
  "private-reach",
  "isolation",
  "required-destinations",
  "eks-hazards",
  "union",
  "protection",
  "widening",
] as const;

export type GuardrailName = (typeof GUARDRAILS)[number];

/** What a guardrail objects to. */
export interface Objection {
  /** The resource at fault as the caller named it, such as a URN. Default: the plan as a whole. */
  readonly resource?: string | undefined;
  /** `namespace/name` of the NetworkPolicy at fault. */
  readonly policy?: string | undefined;
  /** Index in its `spec.egress`. */
  readonly rule?: number | undefined;
  /** A destination that shows it: `169.254.169.254:80/tcp`, or pods and a port. */
  readonly witness?: string | undefined;
  /** What is wrong and why. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** One thing that a plan must not do; from the guardrail `conclusive`, one that cannot be proved about it. */
export interface Violation extends Objection {
  readonly guardrail: GuardrailName;
}

/** The violation as a person reads it: message, then fix. */
export function formatViolation({ message, fix }: Objection): string {
  return `${message}\nFix: ${fix}`;
}

/** By guardrail, then by policy, rule and text, each text once. */
export function sortViolations(violations: readonly Violation[]): Violation[] {
  const byText = new Map(violations.map((violation) => [`${violation.guardrail} ${violation.message}`, violation]));
  const order = ({ guardrail }: Violation) => GUARDRAILS.indexOf(guardrail);
  return [...byText.values()].sort(
    (a, b) =>
      order(a) - order(b) ||
      compare(a.policy ?? "", b.policy ?? "") ||
      (a.rule ?? -1) - (b.rule ?? -1) ||
      compare(a.message, b.message),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

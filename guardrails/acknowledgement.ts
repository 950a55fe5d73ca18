import type { Destination } from "./declaration.ts";
import type { Objection } from "./violation.ts";

/** Something that a guardrail would refuse and that somebody accepts. */
export interface Acknowledgement {
  /** What config calls it. */
  readonly name: string;
  /** Why it is accepted. */
  readonly reason: string;
  /** The last day on which it counts, `YYYY-MM-DD`. Default: it has none. */
  readonly expires?: string;
  /** Whether it may wait for its case; somebody else says that it is not needed any more. Default: false. */
  readonly mayBeUnused?: boolean;
}

/** Accepts that a private region becomes reachable. */
export interface RegionAcknowledgement extends Acknowledgement {
  readonly region: Pick<Destination, "cidrs" | "pods" | "ports">;
}

/** What may happen to a declared policy only with an acknowledgement: it loses its protection, leaves the plan, or selects other pods. */
export const POLICY_CHANGES = ["unprotect", "remove", "selector"] as const;

export type PolicyChange = (typeof POLICY_CHANGES)[number];

/** Accepts a change to a declared policy. */
export interface ChangeAcknowledgement extends Acknowledgement {
  /** `namespace/name`. */
  readonly policy: string;
  readonly change: PolicyChange;
}

/** Those that still count on a day, `YYYY-MM-DD`. */
export function valid<Kind extends Acknowledgement>(acknowledgements: readonly Kind[], today: string): Kind[] {
  return acknowledgements.filter(({ expires }) => expires === undefined || today <= expires);
}

/** Acknowledgements that have expired, or that cover nothing. */
export function stale<Kind extends Acknowledgement>(
  acknowledgements: readonly Kind[],
  today: string,
  isUsed: (acknowledgement: Kind) => boolean,
): Objection[] {
  return acknowledgements.flatMap((acknowledgement) => {
    const { expires, mayBeUnused = false } = acknowledgement;
    if (expires !== undefined && expires < today) {
      const fix = "remove it, and what it covers from the plan; or give it a new date if the reason still holds.";
      return [{ message: `${text(acknowledgement)} expired on ${expires}; today is ${today}.`, fix }];
    }
    const message = `${text(acknowledgement)} is not used: the plan does nothing that it covers.`;
    return mayBeUnused || isUsed(acknowledgement) ? [] : [{ message, fix: "remove it from the config." }];
  });
}

/** Acknowledgements of differences where it is not known what is deployed. */
export function unmatchable(acknowledgements: readonly Acknowledgement[]): Objection[] {
  return acknowledgements
    .filter(({ mayBeUnused = false }) => !mayBeUnused)
    .map((each) => ({
      message: `cannot conclude: ${text(each)} is for a difference to what is deployed, which is not given.`,
      fix: "give the pack a file with the deployed policies, or remove the acknowledgement.",
    }));
}

function text({ name, reason }: Acknowledgement): string {
  return `acknowledgement "${name}" (${reason})`;
}

/**
 * What a plan must hold to, checked by exact analysis: one implementation for the component, which knows its own plain
 * values, and for the policy pack, which sees the whole plan. Pure: no I/O, no clock, no Pulumi.
 */
import type { ChangeAcknowledgement, RegionAcknowledgement } from "./acknowledgement.ts";
import { conclusive } from "./conclusive.ts";
import { eksHazards } from "./eksHazards.ts";
import { isolation } from "./isolation.ts";
import { metadataEndpoints } from "./metadataEndpoints.ts";
import { privateReach } from "./privateReach.ts";
import { protection } from "./protection.ts";
import { requiredDestinations } from "./requiredDestinations.ts";
import { type GuardrailInput, type Situation, situationOf } from "./situation.ts";
import { union } from "./union.ts";
import { type GuardrailName, type Objection, sortViolations, type Violation } from "./violation.ts";
import { widening } from "./widening.ts";

export * from "./acknowledgement.ts";
export * from "./declaration.ts";
export { isOpaqueKind, opaquePolicies } from "./opaquePolicy.ts";
export type { PlannedPolicy } from "./plannedPolicy.ts";
export {
  type GuardrailInput,
  type OpaquePolicy,
  type PlannedPods,
  type PlannedSwitch,
  type Situation,
  situationOf,
} from "./situation.ts";
export * from "./violation.ts";

/** What people accept, and the day on which that is asked. */
export interface Accepted {
  readonly changes: readonly ChangeAcknowledgement[];
  readonly reach: readonly RegionAcknowledgement[];
  /** `YYYY-MM-DD` */
  readonly today: string;
}

/** What each guardrail asks, and whether it can judge a policy before the rest of the plan is known. */
const QUESTIONS: Readonly<
  Record<
    GuardrailName,
    { readonly alone: boolean; readonly ask: (situation: Situation, accepted: Accepted) => Objection[] }
  >
> = {
  conclusive: { alone: true, ask: conclusive },
  "metadata-endpoints": { alone: true, ask: metadataEndpoints },
  "private-reach": { alone: true, ask: privateReach },
  isolation: { alone: true, ask: isolation },
  "required-destinations": { alone: false, ask: requiredDestinations },
  "eks-hazards": { alone: true, ask: eksHazards },
  union: { alone: false, ask: union },
  protection: { alone: true, ask: (situation, { changes, today }) => protection(situation, changes, today) },
  widening: { alone: false, ask: (situation, { reach, today }) => widening(situation, reach, today) },
};

/** Whether a guardrail can judge a policy before the rest of the plan is known. */
export function judgesAlone(name: GuardrailName): boolean {
  return QUESTIONS[name].alone;
}

/** What a guardrail objects to, sorted. */
export function judge(name: GuardrailName, situation: Situation, accepted: Accepted = NOTHING): Violation[] {
  return sortViolations(
    QUESTIONS[name].ask(situation, accepted).map((objection) => ({ guardrail: name, ...objection })),
  );
}

const NOTHING: Accepted = { changes: [], reach: [], today: "" };

/**
 * The guardrails that hold for plain values whatever else is in the plan: metadata endpoints, private reach, isolation
 * and EKS hazards, each joined over all the policies given.
 */
export function checkPolicies(input: GuardrailInput): Violation[] {
  const situation = situationOf(input);
  return (["conclusive", "metadata-endpoints", "private-reach", "isolation", "eks-hazards"] as const).flatMap((name) =>
    judge(name, situation),
  );
}

/**
 * What a plan must hold to, checked by exact analysis: one implementation for the component, which knows its own plain
 * values, and for the policy pack, which sees the whole plan. Pure: no I/O, no clock, no Pulumi.
 */
import { conclusive } from "./conclusive.ts";
import { eksHazards } from "./eksHazards.ts";
import { isolation } from "./isolation.ts";
import { metadataEndpoints } from "./metadataEndpoints.ts";
import { privateReach } from "./privateReach.ts";
import { type GuardrailInput, situationOf } from "./situation.ts";
import { sortViolations, type Violation } from "./violation.ts";

export * from "./acknowledgement.ts";
export { conclusive } from "./conclusive.ts";
export * from "./declaration.ts";
export { eksHazards } from "./eksHazards.ts";
export { isolation } from "./isolation.ts";
export { metadataEndpoints } from "./metadataEndpoints.ts";
export { isOpaqueKind, opaquePolicy } from "./opaquePolicy.ts";
export type { PlannedPolicy } from "./plannedPolicy.ts";
export { privateReach } from "./privateReach.ts";
export { protection } from "./protection.ts";
export { requiredDestinations } from "./requiredDestinations.ts";
export { mightSelect } from "./selection.ts";
export { type GuardrailInput, type OpaquePolicy, type Situation, situationOf } from "./situation.ts";
export { union } from "./union.ts";
export * from "./violation.ts";
export { widening } from "./widening.ts";

/**
 * The guardrails that hold for plain values whatever else is in the plan: metadata endpoints, private reach, isolation
 * and EKS hazards, each joined over all the policies given.
 */
export function checkPolicies(input: GuardrailInput): Violation[] {
  const situation = situationOf(input);
  return sortViolations([
    ...conclusive(situation),
    ...metadataEndpoints(situation),
    ...privateReach(situation),
    ...isolation(situation),
    ...eksHazards(situation),
  ]);
}

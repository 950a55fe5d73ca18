/**
 * Exact egress analysis of Kubernetes NetworkPolicies, as specified and as EKS enforces them. Pure: no I/O, no clock.
 * `parseNetworkPolicies` → `compile` → questions: `verdict`, `explain`, `regions`, `diff`, `divergences`, `check`.
 */
export * from "./address.ts";
export * from "./assertions.ts";
export { witnessOf } from "./boxes.ts";
export * from "./cidr.ts";
export * from "./compile.ts";
export type { Assertion } from "./contradictions.ts";
export * from "./destinations.ts";
export * from "./diff.ts";
export * from "./divergences.ts";
export * from "./explain.ts";
export * from "./input.ts";
export * from "./inventory.ts";
export * from "./isolation.ts";
export * from "./labelSelector.ts";
export * from "./names.ts";
export * from "./networkPolicy.ts";
export type { EgressAnalysis, Point, SelectorRegion } from "./normalForm.ts";
export * from "./parseAssertions.ts";
export * from "./parseInventory.ts";
export * from "./parseNetworkPolicy.ts";
export * from "./plainObject.ts";
export * from "./podHazards.ts";
export * from "./point.ts";
export { isWrittenMapped, parsePolicyCidr } from "./policyCidr.ts";
export * from "./problems.ts";
export * from "./protocol.ts";
export * from "./rangeSet.ts";
export { areDisjoint, isNarrowerSelector } from "./reach/labelSets.ts";
export type { PodRow } from "./reach/podReach.ts";
export * from "./reach/podSets.ts";
export * from "./reach/reach.ts";
export * from "./reference.ts";
export * from "./regions.ts";
export * from "./semantics.ts";
export * from "./specialPurpose.ts";
export * from "./verdict.ts";

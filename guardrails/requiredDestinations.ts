import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, type EgressAnalysis, type EgressRule } from "../analysis/index.ts";
import { allowedBeyond } from "./boxes.ts";
import type { Declaration } from "./declaration.ts";
import { allowing, destinationRule, endpointRule, internetRule } from "./declaredPolicies.ts";
import { addressFindings, type Finding, formatPods, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { inconclusive, reachesOfRead, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

const FIX =
  "allow it in a rule of its own, with the port as the destination's containers or hosts see it; or, if the runners no " +
  "longer need it, take it out of the pack's declaration.";

/** Guardrail 4: what the runners need stays reachable, under both semantics. */
export function requiredDestinations(situation: Situation): Violation[] {
  const { runners, plan, declaration } = situation;
  const required = requirements(declaration);
  const findings = runners.flatMap((runner) =>
    reachesOfRead(situation, plan, runner).flatMap((reach) =>
      required.flatMap((requirement) => [
        ...lossFindings(situation, reach, requirement, lostBoxes(reach, requirement)),
        ...podLosses(reach, requirement),
      ]),
    ),
  );
  return [
    ...violationsOf("required-destinations", findings, FIX),
    ...inconclusive("required-destinations", plan, runners),
  ];
}

/** Something that must stay reachable, with all that it stands for. */
export interface Requirement {
  readonly name: string;
  readonly analysis: EgressAnalysis;
}

/** Everything that a declaration requires. */
export function requirements(declaration: Declaration): Requirement[] {
  const { destinations, endpoints } = declaration;
  const requirement = (name: string, rule: EgressRule): Requirement => ({ name, analysis: allowing([rule]) });
  const internet = internetRule(declaration);
  return [
    ...destinations
      .filter(({ required }) => required)
      .map((destination) => requirement(`destination ${destination.name}`, destinationRule(destination))),
    ...(internet === undefined ? [] : [requirement("the public internet", internet)]),
    ...endpoints.map((endpoint) => requirement(endpoint.name, endpointRule(declaration, endpoint))),
  ];
}

/** The addresses of a requirement that a reach denies, or may deny. */
export function lostBoxes({ analysis }: Reach, requirement: Requirement): readonly ChangeBox[] {
  return allowedBeyond(analysis, requirement.analysis);
}

/** What to say about lost addresses of a requirement. */
export function lossFindings(
  { names }: Situation,
  reach: Reach,
  { name }: Requirement,
  lost: readonly ChangeBox[],
): Finding[] {
  return addressFindings(reach, lost, { heading: "Lost", names, together: true }).map((finding) => ({
    ...finding,
    key: `${name}: ${finding.key}`,
    message: `${name} is not reachable everywhere: ${finding.message}`,
  }));
}

/** Pods by label that no rule allows any more. Other policies cannot cause that: they only add. */
function podLosses(reach: Reach, { name, analysis }: Requirement): Finding[] {
  return bareDiff(reach.analysis, analysis).gained.pods.map((row) => {
    const witness = formatPods(row);
    return {
      key: `${name}: ${witness}`,
      semantics: reach.semantics.name,
      resource: reach.policies[0]?.planned.resource,
      policy: undefined,
      rule: undefined,
      witness,
      message: `${name} is not reachable: no rule allows ${witness}.`,
    };
  });
}

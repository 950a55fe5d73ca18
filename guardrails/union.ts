import { bareDiff, compile, type EgressRule, SELECTED_BY_EVERY_POLICY } from "../analysis/index.ts";
import { allowedBeyond, intersection, within } from "./boxes.ts";
import { privateSpace } from "./concern.ts";
import { allowing, declaredPolicy, destinationRule } from "./declaredPolicies.ts";
import { divergenceHazards } from "./eksHazards.ts";
import { addressFindings, type Finding, podFindings, violationsOf } from "./finding.ts";
import { type PolicySet, policiesOf, type Reach, type RunnerPods, reachOf } from "./policySet.ts";
import { judgedSpace } from "./privateReach.ts";
import { memberIn } from "./remedies.ts";
import { lossFindings, lostBoxes, requirements } from "./requiredDestinations.ts";
import { allReaches, inconclusive, reaches, reachesOfRead, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

const NARROW = "narrow the other policy's podSelector so that it does not select the runners";
const FIX_LOSS = `${NARROW}, or take the except out of it: the agent applies an except to the rules of all policies.`;

/**
 * Guardrail 6: what the other policies that select runner pods, in the plan or deployed, add to what the declared ones
 * allow is declared too, takes nothing required away and sets off no hazard; and nothing that cannot be read has a say.
 */
export function union(situation: Situation): Violation[] {
  const { runners, plan, named, joint, opaque } = situation;
  // Without named policies the plan is what the other guardrails judge, and only what is deployed comes on top.
  const base = situation.declaration.policies.length === 0 ? plan : named;
  return [
    ...runners.flatMap((runner) => addedBy(situation, base, runner)),
    ...opaque.map(({ resource, what }): Violation => opaqueViolation(resource, what)),
    ...inconclusive("union", joint, runners),
  ];
}

function addedBy(situation: Situation, base: PolicySet, runner: RunnerPods): Violation[] {
  const { declaration, joint } = situation;
  const declared = declaration.destinations.map(destinationRule);
  const fix = `${NARROW}, narrow its rules, or declare the destination in ${memberIn(declaration, "destinations")}.`;
  const required = requirements(declaration);
  const gained = withBase(base, reaches(situation, joint, runner)).flatMap(([before, reach]) =>
    gains(situation, before, reach, declared, fix),
  );
  const lost = withBase(base, reachesOfRead(situation, joint, runner)).flatMap(([before, reach]) => {
    const taken = allowedBeyond(reach.analysis, before.analysis);
    return required.flatMap((requirement) =>
      lossFindings(situation, reach, requirement, intersection(lostBoxes(reach, requirement), taken), FIX_LOSS),
    );
  });
  const hazards = withBase(base, allReaches(situation, joint, runner)).flatMap(([before, reach]) => {
    const known = new Set(divergenceHazards("union", before).map(({ message }) => message));
    return divergenceHazards("union", reach).filter(({ message }) => !known.has(message));
  });
  return [...violationsOf("union", gained), ...violationsOf("union", lost), ...hazards];
}

/** Each reach with the part of it that the base policies make up, where there is something else in it. */
function withBase(base: PolicySet, reaches: readonly Reach[]): [before: Reach, reach: Reach][] {
  const planned = new Set([...base.read, ...base.unread].map((policy) => policy.planned));
  return reaches.flatMap((reach) => {
    const own = reach.policies.filter((policy) => planned.has(policy.planned));
    return own.length === reach.policies.length ? [] : [[reachOf(own, reach.semantics), reach]];
  });
}

/** What a reach opens beside the declared rules and what the base policies open already. */
function gains(
  { declaration, names }: Situation,
  before: Reach,
  reach: Reach,
  declared: readonly EgressRule[],
  fix: string,
): Finding[] {
  if (!before.analysis.isolated) {
    return [];
  }
  const space = judgedSpace(privateSpace(declaration), reach, declaration.cluster);
  const undeclared = within(allowedBeyond(allowing(declared), reach.analysis), space);
  const expected = compile([...policiesOf(before.policies), declaredPolicy(declared)], {
    semantics: { name: "kubernetes" },
    source: SELECTED_BY_EVERY_POLICY,
  });
  return [
    ...addressFindings(reach, intersection(undeclared, allowedBeyond(before.analysis, reach.analysis)), {
      heading: "Not declared",
      names,
      fix: () => fix,
    }),
    ...podFindings(reach, bareDiff(expected, reach.analysis).gained.pods, "Not declared", fix),
  ];
}

function opaqueViolation(resource: string, what: string): Violation {
  return {
    guardrail: "union",
    resource,
    policy: undefined,
    rule: undefined,
    witness: undefined,
    message: `cannot conclude: ${what} may select runner pods, and takes part in their verdicts in ways that are not analysed.`,
    fix: "limit it to other pods or namespaces, or judge it by hand and set this guardrail to advisory.",
    conclusive: false,
  };
}

import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, compile, type PodRow, SELECTED_BY_EVERY_POLICY } from "../analysis/index.ts";
import { allowedBeyond, intersection, isCovered, within } from "./boxes.ts";
import { privateSpace } from "./concern.ts";
import type { Declaration } from "./declaration.ts";
import { allowing, declaredPolicy, destinationRule } from "./declaredPolicies.ts";
import { reachHazards } from "./eksHazards.ts";
import { addressFindings, foundFirst, isSamePods, podFindings, violationsOf } from "./finding.ts";
import { policiesOf, type Reach, shells } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { lossFindings } from "./requiredDestinations.ts";
import { groupsThatDiffer, isLoaded, reachesOf, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";
import { judgedSpace, lostBoxes, requirements } from "./wrongReach.ts";

const NARROW = "narrow the other policy's podSelector so that it does not select the runners";
const FIX_LOSS = `${NARROW}, or take the except out of it: the agent applies an except to the rules of all policies.`;

/**
 * Guardrail 6: what the other policies that select runner pods, in the plan or deployed, add to what the declared ones
 * allow is declared too, takes nothing required away and sets off no hazard, for every group of runner pods.
 */
export function union(situation: Situation): Violation[] {
  const { declaration } = situation;
  const steps = stepsOf(situation);
  const all = steps.map(({ reach }) => reach);
  const beforeOf = (reach: Reach) => (steps.find((step) => step.reach === reach) as Step).before;
  const certain = steps.filter(({ isUncertain }) => !isUncertain).map(({ reach }) => reach);
  const fix = `${NARROW}, narrow its rules, or declare the destination in ${memberIn(declaration, "destinations")}.`;
  const gained = [
    ...foundFirst(all.filter(isLoaded), (reach) => gainedBoxes(declaration, beforeOf(reach), reach), isCovered).flatMap(
      ([reach, boxes]) =>
        addressFindings(reach, boxes, { heading: "Not declared", names: situation.names, fix: () => fix }),
    ),
    ...foundFirst(all.filter(isLoaded), (reach) => gainedPods(declaration, beforeOf(reach), reach), isSamePods).flatMap(
      ([reach, rows]) => podFindings(reach, rows, "Not declared", fix),
    ),
  ];
  const lost = requirements(declaration).flatMap((requirement) =>
    foundFirst(
      certain.filter(isLoaded),
      (reach) => intersection(lostBoxes(reach, requirement), allowedBeyond(reach.analysis, beforeOf(reach).analysis)),
      isCovered,
    ).flatMap(([reach, boxes]) => lossFindings(situation, reach, requirement, boxes, FIX_LOSS)),
  );
  const hazards = steps.flatMap(({ before, reach }) => {
    const known = new Set(reachHazards("union", situation, before).map(({ message }) => message));
    return reachHazards("union", situation, reach).filter(({ message }) => !known.has(message));
  });
  return [...violationsOf("union", gained), ...violationsOf("union", lost), ...hazards];
}

/** What a group of runner pods may reach, and the part of it that the declared policies make up. */
interface Step {
  readonly before: Reach;
  readonly reach: Reach;
  readonly isUncertain: boolean;
}

/** The groups that other policies select, too. */
function stepsOf(situation: Situation): Step[] {
  const { declaration, plan, named, groupReaches } = situation;
  // Without named policies the plan is what the other guardrails judge, and only what is deployed comes on top.
  const base = new Set(shells(declaration.policies.length === 0 ? plan : named));
  return groupsThatDiffer(situation, "joint").flatMap((group) => {
    const own = group.policies.joint.filter((policy) => base.has(policy));
    if (own.length === group.policies.joint.length) {
      return [];
    }
    const before = groupReaches.of(own);
    return reachesOf(situation, group, "joint").map((reach) => ({
      before: before.find(({ semantics }) => semantics === reach.semantics) as Reach,
      reach,
      isUncertain: group.isUncertain.joint,
    }));
  });
}

/** Private addresses that a reach opens beside the declared ones and what the base policies open already. */
function gainedBoxes(declaration: Declaration, before: Reach, reach: Reach): ChangeBox[] {
  return before.analysis.isolated
    ? intersection(undeclaredSpace(declaration, reach), allowedBeyond(before.analysis, reach.analysis))
    : [];
}

function undeclaredSpace(declaration: Declaration, reach: Reach): ChangeBox[] {
  const declared = allowing(declaration.destinations.map(destinationRule));
  return within(
    allowedBeyond(declared, reach.analysis),
    judgedSpace(privateSpace(declaration), reach, declaration.cluster),
  );
}

/** Pods that a reach opens beside the declared ones and what the base policies open already. */
function gainedPods({ destinations }: Declaration, before: Reach, reach: Reach): readonly PodRow[] {
  if (!before.analysis.isolated) {
    return [];
  }
  const expected = compile([...policiesOf(before.policies), declaredPolicy(destinations.map(destinationRule))], {
    semantics: { name: "kubernetes" },
    source: SELECTED_BY_EVERY_POLICY,
  });
  return bareDiff(expected, reach.analysis).gained.pods;
}

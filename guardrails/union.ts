import { reachHazards } from "./eksHazards.ts";
import { findings, foundFirst, objectionsOf } from "./finding.ts";
import { type RunnerReach, shells } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { lossFindings } from "./requiredDestinations.ts";
import { groupsThatDiffer, isLoaded, reachesOfGroup, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";
import { wantedOf } from "./wanted.ts";
import { inPrivate } from "./wrongReach.ts";

const NARROW = "narrow the other policy's podSelector so that it does not select the runners";
const FIX_LOSS = `${NARROW}, or take the except out of it: the agent applies an except to the rules of all policies.`;

/**
 * Guardrail 6: what the other policies that select runner pods, in the plan or deployed, add to what the declared ones
 * allow is declared too, takes nothing required away and sets off no hazard, for every group of runner pods.
 */
export function union(situation: Situation): Objection[] {
  const { declaration, names } = situation;
  const { declared, requirements } = wantedOf(declaration);
  const steps = stepsOf(situation);
  const before = new Map(steps.map((step) => [step.reach, step.before.reach] as const));
  const loaded = (some: readonly Step[]) => some.map(({ reach }) => reach).filter(isLoaded);
  const fix = `${NARROW}, narrow its rules, or declare the destination in ${memberIn(declaration, "destinations")}.`;
  const gained = foundFirst(loaded(steps), (reach) =>
    inPrivate(reach.reach.minus(declared.union(before.get(reach) ?? declared)), declaration, reach),
  ).flatMap(([reach, found]) =>
    findings(reach, found, { heading: "Not declared", names, fix: () => fix, podFix: fix }),
  );
  const certain = loaded(steps.filter(({ isUncertain }) => !isUncertain));
  const lost = requirements.flatMap((requirement) =>
    foundFirst(certain, (reach) =>
      requirement.reach.intersection(before.get(reach) ?? requirement.reach).minus(reach.reach),
    ).flatMap(([reach, { boxes }]) => lossFindings(situation, reach, requirement, boxes, () => FIX_LOSS)),
  );
  const hazards = steps.flatMap(({ before, reach }) => {
    const known = new Set(reachHazards(situation, before).map(({ message }) => message));
    return reachHazards(situation, reach).filter(({ message }) => !known.has(message));
  });
  return [...objectionsOf(gained), ...objectionsOf(lost), ...hazards];
}

/** What a group of runner pods may reach, and the part of it that the declared policies make up. */
interface Step {
  readonly before: RunnerReach;
  readonly reach: RunnerReach;
  readonly isUncertain: boolean;
}

/** The groups that other policies select, too. */
function stepsOf(situation: Situation): Step[] {
  const { declaration, plan, named } = situation;
  // Without named policies the plan is what the other guardrails judge, and only what is deployed comes on top.
  const base = new Set(shells(declaration.policies.length === 0 ? plan : named));
  return groupsThatDiffer(situation, "joint").flatMap((group) => {
    const own = group.joint.policies.filter((policy) => base.has(policy));
    if (own.length === group.joint.policies.length) {
      return [];
    }
    const before = situation.reachesOf(own);
    return reachesOfGroup(situation, group, "joint").map((reach) => ({
      before: before.find(({ semantics }) => semantics === reach.semantics) as RunnerReach,
      reach,
      isUncertain: group.joint.isUncertain,
    }));
  });
}

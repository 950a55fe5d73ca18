import type { Reach } from "../analysis/index.ts";
import { type RegionAcknowledgement, stale, unmatchable, valid } from "./acknowledgement.ts";
import { findings, foundFirst, objectionsOf } from "./finding.ts";
import type { RunnerReach } from "./policySet.ts";
import { memberIn, regionMembers } from "./remedies.ts";
import { groupsThatDiffer, isLoaded, reachesOfGroup, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";
import { destinationReach, unionOf } from "./wanted.ts";
import { inPrivate } from "./wrongReach.ts";

/**
 * Guardrail 8: private or in-cluster regions that become reachable, compared with what is deployed, are acknowledged,
 * declared or not. Nothing where it is not known what is deployed.
 *
 * @param today `YYYY-MM-DD`
 */
export function widening(
  situation: Situation,
  acknowledgements: readonly RegionAcknowledgement[],
  today: string,
): Objection[] {
  if (situation.deployed === undefined) {
    return unmatchable(acknowledgements);
  }
  const { declaration, names } = situation;
  const opened = openedSince(situation);
  const accepted = unionOf(
    [
      ...valid(acknowledgements, today).map(({ region }) => region),
      // Somebody has reviewed the change of the recorded facts.
      ...declaration.destinations.filter(({ isRecorded }) => isRecorded),
    ].map(destinationReach),
  );
  const found = foundFirst([...opened.keys()], (reach) => (opened.get(reach) as Reach).minus(accepted));
  const isUsed = ({ region }: RegionAcknowledgement) =>
    [...opened.values()].some((each) => !each.intersection(destinationReach(region)).isEmpty);
  return [
    ...objectionsOf(
      found.flatMap(([reach, regions]) =>
        findings(reach, regions, {
          heading: "Newly reachable",
          names,
          fix: (boxes, why) => fixOf(situation, regionMembers(boxes, reach, why)),
          podFix: fixOf(situation, undefined),
        }),
      ),
    ),
    ...stale(acknowledgements, today, isUsed),
  ];
}

/** What to do about a region, with the members that acknowledge it where they are known. */
function fixOf({ declaration }: Situation, members: string | undefined): string {
  const where = memberIn(declaration, "widening.acknowledgements");
  const word = `"NAME": {${members ?? '"cidrs" or "pods", "ports"'}, "reason": "WHY", "expires": "YYYY-MM-DD"}`;
  return `if the runners are meant to reach it, add ${word} to ${where}; if not, take it out of the rule named here.`;
}

/**
 * What each group of runner pods can reach of private space and pods and could not before, where both are known: not where
 * the agent cannot load what was deployed, or where that cannot be read.
 */
function openedSince(situation: Situation): Map<RunnerReach, Reach> {
  const steps = groupsThatDiffer(situation, "deployed", "joint").flatMap((group) => {
    const before = reachesOfGroup(situation, group, "deployed").filter(isLoaded);
    return reachesOfGroup(situation, group, "joint")
      .filter(isLoaded)
      .flatMap((after) => {
        const same = before.find(({ semantics }) => semantics === after.semantics);
        return same === undefined
          ? []
          : [[{ ...after }, inPrivate(after.reach.minus(same.reach), situation.declaration, after)] as const];
      });
  });
  return new Map(steps);
}

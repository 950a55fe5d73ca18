import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, compile, type EgressRule, type PodRow, SELECTED_BY_EVERY_POLICY } from "../analysis/index.ts";
import { type RegionAcknowledgement, staleViolations, unmatchable, valid } from "./acknowledgement.ts";
import { allowedBeyond, intersection, isCovered, within } from "./boxes.ts";
import { privateSpace } from "./concern.ts";
import { allowing, declaredPolicy, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, foundFirst, isSamePods, podFindings, violationsOf } from "./finding.ts";
import { policiesOf, type Reach } from "./policySet.ts";
import { memberIn, regionMembers } from "./remedies.ts";
import { groupsThatDiffer, isLoaded, reachesOf, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";
import { judgedSpace } from "./wrongReach.ts";

/** What the runners could reach before and after. */
interface Step {
  readonly before: Reach;
  readonly after: Reach;
}

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
): Violation[] {
  if (situation.deployed === undefined) {
    return unmatchable("widening", acknowledgements);
  }
  const steps = stepsOf(situation);
  const accepted = [
    ...valid(acknowledgements, today).map(({ region }) => region),
    // Somebody has reviewed the change of the recorded facts.
    ...situation.declaration.destinations.filter(({ isRecorded }) => isRecorded),
  ].map(destinationRule);
  const reaches = steps.map(({ after }) => after);
  const stepTo = (reach: Reach) => steps.find(({ after }) => after === reach) as Step;
  const findings = [
    ...foundFirst(reaches, (reach) => newBoxes(situation, stepTo(reach), accepted), isCovered).flatMap(
      ([reach, boxes]) =>
        addressFindings(reach, boxes, {
          heading: "Newly reachable",
          names: situation.names,
          fix: (boxes, why) => fixOf(situation, regionMembers(boxes, reach, why)),
        }),
    ),
    ...foundFirst(reaches, (reach) => newPods(stepTo(reach), accepted), isSamePods).flatMap(([reach, rows]) =>
      podFindings(reach, rows, "Newly reachable", fixOf(situation, undefined)),
    ),
  ];
  const isUsed = ({ region }: RegionAcknowledgement) =>
    steps.some((step) => covers(situation, step, destinationRule(region)));
  return [...violationsOf("widening", findings), ...staleViolations("widening", acknowledgements, today, isUsed)];
}

/** What to do about a region, with the members that acknowledge it where they are known. */
function fixOf({ declaration }: Situation, members: string | undefined): string {
  const where = memberIn(declaration, "widening.acknowledgements");
  const word = `"NAME": {${members ?? '"cidrs" or "pods", "ports"'}, "reason": "WHY", "expires": "YYYY-MM-DD"}`;
  return `if the runners are meant to reach it, add ${word} to ${where}; if not, take it out of the rule named here.`;
}

/** What each group of runner pods could reach and can reach now, where both are known. */
function stepsOf(situation: Situation): Step[] {
  return groupsThatDiffer(situation, "deployed", "joint").flatMap((group) => {
    const before = reachesOf(situation, group, "deployed").filter(isLoaded);
    return reachesOf(situation, group, "joint")
      .filter(isLoaded)
      .flatMap((after) => {
        const same = before.find(({ semantics }) => semantics === after.semantics);
        // What was enforced is not known: of policies that the agent cannot load, or that cannot be read.
        return same === undefined ? [] : [{ before: same, after }];
      });
  });
}

/** Private addresses that a step opens beyond some rules. */
function newBoxes({ declaration }: Situation, { before, after }: Step, accepted: readonly EgressRule[]): ChangeBox[] {
  const space = judgedSpace(privateSpace(declaration), after, declaration.cluster);
  const opened = within(allowedBeyond(before.analysis, after.analysis), space);
  return accepted.length === 0 ? opened : intersection(opened, allowedBeyond(allowing(accepted), after.analysis));
}

/** Pods by label that a step opens beyond some rules; a pod that nothing isolated could reach them all before. */
function newPods({ before, after }: Step, accepted: readonly EgressRule[]): readonly PodRow[] {
  if (!before.analysis.isolated) {
    return [];
  }
  const known = compile([...policiesOf(before.policies), declaredPolicy(accepted)], {
    semantics: { name: "kubernetes" },
    source: SELECTED_BY_EVERY_POLICY,
  });
  return bareDiff(known, after.analysis).gained.pods;
}

/** Whether a rule covers anything that a step opens. */
function covers(situation: Situation, step: Step, rule: EgressRule): boolean {
  const nothing = allowing([]);
  return (
    intersection(newBoxes(situation, step, []), allowedBeyond(nothing, allowing([rule]))).length > 0 ||
    JSON.stringify(newPods(step, [])) !== JSON.stringify(newPods(step, [rule]))
  );
}

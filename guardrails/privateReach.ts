import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, type Explanation } from "../analysis/index.ts";
import { isCovered } from "./boxes.ts";
import { allowing, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, foundFirst, isSamePods, podFindings, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { destinationEdit, formatEdits, memberIn, regionMembers, staleVpcEdit } from "./remedies.ts";
import { exceptingEdit, triedEdit } from "./repairs.ts";
import { reaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";
import { undeclaredBoxes } from "./wrongReach.ts";

/** Guardrail 2: whatever the runner pods may reach outside the public internet, or outside what is meant of it, is declared. */
export function privateReach(situation: Situation): Violation[] {
  const { declaration, names } = situation;
  const all = reaches(situation);
  const declared = allowing(declaration.destinations.map(destinationRule));
  const boxes = foundFirst(all, (reach) => undeclaredBoxes(declaration, reach), isCovered);
  const pods = foundFirst(all, (reach) => bareDiff(declared, reach.analysis).gained.pods, isSamePods);
  const podFix = `if the runners are meant to reach these pods, declare them with their ports, as a member of ${memberIn(declaration, "destinations.pods")}; if not, narrow the rule's peer or ports.`;
  return violationsOf("private-reach", [
    ...boxes.flatMap(([reach, found]) =>
      addressFindings(reach, found, {
        heading: "Not declared",
        names,
        fix: (boxes, why) => addressFix(situation, boxes, reach, why),
      }),
    ),
    ...pods.flatMap(([reach, rows]) => podFindings(reach, rows, "Not declared", podFix)),
  ]);
}

function addressFix(situation: Situation, boxes: readonly ChangeBox[], reach: Reach, why: Explanation): string {
  const { declaration } = situation;
  const excepting = triedEdit(situation, reach, exceptingEdit(situation, reach, boxes, why.allowedBy[0]));
  const stale = staleVpcEdit(declaration, boxes);
  if (stale !== undefined) {
    return `if the VPC has no such block any more, ${formatEdits([stale], declaration)}; if it has, ${excepting ?? NARROW}.`;
  }
  const edit = destinationEdit(declaration, boxes, reach, why);
  const members = edit === undefined ? regionMembers(boxes, reach, why) : undefined;
  const otherwise = `if not, ${excepting ?? NARROW}.`;
  if (edit !== undefined) {
    return `if the runners are meant to reach it, ${formatEdits([edit], declaration)}; ${otherwise}`;
  }
  const destinations = memberIn(declaration, "destinations.cidrs");
  return members === undefined
    ? `${excepting ?? NARROW}; what the runners are meant to reach is declared with its ports in ${destinations}.`
    : `if the runners are meant to reach it, add "NAME": {${members}} to ${destinations}; ${otherwise}`;
}

const NARROW = "take it out of the rule named here";

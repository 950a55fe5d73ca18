import type { Explanation, ReachBox } from "../analysis/index.ts";
import { findings, foundFirst, objectionsOf } from "./finding.ts";
import type { RunnerReach } from "./policySet.ts";
import { destinationEdit, formatEdits, memberIn, regionMembers, staleVpcEdit } from "./remedies.ts";
import { exceptingEdit, triedEdit } from "./repairs.ts";
import { reaches, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";
import { undeclared } from "./wrongReach.ts";

/** Guardrail 2: whatever the runner pods may reach outside the public internet, or outside what is meant of it, is declared. */
export function privateReach(situation: Situation): Objection[] {
  const { declaration, names } = situation;
  const podFix = `if the runners are meant to reach these pods, declare them with their ports, as a member of ${memberIn(declaration, "destinations.pods")}; if not, narrow the rule's peer or ports.`;
  const found = foundFirst(reaches(situation), (reach) => undeclared(declaration, reach));
  return objectionsOf(
    found.flatMap(([reach, regions]) =>
      findings(reach, regions, {
        heading: "Not declared",
        names,
        fix: (boxes, why) => addressFix(situation, boxes, reach, why),
        podFix,
      }),
    ),
  );
}

const NARROW = "take it out of the rule named here";

function addressFix(situation: Situation, boxes: readonly ReachBox[], reach: RunnerReach, why: Explanation): string {
  const { declaration } = situation;
  const excepting = triedEdit(situation, reach, exceptingEdit(situation, reach, boxes, why.allowedBy[0])) ?? NARROW;
  const stale = staleVpcEdit(declaration, boxes);
  if (stale !== undefined) {
    return `if the VPC has no such block any more, ${formatEdits([stale], declaration)}; if it has, ${excepting}.`;
  }
  const edit = destinationEdit(declaration, boxes, reach, why);
  if (edit !== undefined) {
    return `if the runners are meant to reach it, ${formatEdits([edit], declaration)}; if not, ${excepting}.`;
  }
  const members = regionMembers(boxes, reach, why);
  const destinations = memberIn(declaration, "destinations.cidrs");
  return members === undefined
    ? `${excepting}; what the runners are meant to reach is declared with its ports in ${destinations}.`
    : `if the runners are meant to reach it, add "NAME": {${members}} to ${destinations}; if not, ${excepting}.`;
}

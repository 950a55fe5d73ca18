import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, explain, type PodRow, witnessOf } from "../analysis/index.ts";
import { isCovered, within } from "./boxes.ts";
import { addressFindings, type Finding, formatPods, foundFirst, isSamePods, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { destinationEdit, formatEdits, lostBlocksEdit, memberIn, vpcBlocksEdit } from "./remedies.ts";
import { certainReaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";
import { lostBoxes, type Requirement, requirements, undeclaredBoxes } from "./wrongReach.ts";

/** Guardrail 4: what the runners need stays reachable for every one of them, under both semantics. */
export function requiredDestinations(situation: Situation): Violation[] {
  const all = certainReaches(situation);
  const findings = requirements(situation.declaration).flatMap((requirement) => [
    ...foundFirst(all, (reach) => lostBoxes(reach, requirement), isCovered).flatMap(([reach, lost]) =>
      lossFindings(situation, reach, requirement, lost, lossFix(situation, reach, requirement, lost)),
    ),
    ...foundFirst(all, (reach) => bareDiff(reach.analysis, requirement.analysis).gained.pods, isSamePods).flatMap(
      ([reach, lost]) => podLosses(situation, reach, requirement, lost),
    ),
  ]);
  return violationsOf("required-destinations", findings);
}

/** What to say about lost addresses of a requirement. */
export function lossFindings(
  { names }: Situation,
  reach: Reach,
  { name }: Requirement,
  lost: readonly ChangeBox[],
  fix: string,
): Finding[] {
  return addressFindings(reach, lost, { heading: "Lost", names, together: true, fix: () => fix }).map((finding) => ({
    ...finding,
    key: `${name}: ${finding.key}`,
    message: `${name} is not reachable everywhere: ${finding.message}`,
  }));
}

const ALLOW = "allow it in a rule of its own, with the port as the destination's containers or hosts see it";

/** What to do about lost addresses of a requirement. */
function lossFix(
  { declaration }: Situation,
  reach: Reach,
  { name, member, destination }: Requirement,
  lost: readonly ChangeBox[],
): string {
  if (destination !== undefined) {
    const edit = lostBlocksEdit(destination, lost, reach);
    return edit === undefined
      ? `${ALLOW}; or, if the runners no longer need it, change ${memberIn(declaration, member)}.`
      : `if this is no destination any more, ${formatEdits([edit], declaration)}; if it is, ${ALLOW}.`;
  }
  const vpc = vpcBlocksEdit(declaration, lost, reach, (changed) => {
    const again = requirements(changed).find((requirement) => requirement.name === name);
    return again === undefined ? [] : lostBoxes(reach, again);
  });
  if (vpc === undefined) {
    return `${ALLOW}; or, if the runners no longer need it, change ${memberIn(declaration, member)}.`;
  }
  // Inside the VPC what is allowed has to be declared; so that this is not the next thing to be refused.
  const opened = within(undeclaredBoxes(vpc.declaration, reach), vpc.blocks);
  const [first] = opened;
  const inside = first && destinationEdit(declaration, opened, reach, explain(reach.analysis, witnessOf(first)));
  const edits = [vpc.edit, ...(inside === undefined ? [] : [inside])];
  const blocks = vpc.edit.values.join(" and ");
  return `if the VPC has ${blocks} now, which makes it private, ${formatEdits(edits, declaration)}; if it has not, take it out of the except named here.`;
}

/** Pods by label that no rule allows any more. Other policies cannot cause that: they only add. */
function podLosses(
  { declaration }: Situation,
  reach: Reach,
  { name, member }: Requirement,
  lost: readonly PodRow[],
): Finding[] {
  return lost.map((row) => {
    const witness = formatPods(row);
    return {
      key: `${name}: ${witness}`,
      semantics: reach.semantics.name,
      pods: reach.pods,
      resource: reach.policies[0]?.planned.resource,
      policy: undefined,
      rule: undefined,
      witness,
      message: `${name} is not reachable: no rule allows ${witness}.`,
      fix: `${ALLOW}; or, if the runners no longer need it, change ${memberIn(declaration, member)}.`,
    };
  });
}

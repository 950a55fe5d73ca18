import { explain, type PodRow, type ReachBox, witnessOf } from "../analysis/index.ts";
import { addressFindings, type Finding, formatPods, foundFirst, objectionsOf } from "./finding.ts";
import type { RunnerReach } from "./policySet.ts";
import { destinationEdit, formatEdits, lostBlocksEdit, memberIn, vpcBlocksEdit } from "./remedies.ts";
import { certainReaches, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";
import { type Requirement, wantedOf } from "./wanted.ts";
import { undeclared } from "./wrongReach.ts";

/** Guardrail 4: what the runners need stays reachable for every one of them, under both semantics. */
export function requiredDestinations(situation: Situation): Objection[] {
  const all = certainReaches(situation);
  const found = wantedOf(situation.declaration).requirements.flatMap((requirement) =>
    foundFirst(all, ({ reach }) => requirement.reach.minus(reach)).flatMap(([reach, lost]) => [
      ...lossFindings(situation, reach, requirement, lost.boxes, () =>
        lossFix(situation, reach, requirement, lost.boxes),
      ),
      ...lost.pods.map((row) => podLoss(situation, reach, requirement, row)),
    ]),
  );
  return objectionsOf(found);
}

/** What to say about lost addresses of a requirement. */
export function lossFindings(
  { names }: Situation,
  reach: RunnerReach,
  { name }: Requirement,
  lost: readonly ReachBox[],
  fix: () => string,
): Finding[] {
  return addressFindings(reach, lost, { heading: "Lost", names, together: true, fix }).map((finding) => ({
    ...finding,
    key: `${name}: ${finding.key}`,
    message: `${name} is not reachable everywhere: ${finding.message}`,
  }));
}

const ALLOW = "allow it in a rule of its own, with the port as the destination's containers or hosts see it";

/** What to do about lost addresses of a requirement. */
function lossFix(
  situation: Situation,
  reach: RunnerReach,
  requirement: Requirement,
  lost: readonly ReachBox[],
): string {
  const { declaration } = situation;
  const { name, destination } = requirement;
  if (destination !== undefined) {
    const edit = lostBlocksEdit(destination, lost, reach);
    return edit === undefined
      ? allowOrChange(situation, requirement)
      : `if this is no destination any more, ${formatEdits([edit], declaration)}; if it is, ${ALLOW}.`;
  }
  const vpc = vpcBlocksEdit(declaration, lost, reach, (changed) => {
    const again = wantedOf(changed).requirements.find((requirement) => requirement.name === name);
    return again !== undefined && again.reach.minus(reach.reach).boxes.length > 0;
  });
  if (vpc === undefined) {
    return allowOrChange(situation, requirement);
  }
  // Inside the VPC what is allowed has to be declared; so that this is not the next thing to be refused.
  const opened = undeclared(vpc.declaration, reach).within({ addresses: vpc.blocks }).boxes;
  const [first] = opened;
  const inside = first && destinationEdit(declaration, opened, reach, explain(reach.analysis, witnessOf(first)));
  const edits = [vpc.edit, ...(inside === undefined ? [] : [inside])];
  const blocks = vpc.edit.values.join(" and ");
  return `if the VPC has ${blocks} now, which makes it private, ${formatEdits(edits, declaration)}; if it has not, take it out of the except named here.`;
}

function allowOrChange({ declaration }: Situation, { member }: Requirement): string {
  return `${ALLOW}; or, if the runners no longer need it, change ${memberIn(declaration, member)}.`;
}

/** Pods by label that no rule allows any more. Other policies cannot cause that: they only add. */
function podLoss(situation: Situation, reach: RunnerReach, requirement: Requirement, row: PodRow): Finding {
  const witness = formatPods(row);
  return {
    key: `${requirement.name}: ${witness}`,
    semantics: reach.semantics.name,
    pods: reach.pods,
    resource: reach.policies[0]?.planned.resource,
    witness,
    message: `${requirement.name} is not reachable: no rule allows ${witness}.`,
    fix: allowOrChange(situation, requirement),
  };
}

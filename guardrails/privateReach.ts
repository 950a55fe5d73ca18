import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, type Cidr, type Explanation, leastSet, overlaps } from "../analysis/index.ts";
import { allowedBeyond, isCovered, within } from "./boxes.ts";
import { credentialEndpoints, privateSpace, publicSpace } from "./concern.ts";
import type { Declaration, DeclaredCluster } from "./declaration.ts";
import { allowing, declaredRules, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, foundFirst, isSamePods, podFindings, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { destinationEdit, formatEdits, memberIn, regionMembers, staleVpcEdit } from "./remedies.ts";
import { reaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

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
        fix: (boxes, why) => addressFix(declaration, boxes, reach, why),
      }),
    ),
    ...pods.flatMap(([reach, rows]) => podFindings(reach, rows, "Not declared", podFix)),
  ]);
}

/** Addresses that a reach opens and that are not declared: private ones, and public ones where those are judged. */
export function undeclaredBoxes(declaration: Declaration, reach: Reach): ChangeBox[] {
  const declared = allowing(declaredRules(declaration));
  const judged = declaration.publicReach === undefined ? [] : publicSpace(declaration);
  const space = judgedSpace(leastSet([...privateSpace(declaration), ...judged]), reach, declaration.cluster);
  // The credential endpoints have a guardrail of their own.
  const credentials = credentialEndpoints(declaration.cluster.ipFamily).map(({ cidr }) => cidr);
  return withoutSingle(within(allowedBeyond(declared, reach.analysis), space), credentials);
}

function addressFix(declaration: Declaration, boxes: readonly ChangeBox[], reach: Reach, why: Explanation): string {
  const stale = staleVpcEdit(declaration, boxes);
  if (stale !== undefined) {
    return `if the VPC has no such block any more, ${formatEdits([stale], declaration)}; if it has, add the block to the except of the rule named here.`;
  }
  const edit = destinationEdit(declaration, boxes, reach, why);
  const members = edit === undefined ? regionMembers(boxes, reach, why) : undefined;
  const otherwise = "if not, take it out of the rule named here, or add it to the except of that rule.";
  if (edit !== undefined) {
    return `if the runners are meant to reach it, ${formatEdits([edit], declaration)}; ${otherwise}`;
  }
  const destinations = memberIn(declaration, "destinations.cidrs");
  return members === undefined
    ? `add the block to the except of the rule named here, or narrow the rule's peer or ports; what the runners are meant to reach is declared with its ports in ${destinations}.`
    : `if the runners are meant to reach it, add "NAME": {${members}} to ${destinations}; ${otherwise}`;
}

/** The ranges that a semantics has a verdict about: the agent never looks at packets of the other family. */
export function judgedSpace(ranges: readonly Cidr[], { semantics }: Reach, { ipFamily }: DeclaredCluster): Cidr[] {
  return ranges.filter(({ family }) => semantics.name === "kubernetes" || family === ipFamily);
}

/** Boxes that are more than one of these blocks. */
function withoutSingle(boxes: readonly ChangeBox[], blocks: readonly Cidr[]): ChangeBox[] {
  return boxes.filter(
    ({ range }) =>
      !blocks.some((block) => overlaps(block, range) && block.first === range.first && block.last === range.last),
  );
}

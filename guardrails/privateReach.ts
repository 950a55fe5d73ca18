import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, type Cidr, overlaps } from "../analysis/index.ts";
import { allowedBeyond, within } from "./boxes.ts";
import { credentialEndpoints, privateSpace } from "./concern.ts";
import type { DeclaredCluster } from "./declaration.ts";
import { allowing, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, type Finding, podFindings, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { inconclusive, reaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

const FIX =
  "if the runners need it, add it to the pack's destinations with its ports; if not, add the block to the except of the " +
  "rule named here, or narrow the rule's peer or ports.";

/** Guardrail 2: whatever the runner pods may reach outside the public internet is in the declared list. */
export function privateReach(situation: Situation): Violation[] {
  const { runners, plan } = situation;
  const findings = runners.flatMap((runner) =>
    reaches(situation, plan, runner).flatMap((reach) => undeclaredFindings(situation, reach)),
  );
  return [...violationsOf("private-reach", findings, FIX), ...inconclusive("private-reach", plan, runners)];
}

/** What one reach opens that is not declared. */
export function undeclaredFindings({ declaration, names }: Situation, reach: Reach): Finding[] {
  const declared = allowing(declaration.destinations.map(destinationRule));
  const space = judgedSpace(privateSpace(declaration), reach, declaration.cluster);
  // The credential endpoints have a guardrail of their own.
  const credentials = credentialEndpoints(declaration.cluster.ipFamily).map(({ cidr }) => cidr);
  const boxes = within(allowedBeyond(declared, reach.analysis), space);
  return [
    ...addressFindings(reach, withoutSingle(boxes, credentials), { heading: "Not declared", names }),
    ...podFindings(reach, bareDiff(declared, reach.analysis).gained.pods, "Not declared"),
  ];
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

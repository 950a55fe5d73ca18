import type { ChangeBox } from "../analysis/boxes.ts";
import { bareDiff, compile, type EgressRule, type PodRow, SELECTED_BY_EVERY_POLICY } from "../analysis/index.ts";
import { type RegionAcknowledgement, staleViolations, unmatchable, valid } from "./acknowledgement.ts";
import { allowedBeyond, intersection, within } from "./boxes.ts";
import { privateSpace } from "./concern.ts";
import { allowing, declaredPolicy, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, podFindings, violationsOf } from "./finding.ts";
import { policiesOf, type Reach } from "./policySet.ts";
import { judgedSpace } from "./privateReach.ts";
import { memberIn, regionMembers } from "./remedies.ts";
import { inconclusive, reaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

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
  const { runners, deployed, joint } = situation;
  if (deployed === undefined) {
    return unmatchable("widening", acknowledgements);
  }
  const steps = runners.flatMap((runner) =>
    stepsOf(reaches(situation, deployed, runner), reaches(situation, joint, runner)),
  );
  const accepted = [
    ...valid(acknowledgements, today).map(({ region }) => region),
    // Somebody has reviewed the change of the recorded facts.
    ...situation.declaration.destinations.filter(({ isRecorded }) => isRecorded),
  ].map(destinationRule);
  const findings = steps.flatMap((step) => [
    ...addressFindings(step.after, newBoxes(situation, step, accepted), {
      heading: "Newly reachable",
      names: situation.names,
      fix: (boxes, why) => fixOf(situation, regionMembers(boxes, step.after, why)),
    }),
    ...podFindings(step.after, newPods(step, accepted), "Newly reachable", fixOf(situation, undefined)),
  ]);
  const isUsed = ({ region }: RegionAcknowledgement) =>
    steps.some((step) => covers(situation, step, destinationRule(region)));
  const unread = { read: [], unread: [...new Set([...deployed.unread, ...joint.unread])] };
  return [
    ...violationsOf("widening", findings),
    ...staleViolations("widening", acknowledgements, today, isUsed),
    ...inconclusive("widening", unread, runners),
  ];
}

/** What to do about a region, with the members that acknowledge it where they are known. */
function fixOf({ declaration }: Situation, members: string | undefined): string {
  const where = memberIn(declaration, "widening.acknowledgements");
  const word = `"NAME": {${members ?? '"cidrs" or "pods", "ports"'}, "reason": "WHY", "expires": "YYYY-MM-DD"}`;
  return `if the runners are meant to reach it, add ${word} to ${where}; if not, take it out of the rule named here.`;
}

/** Pairs reaches of one semantics: of the pods that few policies select, and of those that all select. */
function stepsOf(before: readonly Reach[], after: readonly Reach[]): Step[] {
  const ofSemantics = (reaches: readonly Reach[], name: string) =>
    reaches.filter(({ semantics }) => semantics.name === name);
  return [...new Set(after.map(({ semantics }) => semantics.name))].flatMap((name) => {
    const [old, now] = [ofSemantics(before, name), ofSemantics(after, name)];
    // What was enforced is not known: of policies that the agent cannot load, or that cannot be read.
    if (old.length === 0) {
      return [];
    }
    return Array.from({ length: Math.max(old.length, now.length) }, (_, index) => ({
      before: (old[index] ?? old.at(-1)) as Reach,
      after: (now[index] ?? now.at(-1)) as Reach,
    }));
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

import type { ChangeBox } from "../analysis/boxes.ts";
import {
  bareDiff,
  type EgressAnalysis,
  type EgressRule,
  explain,
  type PodRow,
  type PortRange,
  witnessOf,
} from "../analysis/index.ts";
import { allowedBeyond, isCovered, within } from "./boxes.ts";
import type { Declaration, Destination, RequiredEndpoint } from "./declaration.ts";
import { allowing, destinationRule, endpointRule, internetRule } from "./declaredPolicies.ts";
import { addressFindings, type Finding, formatPods, foundFirst, isSamePods, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { undeclaredBoxes } from "./privateReach.ts";
import { destinationEdit, formatEdits, lostBlocksEdit, memberIn, vpcBlocksEdit } from "./remedies.ts";
import { certainReaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

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

/** Something that must stay reachable. */
export interface Requirement {
  readonly name: string;
  /** All that it stands for. */
  readonly analysis: EgressAnalysis;
  /** Where it is declared: `destinations.database`, `internet`. */
  readonly member: string;
  /** The destination, where it is one. */
  readonly destination?: Destination;
}

/**
 * Everything that a declaration requires. Not an endpoint that may be anywhere in the public internet where all of that is
 * required on its port: it would be lost for the same reason.
 */
export function requirements(declaration: Declaration): Requirement[] {
  const { destinations, endpoints } = declaration;
  const requirement = (name: string, member: string, rule: EgressRule): Requirement => ({
    name,
    member,
    analysis: allowing([rule]),
  });
  const internet = internetRule(declaration);
  return [
    ...destinations
      .filter(({ required }) => required)
      .map((destination) => ({
        ...requirement(
          `destination ${destination.name}`,
          `destinations.${destination.name}`,
          destinationRule(destination),
        ),
        destination,
      })),
    ...(internet === undefined ? [] : [requirement("the public internet", "internet", internet)]),
    ...endpoints
      .filter((endpoint) => !isPartOfInternet(declaration, endpoint))
      .map((endpoint) => requirement(endpoint.name, "endpoints", endpointRule(declaration, endpoint))),
  ];
}

function isPartOfInternet({ internet }: Declaration, { cidr, ports: { protocol, range } }: RequiredEndpoint): boolean {
  return (
    cidr === undefined &&
    (internet === "every-port" || internet.some((ports) => ports.protocol === protocol && contains(ports.range, range)))
  );
}

function contains(outer: PortRange, inner: PortRange): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}

/** The addresses of a requirement that a reach denies, or may deny. */
export function lostBoxes({ analysis }: Reach, requirement: Pick<Requirement, "analysis">): readonly ChangeBox[] {
  return allowedBeyond(analysis, requirement.analysis);
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

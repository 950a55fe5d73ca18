import type { ChangeBox } from "../analysis/boxes.ts";
import {
  type Cidr,
  type Divergence,
  type DivergenceShape,
  divergences,
  type EgressAnalysis,
  type EgressRule,
  leastSet,
  overlaps,
  type PortRange,
  podHazards,
  SELECTED_BY_EVERY_POLICY,
} from "../analysis/index.ts";
import { allowedBeyond, within } from "./boxes.ts";
import { credentialEndpoints, inhabitedSpace, privateSpace, publicSpace } from "./concern.ts";
import type { Declaration, DeclaredCluster, Destination, RequiredEndpoint } from "./declaration.ts";
import { allowing, declaredRules, destinationRule, endpointRule, internetRule } from "./declaredPolicies.ts";
import { policiesOf, type Reach } from "./policySet.ts";

/** What is wrong with a reach, as regions: the questions of the guardrails without their words. */

/** Credential endpoints that a reach opens. */
export function openEndpoints({ cluster, destinations }: Declaration, reach: Reach): ChangeBox[] {
  const nothing = allowing([]);
  const declared = allowing(destinations.map(destinationRule));
  return credentialEndpoints(cluster.ipFamily)
    .filter(({ cidr }) => reach.semantics.name === "kubernetes" || cidr.family === cluster.ipFamily)
    .flatMap(({ cidr, declarable }) => within(allowedBeyond(declarable ? declared : nothing, reach.analysis), [cidr]));
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
    (internet === "every-port" ||
      internet.some((ports) => ports.protocol === protocol && holdsPorts(ports.range, range)))
  );
}

function holdsPorts(outer: PortRange, inner: PortRange): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}

/** The addresses of a requirement that a reach denies, or may deny. */
export function lostBoxes({ analysis }: Reach, requirement: Pick<Requirement, "analysis">): readonly ChangeBox[] {
  return allowedBeyond(analysis, requirement.analysis);
}

/** Divergences that come from the cluster, not from the policy: no rewrite avoids them. */
const OF_THE_CLUSTER: readonly DivergenceShape[] = ["node-address", "other-family-not-enforced"];

/**
 * Where the agent enforces something else than the policies of a reach say, except where no host is; those of the same cause
 * by one key. Nothing where they say that the pods are not isolated at all: that is what is wrong then.
 */
export function hazardsOf({ semantics, policies: read }: Reach): Map<string, Divergence[]> {
  const policies = policiesOf(read);
  if (semantics.name !== "vpc-cni" || policies.every(({ isolatesEgress }) => !isolatesEgress)) {
    return new Map();
  }
  return Map.groupBy(divergences(policies, { semantics, source: SELECTED_BY_EVERY_POLICY }).filter(isHazard), causeOf);
}

/** What the agent makes of the policies of a reach, on addresses and on pods by label, as keys of equal causes. */
export function hazardKeys(reach: Reach, { vpcCidrs }: Declaration): string[] {
  return [
    ...hazardsOf(reach).keys(),
    ...podHazards(reach.analysis, vpcCidrs).map(({ shape, pods }) => `${shape} ${pods}`),
  ];
}

function isHazard(divergence: Divergence): boolean {
  return (
    !OF_THE_CLUSTER.includes(divergence.shape) &&
    (divergence.direction !== "over-deny" || within([divergence], inhabitedSpace()).length > 0)
  );
}

function causeOf({ shape, direction, explanations: { before, after } }: Divergence): string {
  if (shape === "other-family-except-aborts") {
    return shape;
  }
  const places = [...before.allowedBy, ...after.allowedBy, ...after.exceptedBy];
  return `${shape} ${direction} ${places.map(({ policy, rule, peer }) => `${policy} ${rule} ${peer}`).join()}`;
}

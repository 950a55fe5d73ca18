import {
  type Cidr,
  credentialEndpoints,
  type Divergence,
  type DivergenceShape,
  divergences,
  type EgressAnalysis,
  EVERY_POD,
  overlaps,
  parseCidr,
  podHazards,
  Reach,
  SELECTED_BY_EVERY_POLICY,
  UNICAST_SPACE,
} from "../analysis/index.ts";
import type { Declaration } from "./declaration.ts";
import { policiesOf, type RunnerReach } from "./policySet.ts";
import { privateSpace, wantedOf } from "./wanted.ts";

/** What is wrong with a reach: the questions of the guardrails without their words. */

/** Credential endpoints that a reach opens; of those that may be declared, what is not. */
export function openEndpoints(declaration: Declaration, { reach, semantics }: RunnerReach): Reach {
  const { ipFamily } = declaration.cluster;
  const endpoints = credentialEndpoints(ipFamily).filter(({ cidr }) => isJudged(cidr, semantics, ipFamily));
  const own = (isDeclarable: boolean) => ({
    addresses: endpoints.filter(({ declarable }) => declarable === isDeclarable).map(({ cidr }) => cidr),
  });
  return reach.within(own(false)).union(reach.minus(wantedOf(declaration).declared).within(own(true)));
}

/**
 * What a reach opens and is not meant to: private addresses, public ones where those are judged, and pods by label. Not a
 * credential endpoint alone, which has a guardrail of its own.
 */
export function undeclared(declaration: Declaration, { reach, semantics }: RunnerReach): Reach {
  const { meant, judgedSpace } = wantedOf(declaration);
  const { ipFamily } = declaration.cluster;
  const addresses = judgedSpace.filter((cidr) => isJudged(cidr, semantics, ipFamily));
  const found = reach.minus(meant).within({ addresses, pods: [EVERY_POD] });
  const endpoints = credentialEndpoints(ipFamily).map(({ cidr }) => cidr);
  return found.boxes
    .filter(({ range }) =>
      endpoints.some((cidr) => cidr.first === range.first && overlaps(cidr, range) && cidr.last === range.last),
    )
    .reduce((rest, { range, ports }) => rest.minus(Reach.over({ addresses: [range], ports: [ports] })), found);
}

/** The part of a reach in private space and among pods. */
export function inPrivate(found: Reach, declaration: Declaration, { semantics }: RunnerReach): Reach {
  const addresses = privateSpace(declaration).filter((cidr) => isJudged(cidr, semantics, declaration.cluster.ipFamily));
  return found.within({ addresses, pods: [EVERY_POD] });
}

/** Whether a semantics has a verdict about a block: the agent never looks at packets of the other family. */
function isJudged({ family }: Cidr, { name }: RunnerReach["semantics"], ipFamily: Cidr["family"]): boolean {
  return name === "kubernetes" || family === ipFamily;
}

/** Divergences that come from the cluster, not from the policy: no rewrite avoids them. */
const OF_THE_CLUSTER: readonly DivergenceShape[] = ["node-address", "other-family-not-enforced"];

/** Where hosts are at all; what the agent denies elsewhere is nobody's loss. */
const INHABITED = [...UNICAST_SPACE.ipv4, ...UNICAST_SPACE.ipv6, parseCidr("fc00::/7")];

const KNOWN = new WeakMap<EgressAnalysis, Map<string, Divergence[]>>();

/**
 * Where the agent enforces something else than the policies of a reach say, except where no host is; those of the same cause
 * by one key. Nothing where they say that the pods are not isolated at all: that is what is wrong then.
 */
export function hazardsOf({ semantics, policies: read, analysis }: RunnerReach): Map<string, Divergence[]> {
  const policies = policiesOf(read);
  if (semantics.name !== "vpc-cni" || policies.every(({ isolatesEgress }) => !isolatesEgress)) {
    return new Map();
  }
  const known =
    KNOWN.get(analysis) ??
    Map.groupBy(divergences(policies, { semantics, source: SELECTED_BY_EVERY_POLICY }).filter(isHazard), causeOf);
  KNOWN.set(analysis, known);
  return known;
}

/** What the agent makes of the policies of a reach, on addresses and on pods by label, as keys of equal causes. */
export function hazardKeys(reach: RunnerReach, { vpcCidrs }: Declaration): string[] {
  return [
    ...hazardsOf(reach).keys(),
    ...podHazards(reach.analysis, vpcCidrs).map(({ shape, pods }) => `${shape} ${pods}`),
  ];
}

function isHazard({ shape, direction, range }: Divergence): boolean {
  return (
    !OF_THE_CLUSTER.includes(shape) && (direction !== "over-deny" || INHABITED.some((block) => overlaps(block, range)))
  );
}

function causeOf({ shape, direction, explanations: { before, after } }: Divergence): string {
  if (shape === "other-family-except-aborts" || shape === "unreadable-block") {
    return shape;
  }
  const places = [...before.allowedBy, ...after.allowedBy, ...after.exceptedBy];
  return `${shape} ${direction} ${places.map(({ policy, rule, peer }) => `${policy} ${rule} ${peer}`).join()}`;
}

import {
  type Cidr,
  labelsSelector,
  leastSet,
  namespaceNamed,
  POLICY_PROTOCOLS,
  privateSpace as privateSpaceOf,
  type RangeSet,
  Reach,
  type Space,
  subtract,
  UNICAST_SPACE,
} from "../analysis/index.ts";
import type { Ports } from "../runner/contract.ts";
import type { Declaration, Destination, RequiredEndpoint } from "./declaration.ts";

/** What a declaration means, as sets of destinations. */
export interface Wanted {
  /** All destinations. */
  readonly declared: Reach;
  /** All that is meant to be reachable, where public reach is judged too. */
  readonly meant: Reach;
  /** Where what is not meant counts. */
  readonly judgedSpace: readonly Cidr[];
  readonly requirements: readonly Requirement[];
}

/** Something that must stay reachable. */
export interface Requirement {
  readonly name: string;
  /** All that it stands for. */
  readonly reach: Reach;
  /** Where it is declared: `destinations.database`, `internet`. */
  readonly member: string;
  /** The destination, where it is one. */
  readonly destination?: Destination;
}

/** Everything that is not public for a cluster, as {@link privateSpaceOf} has it. */
export function privateSpace({ cluster, vpcCidrs }: Pick<Declaration, "cluster" | "vpcCidrs">): Cidr[] {
  return privateSpaceOf(cluster.ipFamily, vpcCidrs);
}

/** The public internet of the cluster's family, or the part of it that is meant to be reached. */
export function publicInternet(declaration: Declaration): RangeSet {
  const { publicReach, cluster } = declaration;
  if (publicReach === "none") {
    return [];
  }
  const { blocks = UNICAST_SPACE[cluster.ipFamily], except = [] } = publicReach ?? {};
  return subtract(blocks, [...privateSpace(declaration), ...except]);
}

const KNOWN = new WeakMap<Declaration, Wanted>();

/** What a declaration means, computed once for each. */
export function wantedOf(declaration: Declaration): Wanted {
  const known = KNOWN.get(declaration) ?? compute(declaration);
  KNOWN.set(declaration, known);
  return known;
}

function compute(declaration: Declaration): Wanted {
  const { destinations, publicReach, cluster } = declaration;
  const declared = unionOf(destinations.map(destinationReach));
  return {
    declared,
    meant:
      publicReach === undefined || publicReach === "none"
        ? declared
        : declared.union(internetOn(declaration, publicReach.ports)),
    judgedSpace: leastSet([
      ...privateSpace(declaration),
      ...(publicReach === undefined ? [] : UNICAST_SPACE[cluster.ipFamily]),
    ]),
    requirements: requirements(declaration),
  };
}

/** Exactly a destination. */
export function destinationReach({ cidrs, pods, ports }: Pick<Destination, "cidrs" | "pods" | "ports">): Reach {
  const sets = pods.map(({ namespace, labels }) => ({
    namespaceSelector: namespaceNamed(namespace),
    podSelector: labelsSelector(labels),
  }));
  return onPorts({ addresses: cidrs, pods: sets }, ports);
}

/** All of several reaches. */
export function unionOf(reaches: readonly Reach[]): Reach {
  return reaches.reduce((all, each) => all.union(each), NOTHING);
}

const NOTHING = Reach.over({});

/**
 * Everything that a declaration requires. Not an endpoint that may be anywhere in the public internet where all of that is
 * required on its port: it would be lost for the same reason.
 */
function requirements(declaration: Declaration): Requirement[] {
  const { destinations, internet, endpoints } = declaration;
  return [
    ...destinations
      .filter(({ required }) => required)
      .map((destination) => ({
        name: `destination ${destination.name}`,
        member: `destinations.${destination.name}`,
        reach: destinationReach(destination),
        destination,
      })),
    ...(internet.length === 0
      ? []
      : [{ name: "the public internet", member: "internet", reach: internetOn(declaration, internet) }]),
    ...endpoints
      .filter((endpoint) => !isPartOfInternet(declaration, endpoint))
      .map(({ name, cidr, ports }) => ({
        name,
        member: "endpoints",
        reach: cidr === undefined ? internetOn(declaration, [ports]) : onPorts({ addresses: [cidr] }, [ports]),
      })),
  ];
}

function isPartOfInternet({ internet }: Declaration, { cidr, ports: { protocol, port } }: RequiredEndpoint): boolean {
  return (
    cidr === undefined &&
    (internet === "every-port" ||
      internet.some(
        ({ protocol: own, port: first, endPort: last = first }) => own === protocol && first <= port && port <= last,
      ))
  );
}

/** The public internet on some ports. */
function internetOn(declaration: Declaration, ports: readonly Ports[] | "every-port"): Reach {
  return onPorts({ addresses: publicInternet(declaration) }, ports);
}

function onPorts(space: Pick<Space, "addresses" | "pods">, ports: readonly Ports[] | "every-port"): Reach {
  return ports === "every-port"
    ? Reach.over({ ...space, protocols: POLICY_PROTOCOLS })
    : unionOf(
        ports.map(({ protocol, port, endPort = port }) =>
          Reach.over({ ...space, protocols: [protocol], ports: [{ from: port, to: endPort }] }),
        ),
      );
}

import type { Grant, PortGrant } from "../ports.ts";
import { POLICY_PROTOCOLS, type PolicyProtocol, type PortRange } from "../protocol.ts";
import type { NamedPortGrant, PodGrant } from "../terms.ts";
import { formatPodSet, intersectPodSets, isNarrowerPodSet, type PodSet, subtractPodSets } from "./podSets.ts";

/** Pods and ports on them, as a row to show. */
export interface PodRow {
  /** The pods, as {@link formatPodSet} writes them. */
  readonly text: string;
  readonly pods: PodSet;
  readonly protocols: readonly PolicyProtocol[];
  /** Numbers, or the name of a container port. */
  readonly ports: PortRange | string;
  /** Where it is allowed; empty where no policy isolates the sender. */
  readonly grants: readonly Grant[];
}

/** Port numbers that a container port can have, so that what allows them all allows every name too. */
const CONTAINER_PORTS: PortRange = { from: 1, to: 65535 };

/**
 * What some grants allow and others do not, exactly: as grants that keep where they are written. A named port is any
 * number, so only the same name or every number covers it.
 */
export function subtractPodGrants(grants: readonly PodGrant[], removed: readonly PodGrant[]): PodGrant[] {
  return grants.flatMap((grant) => [
    ...grant.permissions.flatMap((permission) => numbersLeft(grant, permission, removed)),
    ...grant.namedPorts.flatMap((port) => namesLeft(grant, port, removed)),
  ]);
}

/** What two lists of grants both allow; a named port only where both allow the name, or one of them every number. */
export function intersectPodGrants(a: readonly PodGrant[], b: readonly PodGrant[]): PodGrant[] {
  return a.flatMap((left) =>
    b.flatMap((right) => {
      const permissions = left.permissions.flatMap((own) => right.permissions.flatMap((other) => common(own, other)));
      const namedPorts = [
        ...left.namedPorts.filter((port) => allowsName(right, port)),
        ...right.namedPorts.filter((port) => allowsEveryNumber(left, port.protocol)),
      ];
      return permissions.length + namedPorts.length === 0
        ? []
        : intersectPodSets(left.pods, right.pods).map((pods) => ({ place: left.place, pods, permissions, namedPorts }));
    }),
  );
}

/** Grants as few rows: the same pods on neighbouring ports in one, the same ports of several protocols in one. */
export function podRows(grants: readonly PodGrant[]): PodRow[] {
  const rows = new Map<string, PodRow>();
  const add = (row: PodRow) => {
    const key = `${row.text} ${typeof row.ports === "string" ? row.ports : `${row.ports.from}-${row.ports.to}`}`;
    const known = rows.get(key);
    const protocols = [...(known?.protocols ?? []), ...row.protocols];
    rows.set(key, {
      ...row,
      protocols: POLICY_PROTOCOLS.filter((protocol) => protocols.includes(protocol)),
      grants: distinctGrants([...(known?.grants ?? []), ...row.grants]),
    });
  };
  const bySet = Map.groupBy(grants, ({ pods }) => formatPodSet(pods));
  for (const [text, same] of [...bySet].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { pods } = same[0] as PodGrant;
    const permissions = same.flatMap((grant) => grant.permissions);
    for (const protocol of POLICY_PROTOCOLS) {
      const own = permissions.filter((permission) => isFor(permission, protocol));
      for (const ports of joined(own.map(({ range }) => range))) {
        const grants = own.filter(({ range }) => holds(ports, range)).flatMap(({ grants }) => grants);
        add({ text, pods, protocols: [protocol], ports, grants });
      }
    }
    for (const { protocol, name, grant } of same.flatMap(({ namedPorts }) => namedPorts)) {
      add({ text, pods, protocols: [protocol], ports: name, grants: [grant] });
    }
  }
  const all = [...rows.values()];
  return all.filter((row) => !all.some((other) => other !== row && covers(other, row)));
}

function numbersLeft(grant: PodGrant, permission: PortGrant, removed: readonly PodGrant[]): PodGrant[] {
  const protocols = permission.protocol === "any" ? POLICY_PROTOCOLS : [permission.protocol];
  return protocols.flatMap((protocol) =>
    stretches(permission.range, protocol, removed).flatMap(({ range, holes }) =>
      subtractPodSets(grant.pods, holes).map((pods) => ({
        place: grant.place,
        pods,
        permissions: [{ protocol, range, grants: permission.grants }],
        namedPorts: [],
      })),
    ),
  );
}

function namesLeft(grant: PodGrant, port: NamedPortGrant, removed: readonly PodGrant[]): PodGrant[] {
  const named = removed
    .filter(({ namedPorts }) =>
      namedPorts.some(({ protocol, name }) => protocol === port.protocol && name === port.name),
    )
    .map(({ pods }) => pods);
  const left: PodSet[] = [];
  for (const pods of subtractPodSets(grant.pods, named)) {
    for (const { holes } of stretches(CONTAINER_PORTS, port.protocol, removed)) {
      for (const part of subtractPodSets(pods, holes)) {
        left.push(...subtractPodSets(part, left));
      }
    }
  }
  return left.map((pods) => ({ place: grant.place, pods, permissions: [], namedPorts: [port] }));
}

/** A range of ports cut where the pods that grants reach change; neighbours with the same pods are one. */
function stretches(
  within: PortRange,
  protocol: PolicyProtocol,
  grants: readonly PodGrant[],
): { range: PortRange; holes: readonly PodSet[] }[] {
  const known = grants.flatMap(({ pods, permissions }) =>
    permissions.flatMap((permission) =>
      isFor(permission, protocol) && permission.range.from <= within.to && within.from <= permission.range.to
        ? [{ pods, range: permission.range }]
        : [],
    ),
  );
  const ends = known.flatMap(({ range }) => [range.from, range.to + 1]);
  const starts = [...new Set([within.from, ...ends.filter((end) => within.from < end && end <= within.to)])];
  starts.sort((a, b) => a - b);
  return starts.map((from, index) => ({
    range: { from, to: (starts[index + 1] ?? within.to + 1) - 1 },
    holes: known.filter(({ range }) => range.from <= from && from <= range.to).map(({ pods }) => pods),
  }));
}

function allowsName(grant: PodGrant, { protocol, name }: NamedPortGrant): boolean {
  return (
    grant.namedPorts.some((port) => port.protocol === protocol && port.name === name) ||
    allowsEveryNumber(grant, protocol)
  );
}

function allowsEveryNumber({ permissions }: PodGrant, protocol: PolicyProtocol): boolean {
  return permissions.some((permission) => isFor(permission, protocol) && holds(permission.range, CONTAINER_PORTS));
}

function common(a: PortGrant, b: PortGrant): PortGrant[] {
  const from = Math.max(a.range.from, b.range.from);
  const to = Math.min(a.range.to, b.range.to);
  const protocol = a.protocol === "any" ? b.protocol : a.protocol;
  return from <= to && (b.protocol === "any" || b.protocol === protocol)
    ? [{ protocol, range: { from, to }, grants: a.grants }]
    : [];
}

function isFor({ protocol }: PortGrant, asked: PolicyProtocol): boolean {
  return protocol === "any" || protocol === asked;
}

function holds(outer: PortRange, inner: PortRange): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}

/** Ranges that overlap or touch as one, ascending. */
function joined(ranges: readonly PortRange[]): PortRange[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last !== undefined && from <= last.to + 1) {
      last.to = Math.max(last.to, to);
    } else {
      found.push({ from, to });
    }
  }
  return found;
}

function distinctGrants(grants: readonly Grant[]): Grant[] {
  return [...new Map(grants.map((grant) => [Object.values(grant).join(), grant])).values()];
}

/** Whether a row says all that another says; of two that say the same, the first by text. */
function covers(wide: PodRow, narrow: PodRow): boolean {
  return (
    narrow.protocols.every((protocol) => wide.protocols.includes(protocol)) &&
    (typeof wide.ports === "string" || typeof narrow.ports === "string"
      ? wide.ports === narrow.ports
      : holds(wide.ports, narrow.ports)) &&
    isNarrowerPodSet(narrow.pods, wide.pods) &&
    (wide.text <= narrow.text || !isNarrowerPodSet(wide.pods, narrow.pods))
  );
}

import type { AddressFamily } from "../address.ts";
import { type AddressMaps, byFamily, uniformMap, zip } from "../addressMap.ts";
import { changedBoxes } from "../boxes.ts";
import type { AddressRange } from "../cidr.ts";
import type { EgressAnalysis } from "../normalForm.ts";
import { anyGrantAllows, combineTables, type PortGrant, type PortTable, portTable, uniformTable } from "../ports.ts";
import {
  EVERY_PORT,
  POLICY_PROTOCOLS,
  type PolicyProtocol,
  type PortRange,
  PROTOCOLS,
  type Protocol,
} from "../protocol.ts";
import { rangeSet, subtract, wholeFamilies } from "../rangeSet.ts";
import { boxSize } from "../regions.ts";
import type { PodGrant } from "../terms.ts";
import { openness, type Verdict } from "../verdict.ts";
import { intersectPodGrants, type PodRow, podRows, subtractPodGrants } from "./podReach.ts";
import type { PodSet } from "./podSets.ts";

/** A box of destinations: every address of a range, on every one of some ports of some protocols. */
export interface ReachBox {
  readonly range: AddressRange;
  readonly protocols: readonly Protocol[];
  readonly ports: PortRange;
  /** `allow` or `order-dependent`. */
  readonly verdict: Verdict;
}

/** Destinations to look at, whoever may reach them. */
export interface Space {
  readonly addresses?: readonly AddressRange[];
  readonly pods?: readonly PodSet[];
  /** Default: all, those without ports included. */
  readonly protocols?: readonly PolicyProtocol[];
  /** Default: all. */
  readonly ports?: readonly PortRange[];
}

const DENIED = uniformTable("deny", PROTOCOLS);

const NOTHING = byFamily((family) => uniformMap(family, DENIED));

/**
 * What a pod can send to: addresses and pods by label, with protocol and port. It is a set and has the operators of one.
 * A verdict says how much of a member a destination is, with `order-dependent` between `deny` and `allow`: a union takes
 * the more open verdict, an intersection the less open one, and `a.minus(b)` has what is more open in `a` than in `b`.
 * Of two reaches, protocols that only one of them judges are left out.
 *
 * Tables and grants keep where the left operand has them written; `explain` gives the whole reason of a point.
 */
export class Reach {
  /** Tables of ports for all addresses. */
  readonly maps: AddressMaps<PortTable>;
  /** Pods by label; the products may overlap. */
  readonly grants: readonly PodGrant[];

  private constructor(maps: AddressMaps<PortTable>, grants: readonly PodGrant[]) {
    this.maps = maps;
    this.grants = grants;
  }

  /** What the pod of an analysis can send to. */
  static of({ partitions, podGrants }: Pick<EgressAnalysis, "partitions" | "podGrants">): Reach {
    return new Reach(
      byFamily((family) => ({ ...partitions[family], cells: partitions[family].cells.map(({ table }) => table) })),
      podGrants,
    );
  }

  /** Every destination of a space. */
  static over({ addresses = [], pods = [], protocols, ports = [EVERY_PORT] }: Space): Reach {
    const permissions: PortGrant[] = ports.flatMap((range) =>
      (protocols ?? (["any"] as const)).map((protocol) => ({ protocol, range, grants: [] })),
    );
    const open = portTable(permissions, PROTOCOLS, anyGrantAllows);
    const ranges = rangeSet(addresses);
    const cuts = [
      ...ranges.map(({ family, first }) => ({ family, first, table: open })),
      ...subtract(wholeFamilies(), ranges).map(({ family, first }) => ({ family, first, table: DENIED })),
    ].sort((a, b) => (a.first < b.first ? -1 : 1));
    return new Reach(
      byFamily((family) => {
        const own = cuts.filter((cut) => cut.family === family);
        return { family, starts: own.map(({ first }) => first), cells: own.map(({ table }) => table) };
      }),
      pods.map((set) => ({ place: undefined, pods: set, permissions, namedPorts: [] })),
    );
  }

  union(other: Reach): Reach {
    const maps = this.combine(other, (a, b) =>
      combineTables(a, b, (left, right) => ({
        verdict: openness(left.verdict) >= openness(right.verdict) ? left.verdict : right.verdict,
        grants: [...left.grants, ...right.grants],
      })),
    );
    return new Reach(maps, [...this.grants, ...other.grants]);
  }

  intersection(other: Reach): Reach {
    const maps = this.combine(other, (a, b) =>
      combineTables(a, b, (left, right) =>
        openness(left.verdict) <= openness(right.verdict) ? left : { verdict: right.verdict, grants: left.grants },
      ),
    );
    return new Reach(maps, intersectPodGrants(this.grants, other.grants));
  }

  /** What is more open here than in another reach. */
  minus(other: Reach): Reach {
    const maps = this.combine(other, (a, b) =>
      a === b || a.signature === b.signature
        ? DENIED
        : combineTables(a, b, (left, right) =>
            openness(left.verdict) > openness(right.verdict) ? left : { verdict: "deny", grants: [] },
          ),
    );
    return new Reach(maps, subtractPodGrants(this.grants, other.grants));
  }

  /** The part in a space. */
  within(space: Space): Reach {
    return this.intersection(Reach.over(space));
  }

  /** The part on protocols that a policy can name; the others come and go with rules for every port. */
  get withPorts(): Reach {
    const named = (table: PortTable) => combineTables(table, uniformTable("deny", POLICY_PROTOCOLS), (left) => left);
    return new Reach(this.combine(this, named), this.grants);
  }

  get isEmpty(): boolean {
    return this.boxes.length === 0 && this.pods.length === 0;
  }

  /** Whether both reach exactly the same. */
  equals(other: Reach): boolean {
    return this.minus(other).isEmpty && other.minus(this).isEmpty;
  }

  /** The addresses as few boxes, by family, address and port. */
  get boxes(): readonly ReachBox[] {
    return changedBoxes(NOTHING, this.maps).map(({ range, protocols, ports, after }) => ({
      range,
      protocols,
      ports,
      verdict: after,
    }));
  }

  /** The pods by label as few rows, by text. */
  get pods(): readonly PodRow[] {
    return podRows(this.grants);
  }

  /** How many (address, port) pairs of one protocol of one family, port 0 included. */
  size(family: AddressFamily, protocol: Protocol): bigint {
    return this.boxes
      .filter(({ range, protocols }) => range.family === family && protocols.includes(protocol))
      .reduce((sum, { range, ports }) => sum + boxSize(range, ports), 0n);
  }

  private combine(other: Reach, tables: (a: PortTable, b: PortTable) => PortTable): AddressMaps<PortTable> {
    return byFamily((family) => zip(this.maps[family], other.maps[family], tables));
  }
}

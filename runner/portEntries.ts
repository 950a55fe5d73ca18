import { type Cidr, contains, formatCidr } from "../analysis/cidr.ts";
import type { Problem } from "../analysis/problems.ts";
import { MOST_PORTS, type PortRange } from "./contract.ts";

/** A block that a rule allows on some ports. */
export interface PortedCidr {
  /** The rule, as its reader knows it. */
  readonly where: string;
  readonly cidr: Cidr;
  readonly ports: readonly PortRange[];
}

/**
 * Blocks for which the agent would need more than {@link MOST_PORTS} port entries. A block counts its own entries and
 * those of every block around it: the agent keeps one entry for each block and copies into it what wider rules allow.
 * What it drops beyond the limit is random (containers roadmap #2481).
 */
export function checkPortEntries(allowed: readonly PortedCidr[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { where, cidr } of allowed) {
    const entries = new Set(
      allowed
        .filter((outer) => contains(outer.cidr, cidr))
        .flatMap(({ ports }) => ports.map(({ protocol, port, endPort }) => `${protocol} ${port}-${endPort ?? port}`)),
    );
    if (entries.size > MOST_PORTS) {
      problems.set(formatCidr(cidr), {
        where,
        value: formatCidr(cidr),
        reason:
          `it needs ${entries.size} port entries, those of the blocks around it included; the VPC CNI's agent keeps ` +
          `${MOST_PORTS} for each block and drops the others at random. Use port ranges`,
      });
    }
  }
  return [...problems.values()];
}

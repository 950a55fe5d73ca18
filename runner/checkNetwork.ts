import { type Cidr, contains, formatCidr, overlaps } from "../analysis/cidr.ts";
import type { Problem } from "../analysis/problems.ts";
import { AWS_ENDPOINTS } from "../analysis/specialPurpose.ts";
import { PORT_SLOTS } from "../analysis/vpcCniSlots.ts";
import type { Ports } from "./contract.ts";

/** A block that a rule allows on some ports. */
export interface PortedCidr {
  /** The rule, as its reader knows it: `database`, `cidrs.NAME`. */
  readonly where: string;
  readonly cidr: Cidr;
  readonly ports: readonly Ports[];
  /** Who owns a private block outside the VPC. */
  readonly owner?: string | undefined;
}

/** A contract's blocks in a network. */
export interface NetworkBlocks {
  /** What rules other than the one for the internet allow. */
  readonly allowed: readonly PortedCidr[];
  /** What the rule for the internet excepts. */
  readonly excepted: readonly Cidr[];
  /** Blocks of the internet that the contract names: to allow, and to leave out. */
  readonly open: readonly Cidr[];
  readonly further: readonly Cidr[];
  /** What is private in the cluster's family. */
  readonly isPrivate: readonly Cidr[];
  readonly vpcCidrs: readonly Cidr[];
  readonly serviceCidrs: readonly Cidr[];
}

/** What is wrong with blocks that are sound by themselves. */
export function checkNetwork(blocks: NetworkBlocks): Problem[] {
  const holes = checkHoles(blocks);
  return [
    // A block with holes has to be cut into smaller ones anyway.
    ...checkOwners(blocks).filter(({ value }) => !holes.some((hole) => hole.value === value)),
    ...blocks.open.flatMap((cidr) => {
      const advice = "which is private in this network; make it a destination of cidrs, with its ports";
      return checkPublic("internet.blocks", cidr, blocks, advice);
    }),
    ...blocks.further.flatMap((cidr) =>
      checkPublic("internet.except", cidr, blocks, "which is left out anyway; remove it"),
    ),
    ...holes,
    ...checkPortEntries(blocks),
  ];
}

/**
 * Private blocks of which nobody says whose they are. The VPC's own, the cluster's Services and AWS's own addresses explain
 * themselves; anything else could be a peered network, a data center, or a typing error.
 */
function checkOwners({ allowed, isPrivate, vpcCidrs, serviceCidrs }: NetworkBlocks): Problem[] {
  const known = [...vpcCidrs, ...serviceCidrs, ...AWS_ENDPOINTS.map(({ cidr }) => cidr)];
  return allowed
    .filter(
      ({ where, owner, cidr }) =>
        where !== "database" &&
        owner === undefined &&
        isPrivate.some((block) => overlaps(block, cidr)) &&
        !known.some((block) => contains(block, cidr)),
    )
    .map(({ where, cidr }) => ({
      where: `${where}.cidrs`,
      value: formatCidr(cidr),
      reason:
        `is private and lies in no block of the VPC (${vpcCidrs.map(formatCidr).join(", ")}), so nobody can tell whose ` +
        'it is. Correct it, or say whose it is with owner: "<network and team>"',
    }));
}

/** A block of the internet that the network makes private. What is private inside a block is excepted from it. */
function checkPublic(where: string, cidr: Cidr, { isPrivate }: NetworkBlocks, advice: string): Problem[] {
  const outer = isPrivate.find((block) => contains(block, cidr));
  return outer === undefined
    ? []
    : [{ where, value: formatCidr(cidr), reason: `lies in ${formatCidr(outer)}, ${advice}` }];
}

/**
 * The agent denies an `except` everywhere, so one inside a block that another rule allows would punch a hole into that
 * rule. An `except` equal to an allowed block does not: the allow decides.
 */
function checkHoles({ allowed, excepted, further }: NetworkBlocks): Problem[] {
  return allowed.flatMap(({ where, cidr }): Problem[] => {
    const holes = excepted.filter((except) => contains(cidr, except) && !contains(except, cidr)).map(formatCidr);
    const own = further.map(formatCidr).filter((except) => holes.includes(except));
    if (own.length > 0) {
      return own.map((value) => ({
        where: "internet.except",
        value,
        reason:
          `lies in ${formatCidr(cidr)}, which ${where} allows; the VPC CNI's agent denies an except in every rule, so that ` +
          "part would be denied there too. Remove it, or name smaller blocks there",
      }));
    }
    const reason =
      `it contains ${holes.join(", ")}, which the rule for the public internet excepts; the VPC CNI's agent would deny ` +
      "that part here too. Name smaller blocks";
    return holes.length === 0 ? [] : [{ where, value: formatCidr(cidr), reason }];
  });
}

/**
 * Blocks for which the agent would need more than {@link PORT_SLOTS} port entries. A block counts its own entries and
 * those of every block around it: the agent keeps one entry for each block and copies into it what wider rules allow.
 * What it drops beyond the limit is random (containers roadmap #2481).
 */
function checkPortEntries({ allowed }: NetworkBlocks): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { where, cidr } of allowed) {
    const around = allowed.filter((outer) => contains(outer.cidr, cidr)).flatMap(({ ports }) => ports);
    const { size } = new Set(around.map(({ protocol, port, endPort = port }) => `${protocol} ${port}-${endPort}`));
    if (size > PORT_SLOTS) {
      const value = formatCidr(cidr);
      const reason =
        `it needs ${size} port entries, those of the blocks around it included; the VPC CNI's agent keeps ${PORT_SLOTS} for ` +
        "each block and drops the others at random. Use port ranges";
      problems.set(value, { where, value, reason });
    }
  }
  return [...problems.values()];
}

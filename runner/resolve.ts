import type { AddressFamily } from "../analysis/address.ts";
import { type Cidr, contains, formatCidr, leastSet, overlaps, parseCidr } from "../analysis/cidr.ts";
import type { Problem } from "../analysis/problems.ts";
import { AWS_ENDPOINTS } from "../analysis/specialPurpose.ts";
import { checkContract } from "./checkContract.ts";
import type { CidrDestination, RunnerContract } from "./contract.ts";
import { type ExceptLists, exceptLists } from "./exceptList.ts";
import type { NetworkFacts } from "./networkFacts.ts";
import { checkPortEntries, type PortedCidr } from "./portEntries.ts";

/** A contract in a network: every block parsed, and what there is to except. */
export interface ResolvedContract {
  /** Of the cluster's family, and of IPv4 in an IPv6 cluster; without those inside another. */
  readonly database: readonly Cidr[];
  readonly cidrs: readonly (Omit<CidrDestination, "cidrs"> & { readonly cidrs: readonly Cidr[] })[];
  /** The public blocks that are allowed, each with what it excepts. */
  readonly internet: readonly { readonly cidr: Cidr; readonly except: readonly Cidr[] }[];
  /** What rules other than the one for the internet allow. */
  readonly ported: readonly PortedCidr[];
  readonly excepts: ExceptLists;
  /** Everything that is wrong with the contract, by itself and in this network. */
  readonly problems: readonly Problem[];
}

/** Holds a contract against a network. With problems the other members are worth nothing. */
export function resolveContract(contract: RunnerContract, facts: NetworkFacts): ResolvedContract {
  const problems: Problem[] = checkContract(contract);
  const isContractSound = problems.length === 0;
  const parse = (where: string, texts: readonly string[]) => parseAll(where, texts, problems);
  const { ipFamily } = facts.cluster;
  const vpcCidrs = [...parse("vpc.ipv4Cidrs", facts.vpc.ipv4Cidrs), ...parse("vpc.ipv6Cidrs", facts.vpc.ipv6Cidrs)];
  const database = contract.database === undefined ? [] : databaseBlocks(facts, problems);
  const ofContract = (where: string, texts: readonly string[]) =>
    // What is no block is among the problems of the contract.
    ofFamily(ipFamily, where, parseAll("", texts, []), problems);
  const cidrs = contract.cidrs.map((destination) => ({
    ...destination,
    cidrs: ofContract(`cidrs.${destination.name}`, destination.cidrs),
  }));
  const { blocks, except = [] } = contract.internet ?? {};
  const further = ofContract("internet.except", except);
  const ported: PortedCidr[] = [
    ...database.map((cidr) => ({ where: "database", cidr, ports: contract.database?.ports ?? [] })),
    ...cidrs.flatMap(({ name, cidrs, ports }) => cidrs.map((cidr) => ({ where: `cidrs.${name}`, cidr, ports }))),
  ];
  const allowedCidrs = ported.map(({ cidr }) => cidr);
  const isPrivate = exceptLists({ ipFamily, vpcCidrs, allowedCidrs });
  const excepts = exceptLists({ ipFamily, vpcCidrs, allowedCidrs, further });
  const open = blocks && ofContract("internet.blocks", blocks);
  const internet = contract.internet === undefined ? [] : internetBlocks(open, excepts, ipFamily);
  if (isContractSound) {
    const holes = checkHoles(
      ported,
      internet.flatMap((block) => block.except),
      further,
    );
    problems.push(
      // A block with holes has to be cut into smaller ones anyway.
      ...checkOwners(cidrs, isPrivate[ipFamily], vpcCidrs, facts.cluster.serviceCidr).filter(
        ({ value }) => !holes.some((hole) => hole.value === value),
      ),
      ...[...(open ?? []), ...further].flatMap((cidr) => checkPublic(cidr, open?.includes(cidr), isPrivate[ipFamily])),
      ...holes,
      ...checkPortEntries(ported),
    );
  }
  return { database, cidrs, internet, ported, excepts, problems };
}

function databaseBlocks({ databaseSubnets, cluster: { ipFamily } }: NetworkFacts, problems: Problem[]): Cidr[] {
  const database = leastSet(
    databaseSubnets
      .flatMap(({ id, cidrs }) => parseAll(`databaseSubnets.${id}`, cidrs, problems))
      // Pods of an IPv4 cluster have no IPv6 address to send from.
      .filter((cidr) => ipFamily === "ipv6" || cidr.family === "ipv4"),
  );
  if (database.length === 0) {
    problems.push({
      where: "databaseSubnets",
      value: databaseSubnets.map(({ id }) => id),
      reason: `no block of the cluster's family ${ipFamily} to allow`,
    });
  }
  return database;
}

/** Both families of the whole internet, or the blocks of the cluster's own. */
function internetBlocks(
  open: readonly Cidr[] | undefined,
  excepts: ExceptLists,
  ipFamily: AddressFamily,
): ResolvedContract["internet"] {
  return open === undefined
    ? [
        { cidr: parseCidr("0.0.0.0/0"), except: excepts.ipv4 },
        { cidr: parseCidr("::/0"), except: excepts.ipv6 },
      ]
    : leastSet(open).map((cidr) => ({ cidr, except: excepts[ipFamily].filter((except) => contains(cidr, except)) }));
}

function parseAll(where: string, texts: readonly string[], problems: Problem[]): Cidr[] {
  return texts.flatMap((text) => {
    try {
      return [parseCidr(text)];
    } catch (error) {
      problems.push({ where, value: text, reason: (error as RangeError).message });
      return [];
    }
  });
}

function ofFamily(family: AddressFamily, where: string, cidrs: Cidr[], problems: Problem[]): Cidr[] {
  for (const cidr of cidrs.filter((cidr) => cidr.family !== family)) {
    problems.push({
      where,
      value: formatCidr(cidr),
      reason: `the cluster's pods have ${family} addresses, so nothing enforces or reaches this block; leave it out`,
    });
  }
  return cidrs.filter((cidr) => cidr.family === family);
}

/**
 * Private blocks of which nobody says whose they are. The VPC's own, the cluster's Services and AWS's own addresses explain
 * themselves; anything else could be a peered network, a data center, or a typing error.
 */
function checkOwners(
  destinations: ResolvedContract["cidrs"],
  isPrivate: readonly Cidr[],
  vpcCidrs: readonly Cidr[],
  serviceCidr: string | undefined,
): Problem[] {
  const known = [
    ...vpcCidrs,
    ...parseAll("", serviceCidr === undefined ? [] : [serviceCidr], []),
    ...AWS_ENDPOINTS.map(({ cidr }) => cidr),
  ];
  return destinations
    .filter(({ owner }) => owner === undefined)
    .flatMap(({ name, cidrs }) =>
      cidrs
        .filter((cidr) => isPrivate.some((block) => overlaps(block, cidr)))
        .filter((cidr) => !known.some((block) => contains(block, cidr)))
        .map((cidr) => ({
          where: `cidrs.${name}.cidrs`,
          value: formatCidr(cidr),
          reason:
            `is private and lies in no block of the VPC (${vpcCidrs.map(formatCidr).join(", ")}), so nobody can tell whose ` +
            'it is. Correct it, or say whose it is with owner: "<network and team>"',
        })),
    );
}

/** A block of the internet that the network makes private. What is private inside a block is excepted from it. */
function checkPublic(cidr: Cidr, isBlock: boolean | undefined, isPrivate: readonly Cidr[]): Problem[] {
  const outer = isPrivate.find((block) => contains(block, cidr));
  return outer === undefined
    ? []
    : [
        {
          where: isBlock ? "internet.blocks" : "internet.except",
          value: formatCidr(cidr),
          reason: isBlock
            ? `lies in ${formatCidr(outer)}, which is private in this network; make it a destination of cidrs, with its ports`
            : `lies in ${formatCidr(outer)}, which is left out anyway; remove it`,
        },
      ];
}

/**
 * The agent denies an `except` everywhere, so one inside a block that another rule allows would punch a hole into that
 * rule. An `except` equal to an allowed block does not: the allow decides.
 */
function checkHoles(allowed: readonly PortedCidr[], excepts: readonly Cidr[], further: readonly Cidr[]): Problem[] {
  return allowed.flatMap(({ where, cidr }) => {
    const holes = excepts.filter((except) => contains(cidr, except) && !contains(except, cidr));
    const own = further.filter((except) => holes.some((hole) => formatCidr(hole) === formatCidr(except)));
    if (own.length > 0) {
      return own.map((except) => ({
        where: "internet.except",
        value: formatCidr(except),
        reason:
          `lies in ${formatCidr(cidr)}, which ${where} allows; the VPC CNI's agent denies an except in every rule, so that ` +
          "part would be denied there too. Remove it, or name smaller blocks there",
      }));
    }
    return holes.length === 0
      ? []
      : [
          {
            where,
            value: formatCidr(cidr),
            reason:
              `it contains ${holes.map(formatCidr).join(", ")}, which the rule for the public internet excepts; the ` +
              "VPC CNI's agent would deny that part here too. Name smaller blocks",
          },
        ];
  });
}

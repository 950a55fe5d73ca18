import type { AddressFamily } from "../analysis/address.ts";
import { type Cidr, contains, formatCidr, leastSet, parseCidr } from "../analysis/cidr.ts";
import type { Problem } from "../analysis/problems.ts";
import { checkContract } from "./checkContract.ts";
import { checkNetwork, type PortedCidr } from "./checkNetwork.ts";
import type { CidrDestination, RunnerContract } from "./contract.ts";
import { type ExceptLists, exceptLists } from "./exceptList.ts";
import type { NetworkFacts } from "./networkFacts.ts";

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
  /** Whether every block could be read, so that a policy can be judged in spite of problems. */
  readonly isComplete: boolean;
}

/** Holds a contract against a network. Unless it is complete, the other members are worth nothing. */
export function resolveContract(contract: RunnerContract, facts: NetworkFacts): ResolvedContract {
  const problems: Problem[] = checkContract(contract);
  const isContractSound = problems.length === 0;
  const parse = (where: string, texts: readonly string[]) => parseAll(where, texts, problems);
  const { ipFamily, serviceCidr } = facts.cluster;
  const vpcCidrs = [...parse("vpc.ipv4Cidrs", facts.vpc.ipv4Cidrs), ...parse("vpc.ipv6Cidrs", facts.vpc.ipv6Cidrs)];
  const serviceCidrs = parse("cluster.serviceCidr", serviceCidr === undefined ? [] : [serviceCidr]);
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
    ...cidrs.flatMap(({ name, cidrs, ports, owner }) =>
      cidrs.map((cidr) => ({ where: `cidrs.${name}`, cidr, ports, owner })),
    ),
  ];
  const allowedCidrs = ported.map(({ cidr }) => cidr);
  const excepts = exceptLists({ ipFamily, vpcCidrs, allowedCidrs, further });
  const open = blocks && ofContract("internet.blocks", blocks);
  const internet = contract.internet === undefined ? [] : internetBlocks(open, excepts, ipFamily);
  const isComplete = problems.length === 0;
  if (isContractSound) {
    const found = checkNetwork({
      allowed: ported,
      excepted: internet.flatMap(({ except }) => except),
      open: open ?? [],
      further,
      isPrivate: exceptLists({ ipFamily, vpcCidrs, allowedCidrs })[ipFamily],
      vpcCidrs,
      serviceCidrs,
    });
    problems.push(...found);
  }
  return { database, cidrs, internet, ported, excepts, problems, isComplete };
}

function databaseBlocks({ databaseSubnets, cluster: { ipFamily } }: NetworkFacts, problems: Problem[]): Cidr[] {
  const database = leastSet(
    databaseSubnets
      .flatMap(({ id, cidrs }) => parseAll(`databaseSubnets.${id}`, cidrs, problems))
      // Pods of an IPv4 cluster have no IPv6 address to send from.
      .filter((cidr) => ipFamily === "ipv6" || cidr.family === "ipv4"),
  );
  if (database.length === 0) {
    const value = databaseSubnets.map(({ id }) => id);
    problems.push({ where: "databaseSubnets", value, reason: `no block of the cluster's family ${ipFamily} to allow` });
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
  const reason = `the cluster's pods have ${family} addresses, so nothing enforces or reaches this block; leave it out`;
  const others = cidrs.filter((cidr) => cidr.family !== family);
  problems.push(...others.map((cidr) => ({ where, value: formatCidr(cidr), reason })));
  return cidrs.filter((cidr) => cidr.family === family);
}

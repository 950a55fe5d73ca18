import { type Cidr, compareRanges, contains, formatCidr, parseCidr } from "../../analysis/cidr.ts";
import type { Problem } from "../../analysis/problems.ts";
import type { DatabaseSubnet, VpcFacts } from "../../runner/networkFacts.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import { type AwsAnswers, emptyAnswer, type SubnetAnswer } from "./awsAnswers.ts";

/**
 * States in which a block is none of the VPC's (VpcCidrBlockState, EC2 API reference, read 2026-11). In any other, also on
 * its way in or out, it may carry traffic: left out it would count as public internet.
 */
const GONE = ["disassociated", "failed"];

/** The VPC with every block that is or may be its own; notes what is wrong with the answer, and is `undefined` then. */
export function judgeVpc(config: StackConfig, answers: AwsAnswers, problems: Problem[]): VpcFacts | undefined {
  const where = "runner-egress:vpc";
  const value = config.vpc;
  const { region } = config.aws;
  const answer = answers.vpc;
  if (answer === undefined) {
    // The cluster was to name its VPC and did not; its own problem says why.
    return undefined;
  }
  const refuse = (reason: string) => {
    problems.push({ where, value, reason });
    return undefined;
  };
  if ("failure" in answer) {
    return refuse(`the lookup in ${region} failed: ${answer.failure}. ${vpcHint(answer.failure)}`);
  }
  const { id, cidrBlockAssociations, ipv6CidrBlockAssociations } = answer.found;
  if (!id || cidrBlockAssociations === undefined || ipv6CidrBlockAssociations === undefined) {
    return refuse(emptyAnswer("a VPC without an id or without its CIDR blocks"));
  }
  const present = <Association extends { readonly state?: string }>(associations: readonly Association[]) =>
    associations.filter(({ state = "" }) => !GONE.includes(state));
  const before = problems.length;
  const ipv4Cidrs = cidrTexts(
    present(cidrBlockAssociations).map(({ cidrBlock }) => cidrBlock),
    where,
    problems,
  );
  const ipv6Cidrs = cidrTexts(
    present(ipv6CidrBlockAssociations).map(({ ipv6CidrBlock }) => ipv6CidrBlock),
    where,
    problems,
  );
  if (problems.length > before) {
    return undefined;
  }
  if (ipv4Cidrs.length === 0) {
    return refuse(
      `VPC ${id} has no associated IPv4 CIDR block ` +
        `(found ${JSON.stringify(cidrBlockAssociations.map(({ cidrBlock, state }) => `${cidrBlock} ${state}`))}); ` +
        "without its blocks the policy would leave the VPC open",
    );
  }
  return { id, region, ipv4Cidrs, ipv6Cidrs };
}

function vpcHint(failure: string): string {
  if (/no matching/i.test(failure)) {
    return "Nothing was found: check the id or Name tag, aws:region and the account";
  }
  return /multiple/i.test(failure)
    ? "Several were found: give vpc.id"
    : "Check aws:region, the credentials and the right to ec2:DescribeVpcs (docs/permissions.md)";
}

/**
 * The database's subnets, by their blocks; notes what is wrong with them.
 *
 * @param vpc missing where the VPC is a problem itself
 */
export function judgeDatabaseSubnets(
  config: StackConfig,
  answers: AwsAnswers,
  vpc: VpcFacts | undefined,
  problems: Problem[],
): DatabaseSubnet[] {
  const where = "runner-egress:databaseSubnets";
  const value = config.databaseSubnets;
  const { subnetGroup, taggedSubnets } = answers;
  if (subnetGroup !== undefined) {
    if ("failure" in subnetGroup) {
      problems.push({
        where,
        value,
        reason:
          `the lookup failed: ${subnetGroup.failure}. Check the name, aws:region and the right to ` +
          "rds:DescribeDBSubnetGroups",
      });
    } else if (!subnetGroup.found.subnetIds?.length) {
      problems.push({ where, value, reason: emptyAnswer("a DB subnet group without subnets") });
    } else if (vpc !== undefined && subnetGroup.found.vpcId !== vpc.id) {
      problems.push({
        where,
        value,
        reason: `the DB subnet group belongs to ${subnetGroup.found.vpcId}, but runner-egress:vpc is ${vpc.id}`,
      });
    }
  }
  if (taggedSubnets !== undefined) {
    if ("failure" in taggedSubnets) {
      problems.push({
        where,
        value,
        reason: `the lookup failed: ${taggedSubnets.failure}. Check the credentials and the right to ec2:DescribeSubnets`,
      });
    } else if (!taggedSubnets.found.ids?.length) {
      problems.push({
        where,
        value,
        reason: `no subnet of ${vpc?.id} has these tags; without its subnets the database would be cut off`,
      });
    }
  }
  const subnets: DatabaseSubnet[] = [];
  for (const [id, answer] of answers.subnets) {
    const at = `${where} ${id}`;
    if ("failure" in answer) {
      problems.push({
        where: at,
        reason: `the lookup failed: ${answer.failure}. Check the id, aws:region and the right to ec2:DescribeSubnets`,
      });
    } else {
      const cidrs = judgeSubnet(at, answer.found, vpc, problems);
      subnets.push({ id, cidrs });
    }
  }
  // AWS answers in any order; by block is how a reader looks for them.
  const firstBlock = ({ cidrs }: DatabaseSubnet) => parseCidr(cidrs[0] ?? "0.0.0.0/0");
  return subnets.sort((a, b) => compareRanges(firstBlock(a), firstBlock(b)));
}

function judgeSubnet(
  where: string,
  { vpcId, cidrBlock, ipv6CidrBlock }: SubnetAnswer,
  vpc: VpcFacts | undefined,
  problems: Problem[],
): string[] {
  const before = problems.length;
  const cidrs = cidrTexts(
    [cidrBlock, ipv6CidrBlock].filter((text) => text),
    where,
    problems,
  );
  if (cidrs.length === 0 && problems.length === before) {
    problems.push({ where, reason: emptyAnswer("a subnet without CIDR block") });
  }
  if (vpc === undefined) {
    return cidrs;
  }
  if (vpcId !== vpc.id) {
    problems.push({ where, value: vpcId, reason: `the subnet is not in ${vpc.id}, the VPC of runner-egress:vpc` });
    return cidrs;
  }
  const blocks = [...vpc.ipv4Cidrs, ...vpc.ipv6Cidrs].map(parseCidr);
  for (const cidr of cidrs.map(parseCidr).filter((cidr) => !blocks.some((block) => contains(block, cidr)))) {
    problems.push({
      where,
      value: formatCidr(cidr),
      reason: `the subnet lies in none of the VPC's blocks (${blocks.map(formatCidr).join(", ")})`,
    });
  }
  return cidrs;
}

/** Canonical blocks, each once, in address order. */
function cidrTexts(texts: readonly (string | undefined)[], where: string, problems: Problem[]): string[] {
  const cidrs = new Map<string, Cidr>();
  for (const text of texts) {
    try {
      const cidr = parseCidr(text ?? "");
      cidrs.set(formatCidr(cidr), cidr);
    } catch (error) {
      problems.push({ where, value: text, reason: `AWS answered no CIDR block: ${(error as RangeError).message}` });
    }
  }
  return [...cidrs.values()].sort(compareRanges).map(formatCidr);
}

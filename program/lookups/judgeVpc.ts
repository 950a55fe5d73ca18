import { type Cidr, compareRanges, contains, formatCidr, parseCidr } from "../../analysis/cidr.ts";
import { Input } from "../../analysis/input.ts";
import type { Problem } from "../../analysis/problems.ts";
import type { DatabaseSubnet, VpcFacts } from "../../runner/networkFacts.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import { type AwsAnswers, emptyAnswer, foundOr, type SubnetAnswer } from "./awsAnswers.ts";

/**
 * States in which a block is none of the VPC's (VpcCidrBlockState, EC2 API reference, read 2026-11). In any other, also on
 * its way in or out, it may carry traffic: left out it would count as public internet.
 */
const GONE = ["disassociated", "failed"];

/** The VPC with every block that is or may be its own; notes what is wrong with the answer, and is `undefined` then. */
export function judgeVpc(config: StackConfig, { vpc: answer }: AwsAnswers, problems: Problem[]): VpcFacts | undefined {
  const place = new Input(config.vpc, "runner-egress:vpc", problems);
  const { region } = config.aws;
  if (answer === undefined) {
    // The cluster was to name its VPC and did not; its own problem says why.
    return undefined;
  }
  if ("failure" in answer) {
    return place.wrong(`the lookup in ${region} failed: ${answer.failure}. ${vpcHint(answer.failure)}`);
  }
  const { id, cidrBlockAssociations, ipv6CidrBlockAssociations } = answer.found;
  if (!id || cidrBlockAssociations === undefined || ipv6CidrBlockAssociations === undefined) {
    return place.wrong(emptyAnswer("a VPC without an id or without its CIDR blocks"));
  }
  const present = <Association extends { readonly state?: string }>(associations: readonly Association[]) =>
    associations.filter(({ state = "" }) => !GONE.includes(state));
  const before = problems.length;
  const ipv4Cidrs = cidrTexts(
    place,
    present(cidrBlockAssociations).map(({ cidrBlock }) => cidrBlock),
  );
  const ipv6Cidrs = cidrTexts(
    place,
    present(ipv6CidrBlockAssociations).map(({ ipv6CidrBlock }) => ipv6CidrBlock),
  );
  if (problems.length > before) {
    return undefined;
  }
  if (ipv4Cidrs.length === 0) {
    const found = cidrBlockAssociations.map(({ cidrBlock, state }) => `${cidrBlock} ${state}`);
    return place.wrong(
      `VPC ${id} has no associated IPv4 CIDR block (found ${JSON.stringify(found)}); ` +
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
  { subnetGroup, taggedSubnets, subnets: answers }: AwsAnswers,
  vpc: VpcFacts | undefined,
  problems: Problem[],
): DatabaseSubnet[] {
  const place = new Input(config.databaseSubnets, "runner-egress:databaseSubnets", problems);
  const group =
    subnetGroup &&
    foundOr(subnetGroup, place, "Check the name, aws:region and the right to rds:DescribeDBSubnetGroups");
  if (group !== undefined && !group.subnetIds?.length) {
    place.wrong(emptyAnswer("a DB subnet group without subnets"));
  } else if (group !== undefined && vpc !== undefined && group.vpcId !== vpc.id) {
    place.wrong(`the DB subnet group belongs to ${group.vpcId}, but runner-egress:vpc is ${vpc.id}`);
  }
  const tagged =
    taggedSubnets && foundOr(taggedSubnets, place, "Check the credentials and the right to ec2:DescribeSubnets");
  if (tagged !== undefined && !tagged.ids?.length) {
    place.wrong(`no subnet of ${vpc?.id} has these tags; without its subnets the database would be cut off`);
  }
  const subnets = [...answers].flatMap(([id, answer]): DatabaseSubnet[] => {
    const own = new Input(undefined, `${place.path} ${id}`, problems);
    const subnet = foundOr(answer, own, "Check the id, aws:region and the right to ec2:DescribeSubnets");
    return subnet === undefined ? [] : [{ id, cidrs: judgeSubnet(own, subnet, vpc) }];
  });
  // AWS answers in any order; by block is how a reader looks for them.
  const firstBlock = ({ cidrs }: DatabaseSubnet) => parseCidr(cidrs[0] ?? "0.0.0.0/0");
  return subnets.sort((a, b) => compareRanges(firstBlock(a), firstBlock(b)));
}

function judgeSubnet(
  place: Input,
  { vpcId, cidrBlock, ipv6CidrBlock }: SubnetAnswer,
  vpc: VpcFacts | undefined,
): string[] {
  const texts = [cidrBlock, ipv6CidrBlock].filter((text) => text);
  if (texts.length === 0) {
    place.refuse(emptyAnswer("a subnet without CIDR block"));
  }
  const cidrs = cidrTexts(place, texts);
  if (vpc !== undefined && vpcId !== vpc.id) {
    place.wrong(`the subnet is not in ${vpc.id}, the VPC of runner-egress:vpc`, vpcId);
  } else if (vpc !== undefined) {
    const blocks = [...vpc.ipv4Cidrs, ...vpc.ipv6Cidrs].map(parseCidr);
    for (const cidr of cidrs.map(parseCidr).filter((cidr) => !blocks.some((block) => contains(block, cidr)))) {
      const all = blocks.map(formatCidr).join(", ");
      place.wrong(`the subnet lies in none of the VPC's blocks (${all})`, formatCidr(cidr));
    }
  }
  return cidrs;
}

/** Canonical blocks, each once, in address order. */
function cidrTexts(place: Input, texts: readonly (string | undefined)[]): string[] {
  const cidrs = new Map<string, Cidr>();
  for (const text of texts) {
    try {
      const cidr = parseCidr(text ?? "");
      cidrs.set(formatCidr(cidr), cidr);
    } catch (error) {
      place.wrong(`AWS answered no CIDR block: ${(error as RangeError).message}`, text ?? "");
    }
  }
  return [...cidrs.values()].sort(compareRanges).map(formatCidr);
}

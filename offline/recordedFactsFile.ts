import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { ADDRESS_FAMILIES } from "../analysis/address.ts";
import { Fields, isObject } from "../config/fields.ts";
import { type Problem, ProblemsError } from "../rules/problem.ts";
import type { RecordedAddOn, RecordedCluster, RecordedFacts, RecordedVpc } from "./recordedFacts.ts";

/**
 * Reads the recorded facts of a stack.
 *
 * @param path `recorded/STACK.json`
 * @throws {ProblemsError} where the file isn't there, with every problem of what it says.
 */
export async function readRecordedFacts(path: string): Promise<RecordedFacts> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = isMissing ? "no facts are recorded; `npm run record -- --stack STACK` does" : String(error);
    throw new ProblemsError("The recorded facts can't be read:", [{ where: path, reason }]);
  }
  return parseRecordedFacts(path, content);
}

/** The facts in the parsed content of such a file. */
export function parseRecordedFacts(path: string, content: unknown): RecordedFacts {
  const problems: Problem[] = [];
  const allowed = [
    ...["source", "region", "vpc", "databaseSubnets", "databaseSubnetGroup", "databaseSubnetTags", "cluster", "vpcCni"],
  ];
  const fields = new Fields(path, isObject(content) ? content : {}, allowed, problems);
  const source = fields.text("source", "where the facts come from") ?? fields.missing("source", "where they come from");
  const region = fields.text("region", "an AWS region") ?? fields.missing("region", "the AWS region");
  const vpc = readVpc(fields);
  const databaseSubnets = fields
    .named("databaseSubnets", ["cidrs"])
    .map(([id, subnet]): [string, string[]] => [id, requiredTexts(subnet, "cidrs", "CIDR blocks")]);
  const databaseSubnetGroup = fields.text("databaseSubnetGroup", "the name of a DB subnet group");
  const databaseSubnetTags = fields.textMap("databaseSubnetTags", "tags");
  const cluster = readCluster(fields.object("cluster", ["name", "ipFamily", "serviceCidr"]));
  const vpcCni = readAddOn(fields.object("vpcCni", ["version", "networkPolicyEnabled", "ipv4Egress"]));
  if (problems.length > 0 || source === undefined || region === undefined || vpc === undefined) {
    throw new ProblemsError("The recorded facts are not complete:", problems);
  }
  return {
    source,
    region,
    vpc,
    databaseSubnets: new Map(databaseSubnets),
    ...(databaseSubnetGroup !== undefined && { databaseSubnetGroup }),
    ...(databaseSubnetTags !== undefined && { databaseSubnetTags }),
    ...(cluster !== undefined && { cluster }),
    ...(vpcCni !== undefined && { vpcCni }),
  };
}

import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ADDRESS_FAMILIES } from "../../analysis/address.ts";
import { type Problem, ProblemsError } from "../../analysis/problems.ts";
import { Fields, isObject } from "../config/fields.ts";
import type { ConfigValues, Project } from "../project.ts";
import {
  PLACEHOLDERS,
  type Placeholder,
  type RecordedAddOn,
  type RecordedCluster,
  type RecordedFacts,
} from "./recordedFacts.ts";

/** The command that looks up the network of a stack and writes its facts. */
export function recordCommandOf(stack: string): string {
  return `npm run record -- --stack ${stack}`;
}

/** A stack has no facts yet. */
export class NoFactsError extends ProblemsError {
  constructor(path: string) {
    const reason = `not there; \`${recordCommandOf(basename(path, ".json"))}\` looks the network up and writes it`;
    super("No facts are recorded yet:", [{ where: path, reason }]);
  }
}

/** Where the facts of a stack are recorded. */
export function recordedFactsPath({ directory }: Pick<Project, "directory">, stack: string): string {
  return join(directory, "facts", `${stack}.json`);
}

/** @throws {ProblemsError} where the stack is in another region now than when its facts were recorded. */
export function requireSameRegion({ region }: RecordedFacts, config: ConfigValues, stack: string): void {
  const configured = config["aws:region"];
  if (configured === undefined || configured === region) return;
  const reason = `the facts were recorded in ${region}; \`${recordCommandOf(stack)}\` records them anew`;
  throw new ProblemsError("The recorded facts can't be used:", [{ where: "aws:region", value: configured, reason }]);
}

/**
 * Reads the recorded facts of a stack.
 *
 * @param path `facts/STACK.json`
 * @throws {NoFactsError} if the file isn't there.
 * @throws {ProblemsError} with every problem of what it says.
 */
export async function readRecordedFacts(path: string): Promise<RecordedFacts> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new NoFactsError(path);
    }
    throw new ProblemsError("The recorded facts can't be read:", [{ where: path, reason: String(error) }]);
  }
  return parseRecordedFacts(path, content);
}

/** The facts in the parsed content of such a file. */
export function parseRecordedFacts(path: string, content: unknown): RecordedFacts {
  const problems: Problem[] = [];
  const allowed = [
    ...["source", "recordedAt", "placeholders", "region", "vpc", "databaseSubnets", "databaseSubnetGroup"],
    ...["databaseSubnetTags", "cluster", "vpcCni"],
  ];
  const fields = new Fields(path, isObject(content) ? content : {}, allowed, problems);
  require(fields, ["source", "recordedAt", "region", "vpc", "databaseSubnets"]);
  const recordedAt = fields.text("recordedAt", "the time of the lookup, such as 2026-06-01T09:30:00Z");
  if (recordedAt !== undefined && !isTime(recordedAt)) {
    fields.wrong("recordedAt", "must be a time in UTC such as 2026-06-01T09:30:00Z");
  }
  const placeholders = fields.texts("placeholders", `members: ${PLACEHOLDERS.join(", ")}`) ?? [];
  if (placeholders.some((name) => !PLACEHOLDERS.includes(name as Placeholder))) {
    fields.wrong("placeholders", `each must be one of ${PLACEHOLDERS.join(", ")}`);
  }
  const vpc = fields.object("vpc", ["id", "name", "ipv4Cidrs", "ipv6Cidrs"]);
  require(vpc, ["id", "ipv4Cidrs"]);
  const name = vpc?.text("name", "the Name tag of the VPC");
  const databaseSubnets = fields.named("databaseSubnets", ["cidrs"]).map(([id, subnet]): [string, string[]] => {
    require(subnet, ["cidrs"]);
    return [id, subnet.texts("cidrs", "CIDR blocks") ?? []];
  });
  const databaseSubnetGroup = fields.text("databaseSubnetGroup", "the name of a DB subnet group");
  const databaseSubnetTags = fields.textMap("databaseSubnetTags", "tags of the subnets");
  const cluster = readCluster(fields.object("cluster", ["name", "ipFamily", "serviceCidr"]));
  const vpcCni = readAddOn(fields.object("vpcCni", ["version", "networkPolicyEnabled", "ipv4Egress"]));
  // What is missing or wrong is among the problems; the values that stand in for it are never returned.
  const facts: RecordedFacts = {
    source: fields.text("source", "where the facts come from") ?? "",
    recordedAt: recordedAt ?? "",
    placeholders: placeholders as Placeholder[],
    region: fields.text("region", "an AWS region") ?? "",
    vpc: {
      id: vpc?.text("id", "a VPC id") ?? "",
      ...(name !== undefined && { name }),
      ipv4Cidrs: vpc?.texts("ipv4Cidrs", "CIDR blocks") ?? [],
      ipv6Cidrs: vpc?.texts("ipv6Cidrs", "CIDR blocks") ?? [],
    },
    databaseSubnets: new Map(databaseSubnets),
    ...(databaseSubnetGroup !== undefined && { databaseSubnetGroup }),
    ...(databaseSubnetTags !== undefined && { databaseSubnetTags }),
    ...(cluster !== undefined && { cluster }),
    ...(vpcCni !== undefined && { vpcCni }),
  };
  if (problems.length > 0) {
    throw new ProblemsError("The recorded facts can't be used:", problems);
  }
  return facts;
}

function readCluster(fields: Fields | undefined): RecordedCluster | undefined {
  require(fields, ["name", "ipFamily"]);
  const serviceCidr = fields?.text("serviceCidr", "the block of ClusterIPs");
  return (
    fields && {
      name: fields.text("name", "the EKS name") ?? "",
      ipFamily: fields.choice("ipFamily", ADDRESS_FAMILIES) ?? "ipv4",
      ...(serviceCidr !== undefined && { serviceCidr }),
    }
  );
}

function readAddOn(fields: Fields | undefined): RecordedAddOn | undefined {
  require(fields, ["version", "networkPolicyEnabled"]);
  return (
    fields && {
      version: fields.text("version", "the version of the add-on") ?? "",
      networkPolicyEnabled: fields.flag("networkPolicyEnabled") ?? false,
      ipv4Egress: fields.flag("ipv4Egress") ?? true,
    }
  );
}

function require(fields: Fields | undefined, names: readonly string[]): void {
  for (const name of names) {
    if (fields?.has(name) === false) {
      fields.missing(name, "it has to be recorded");
    }
  }
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
}

/**
 * Writes the facts, all or nothing, and the same bytes for the same facts.
 *
 * @param path `facts/STACK.json`; a file that is there is replaced
 * @returns false where the file said the same before, apart from its source and time
 */
export async function writeRecordedFacts(path: string, facts: RecordedFacts): Promise<boolean> {
  const content = formatRecordedFacts(facts);
  const draft = `${path}.${process.pid}.draft`;
  const before = await readRecordedFacts(path).catch(() => undefined);
  const isNew =
    before === undefined ||
    content !== formatRecordedFacts({ ...before, source: facts.source, recordedAt: facts.recordedAt });
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, content, { flag: "wx" });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return isNew;
}

/** The content of such a file. */
export function formatRecordedFacts({ vpc, databaseSubnets, vpcCni, ...facts }: RecordedFacts): string {
  const { ipv6Cidrs, ...onlyIpv4 } = vpc;
  const content = {
    source: facts.source,
    recordedAt: facts.recordedAt,
    ...(facts.placeholders.length > 0 && { placeholders: facts.placeholders }),
    region: facts.region,
    vpc: { ...onlyIpv4, ...(ipv6Cidrs.length > 0 && { ipv6Cidrs }) },
    databaseSubnets: Object.fromEntries([...databaseSubnets].sort().map(([id, cidrs]) => [id, { cidrs }])),
    databaseSubnetGroup: facts.databaseSubnetGroup,
    databaseSubnetTags: facts.databaseSubnetTags,
    cluster: facts.cluster,
    vpcCni,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

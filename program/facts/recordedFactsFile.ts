import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ADDRESS_FAMILIES } from "../../analysis/address.ts";
import { formatCidr, parseCidr } from "../../analysis/cidr.ts";
import { defined, Input } from "../../analysis/input.ts";
import { isObject } from "../../analysis/plainObject.ts";
import { type Problem, ProblemsError, throwIfWrong } from "../../analysis/problems.ts";
import type { ClusterFacts } from "../../runner/networkFacts.ts";
import type { ConfigValues, Project } from "../project.ts";
import { PLACEHOLDERS, type Placeholder, type RecordedAddOn, type RecordedFacts } from "./recordedFacts.ts";

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
  const file = new Input(isObject(content) ? content : {}, path, problems);
  file.object([
    ...["source", "recordedAt", "placeholders", "region", "vpc", "databaseSubnets", "databaseSubnetGroup"],
    ...["databaseSubnetTags", "cluster", "vpcCni"],
  ]);
  const recordedAt = recorded(file, "recordedAt").text("the time of the lookup, such as 2026-06-01T09:30:00Z");
  if (recordedAt !== undefined && !isTime(recordedAt)) {
    file.at("recordedAt").wrong("must be a time in UTC such as 2026-06-01T09:30:00Z");
  }
  const placeholders = file.at("placeholders").texts(`members: ${PLACEHOLDERS.join(", ")}`) ?? [];
  if (placeholders.some((name) => !PLACEHOLDERS.includes(name as Placeholder))) {
    file.at("placeholders").wrong(`each must be one of ${PLACEHOLDERS.join(", ")}`);
  }
  const vpc = recorded(file, "vpc").object(["id", "name", "ipv4Cidrs", "ipv6Cidrs"]);
  const databaseSubnets = recorded(file, "databaseSubnets").named(["cidrs"]);
  // What is missing or wrong is among the problems; the values that stand in for it are never returned.
  const facts: RecordedFacts = {
    source: recorded(file, "source").text("where the facts come from") ?? "",
    recordedAt: recordedAt ?? "",
    placeholders: placeholders as Placeholder[],
    region: recorded(file, "region").text("an AWS region") ?? "",
    vpc: {
      id: (vpc && recorded(vpc, "id").text("a VPC id")) ?? "",
      ...defined({ name: vpc?.at("name").text("the Name tag of the VPC") }),
      ipv4Cidrs: (vpc && blocks(recorded(vpc, "ipv4Cidrs"))) ?? [],
      ipv6Cidrs: (vpc && blocks(vpc.at("ipv6Cidrs"))) ?? [],
    },
    databaseSubnets: new Map(databaseSubnets.map(([id, subnet]) => [id, blocks(recorded(subnet, "cidrs")) ?? []])),
    ...defined({
      databaseSubnetGroup: file.at("databaseSubnetGroup").text("the name of a DB subnet group"),
      databaseSubnetTags: file.at("databaseSubnetTags").textMap("tags of the subnets"),
      cluster: readCluster(file.at("cluster").object(["name", "ipFamily", "serviceCidr"])),
      vpcCni: readAddOn(file.at("vpcCni").object(["version", "networkPolicyEnabled", "ipv4Egress"])),
    }),
  };
  throwIfWrong("The recorded facts can't be used:", problems);
  return facts;
}

function readCluster(own: Input | undefined): ClusterFacts | undefined {
  return (
    own && {
      name: recorded(own, "name").text("the EKS name") ?? "",
      ipFamily: recorded(own, "ipFamily").choice(ADDRESS_FAMILIES) ?? "ipv4",
      ...defined({ serviceCidr: own.at("serviceCidr").text("the block of ClusterIPs") }),
    }
  );
}

function readAddOn(own: Input | undefined): RecordedAddOn | undefined {
  return (
    own && {
      version: recorded(own, "version").text("the version of the add-on") ?? "",
      networkPolicyEnabled: recorded(own, "networkPolicyEnabled").flag() ?? false,
      ipv4Egress: own.at("ipv4Egress").flag() ?? true,
    }
  );
}

function blocks(own: Input): string[] | undefined {
  return own.parsedTexts("CIDR blocks", parseCidr)?.map(formatCidr);
}

function recorded(own: Input, name: string): Input {
  return own.at(name).required("it has to be recorded");
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

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RecordedFacts } from "../../../program/facts/recordedFacts.ts";
import {
  formatRecordedFacts,
  parseRecordedFacts,
  readRecordedFacts,
  writeRecordedFacts,
} from "../../../program/facts/recordedFactsFile.ts";

const FACTS: RecordedFacts = {
  source: "a test",
  recordedAt: "2026-11-20T00:00:00Z",
  placeholders: [],
  region: "eu-west-1",
  vpc: { id: "vpc-1", name: "main", ipv4Cidrs: ["10.9.0.0/16"], ipv6Cidrs: ["2001:db8::/56"] },
  databaseSubnets: new Map([
    ["subnet-b", ["10.9.2.0/24"]],
    ["subnet-a", ["10.9.1.0/24", "2001:db8::/64"]],
  ]),
  databaseSubnetTags: { Tier: "database" },
  cluster: { name: "main", ipFamily: "ipv6", serviceCidr: "fd00:10::/108" },
  vpcCni: { version: "v1.21.1-eksbuild.1", networkPolicyEnabled: true, ipv4Egress: false },
};

describe("recorded facts", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "recorded-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("come back as they were written", async () => {
    const path = join(folder, "facts", "x.json");
    expect(await writeRecordedFacts(path, FACTS)).toBe(true);
    expect(await readRecordedFacts(path)).toEqual(FACTS);
  });

  it("are the same bytes for the same facts, in whatever order they were found", () => {
    const reversed = { ...FACTS, databaseSubnets: new Map([...FACTS.databaseSubnets].reverse()) };
    expect(formatRecordedFacts(reversed)).toBe(formatRecordedFacts(FACTS));
    expect(formatRecordedFacts(FACTS)).toMatch(/subnet-a.*subnet-b/s);
  });

  it("of the same network are written with their new time, and told from a new network", async () => {
    const path = join(folder, "x.json");
    await writeRecordedFacts(path, FACTS);
    const later = { ...FACTS, recordedAt: "2026-12-01T00:00:00Z" };
    expect(await writeRecordedFacts(path, later)).toBe(false);
    expect(await readRecordedFacts(path)).toEqual(later);
    expect(await writeRecordedFacts(path, { ...later, region: "eu-west-2" })).toBe(true);
    expect(await readdir(folder)).toEqual(["x.json"]);
  });

  it("leave the former file and no draft where they can't be written", async () => {
    const path = join(folder, "x.json");
    await mkdir(path);
    await expect(writeRecordedFacts(path, FACTS)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["x.json"]);
  });

  it("of both stacks are what the pull request of June 2026 says", async () => {
    const [staging, prod] = [await readRecordedFacts("facts/staging.json"), await readRecordedFacts("facts/prod.json")];
    expect([staging.region, staging.vpc.name, staging.vpc.ipv4Cidrs]).toEqual([
      "us-east-1",
      "techops-staging",
      ["10.1.0.0/16"],
    ]);
    expect([prod.region, prod.vpc.name, prod.vpc.ipv4Cidrs]).toEqual(["us-east-2", "techops-prod", ["10.0.0.0/16"]]);
    expect([...staging.databaseSubnets.values()].flat()).toEqual(["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24"]);
    expect([...prod.databaseSubnets.values()].flat()).toEqual(["10.0.100.0/24", "10.0.101.0/24", "10.0.102.0/24"]);
  });

  it("are kept in the form in which they are written, so that a new record shows only what changed", async () => {
    for (const stack of ["staging", "prod"]) {
      const path = `facts/${stack}.json`;
      expect(formatRecordedFacts(await readRecordedFacts(path))).toBe(await readFile(path, "utf8"));
    }
  });

  it("hold neither an endpoint nor anything secret", async () => {
    for (const stack of ["staging", "prod"]) {
      expect(await readFile(`facts/${stack}.json`, "utf8")).not.toMatch(/https?:|certificate|arn:|"\d{12}"/i);
    }
  });

  it("that are missing say how they are recorded", async () => {
    await expect(readRecordedFacts(join(folder, "x.json"))).rejects.toThrow(/x\.json: .*npm run record -- --stack x`/);
  });

  it("that are no JSON say so", async () => {
    await writeFile(join(folder, "x.json"), "{");
    await expect(readRecordedFacts(join(folder, "x.json"))).rejects.toThrow(/x\.json: .*JSON/);
  });

  it("are refused with every problem at once", () => {
    const act = () =>
      parseRecordedFacts("x.json", {
        source: "",
        vpc: { id: 1 },
        databaseSubnets: { "subnet-a": { cidrs: [] }, "subnet-b": { cidrs: ["10.1.0.0/33"] } },
        cluster: { name: "c", ipFamily: "ipv5" },
        vpcCni: { version: "v1" },
        databseSubnetGroup: "db",
        recordedAt: "yesterday",
        placeholders: ["region"],
      });
    const problems = [
      "x.json.databseSubnetGroup",
      "x.json.source",
      'x.json.recordedAt is "yesterday": must be a time in UTC',
      "x.json.placeholders",
      "x.json.region",
      "x.json.vpc.id is 1",
      "x.json.vpc.ipv4Cidrs",
      "x.json.databaseSubnets.subnet-a.cidrs",
      'x.json.databaseSubnets.subnet-b.cidrs is ["10.1.0.0/33"]: "10.1.0.0/33" has prefix length 33',
      "x.json.cluster.ipFamily",
      "x.json.vpcCni.networkPolicyEnabled",
    ];
    for (const problem of problems) {
      expect(act).toThrow(problem);
    }
    expect(act).toThrow(new RegExp(`^.*(\\n.*){${problems.length}}$`));
  });

  it.each([[null], [[]], ["text"]])("can't be %j", (content) => {
    expect(() => parseRecordedFacts("x.json", content)).toThrow("x.json.vpc");
  });
});

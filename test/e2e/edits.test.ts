import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, useFixtureStacks } from "../support/fixtureProject.ts";
import type { Plain } from "../support/policyPack.ts";
import { mustRun, run } from "./support/command.ts";

describe("an edit of a stack's files, on a clean clone", () => {
  let clone: string;
  const edit = async (file: string, change: (content: Plain) => void) => {
    const path = join(clone, file);
    const content = load(await readFile(path, "utf8"));
    change(content);
    await writeFile(path, file.endsWith(".json") ? JSON.stringify(content, undefined, 4) : dump(content));
  };

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), "runner-egress-edits-"));
    await mustRun("git", ["clone", "--quiet", ROOT, clone]);
    await useFixtureStacks(clone);
    await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
    await edit("Pulumi.staging.yaml", (file) => {
      // The keys that `pulumi stack init` writes.
      Object.assign(file, { encryptionsalt: "v1:c2FsdA==:v1:bm9uY2U=:c2VjcmV0", secretsprovider: "passphrase" });
      Object.assign(file.config, {
        "runner-egress:cluster": { eks: "green" },
        "runner-egress:runner": { policyName: "runners" },
        "runner-egress:mustReach": { endpoints: ["https://rpc.example.com:8545"] },
        "runner-egress:destinations": {
          services: { redis: { podLabels: { app: "redis" }, ports: ["6379/TCP"] } },
          executor: null,
          database: { ports: ["6432/TCP"] },
        },
      });
    });
    await edit("facts/staging.json", (facts) => {
      facts.vpc.id = "vpc-0a1b2c3d4e5f60718";
      facts.vpc.ipv4Cidrs.push("44.32.0.0/16", "100.64.0.0/16");
      facts.databaseSubnets["subnet-0a1b2c3d4e5f60718"] = { cidrs: ["10.1.103.0/24"] };
      facts.cluster.name = "green";
      facts.vpcCni.version = "v1.20.4-eksbuild.2";
    });
    await writeFile(
      join(clone, "Pulumi.dev.yaml"),
      dump({
        config: {
          "aws:region": "eu-west-1",
          "runner-egress:cluster": { eks: "dev" },
          "runner-egress:vpc": { ofCluster: true },
          "runner-egress:databaseSubnets": { tags: { Tier: "database" } },
        },
      }),
    );
  });
  afterAll(() => rm(clone, { recursive: true }));

  it("is shown by npm start, and a stack without facts keeps none of the others back", async () => {
    const { output } = await run("npm", ["start", "--silent", "--", "--stack", "staging", "--stack", "dev"], {
      cwd: clone,
    });
    for (const shown of ["keeperhub/runners", "app=redis", "6432/TCP", "10.1.103.0/24", "44.32.0.0/16", "1.2.7"]) {
      expect(output).toContain(shown);
    }
    expect(output).not.toContain("executor");
    expect(output).toContain("record -- --stack dev");
  });

  it("breaks no test", async () => {
    // The report of this suite is not that of the clone.
    const { status, output } = await run("env", ["--unset=VITEST_REPORT", "npm", "test"], { cwd: clone });
    expect(status, output.slice(-20_000)).toBe(0);
  }, 900_000);
});

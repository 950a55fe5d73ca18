import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../offline/startCommand.ts";

/** The project in another folder, where the files that a test changes are its own. */
async function projectWith(files: Readonly<Record<string, string | undefined>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "project-"));
  for (const entry of await readdir(".")) {
    if (!(entry in files)) {
      await symlink(resolve(entry), join(folder, entry));
    }
  }
  for (const [name, content] of Object.entries(files)) {
    if (content !== undefined) {
      await writeFile(join(folder, name), content);
    }
  }
  return folder;
}

describe("npm start", { timeout: 60_000 }, () => {
  let folder: string;
  let stdout: string;
  let stderr: string;
  beforeEach(() => {
    [stdout, stderr] = ["", ""];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      stdout += text;
      return true;
    });
    vi.spyOn(console, "error").mockImplementation((text) => {
      stderr += text;
    });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  it("shows what the program says is wrong, as a user of Pulumi sees it, and no result", async () => {
    const config = await readFile("Pulumi.staging.yaml", "utf8");
    folder = await projectWith({
      "Pulumi.staging.yaml": config.replace("name: techops-staging", "name: techops-stagin"),
    });
    expect(await main([], folder)).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("Diagnostics of staging:\n  error: ");
    expect(stderr).toContain("no matching EC2 VPC found");
    expect(stderr).not.toContain("Diagnostics of prod");
  });

  it("reports a missing key as Pulumi's own check does", async () => {
    folder = await projectWith({ "Pulumi.staging.yaml": "config:\n  aws:region: us-east-1\n" });
    expect(await main(["--stack", "staging"], folder)).toBe(1);
    expect(stderr).toBe(
      "error: Stack 'staging' is missing configuration values 'cluster', 'databaseSubnets', and 'vpc'",
    );
  });

  it("says so where the facts were recorded in another region", async () => {
    const config = await readFile("Pulumi.staging.yaml", "utf8");
    folder = await projectWith({ "Pulumi.staging.yaml": config.replace("us-east-1", "eu-west-1") });
    expect(await main(["--stack", "staging"], folder)).toBe(1);
    expect(stderr).toContain('aws:region is "eu-west-1": the facts were recorded in us-east-1');
  });

  it("says how facts are recorded where there are none", async () => {
    folder = await projectWith({ recorded: undefined });
    expect(await main(["--stack", "prod"], folder)).toBe(1);
    expect(stderr).toContain("npm run record -- --stack prod");
  });
});

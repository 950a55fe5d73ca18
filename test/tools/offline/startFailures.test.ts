import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../../tools/offline/startCommand.ts";
import { ROOT } from "../../support/fixtureProject.ts";

/** The fixture project in another folder, where the files that a test changes are its own. */
async function projectWith(files: Readonly<Record<string, string | undefined>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "project-"));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const project = await readFile("Pulumi.yaml", "utf8");
  await writeFile(join(folder, "Pulumi.yaml"), project.replace("main: ../../../", `main: ${ROOT}/`));
  for (const entry of await readdir(".")) {
    if (!(entry in files) && !["Pulumi.yaml", "node_modules"].includes(entry)) {
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
      "Diagnostics of staging:\n  error: Stack 'staging' is missing configuration values 'cluster', 'databaseSubnets', and " +
        "'vpc'\n",
    );
  });

  it("reports every stack that fails, whatever is wrong with the others", async () => {
    const files = ["Pulumi.staging.yaml", "Pulumi.prod.yaml"];
    const [staging = "", prod = ""] = await Promise.all(files.map((file) => readFile(file, "utf8")));
    folder = await projectWith({
      "Pulumi.staging.yaml": staging.replace("us-east-1", "eu-west-1"),
      "Pulumi.prod.yaml": prod.replace("name: techops-prod", "name: techops-pro"),
    });
    expect(await main([], folder)).toBe(1);
    expect(stderr).toContain(
      "Diagnostics of staging:\n  error: The recorded facts can't be used:\n      - aws:region is \"eu",
    );
    expect(stderr).toContain("Diagnostics of prod:\n  error: The network can't be relied on");
  });

  it("says what is wrong with the project itself", async () => {
    folder = await projectWith({ "Pulumi.yaml": "name: [\n" });
    expect(await main([], folder)).toBe(1);
    expect(stderr).toMatch(/^error: .*Pulumi\.yaml is no YAML: /);
  });

  it.each([
    [
      "config",
      { "runner-egress:adopt": "perhaps" },
      "The config of stack staging can't be used:\n      - runner-egress:adopt",
    ],
    [
      "a block that can't be a destination",
      { "runner-egress:destinations": { cidrs: { all: { cidrs: ["0.0.0.0/0"], ports: ["443/TCP"] } } } },
      "The policy can't be built; nothing was written:\n      - runner-egress:destinations.cidrs.all is",
    ],
    [
      "what breaks a guardrail",
      { "runner-egress:destinations": { cidrs: { imds: { cidrs: ["169.254.169.254/32"], ports: ["80/TCP"] } } } },
      "The runner's egress policy is refused:\n      - contract.cidrs.imds: it breaks the guardrail metadata-endpoints: ",
    ],
  ])("refuses %s in a list without a stack trace", async (_, config, message) => {
    const own = await readFile("Pulumi.staging.yaml", "utf8");
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    folder = await projectWith({ "Pulumi.staging.yaml": own + lines.join("") });
    expect(await main(["--stack", "staging"], folder)).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(`Diagnostics of staging:\n  error: ${message}`);
    expect(stderr.match(/error: /g)).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s*at |file:\/\/|unhandled exception|__pulumi/);
  });

  it("says so where the facts were recorded in another region", async () => {
    const config = await readFile("Pulumi.staging.yaml", "utf8");
    folder = await projectWith({ "Pulumi.staging.yaml": config.replace("us-east-1", "eu-west-1") });
    expect(await main(["--stack", "staging"], folder)).toBe(1);
    expect(stderr).toContain('aws:region is "eu-west-1": the facts were recorded in us-east-1');
  });

  it("says how facts are recorded where there are none", async () => {
    folder = await projectWith({ facts: undefined });
    expect(await main(["--stack", "prod"], folder)).toBe(1);
    expect(stderr).toContain("npm run record -- --stack prod");
  });
});

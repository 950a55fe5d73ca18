import { execFile } from "node:child_process";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../support/fixtureProject.ts";

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm start -- ARGS` without npm, in an environment that would lead elsewhere. */
function start(...args: string[]): Promise<Outcome> {
  const env = {
    ...process.env,
    KUBECONFIG: "/nowhere",
    AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    HTTPS_PROXY: "http://127.0.0.1:1",
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, "tools/offline/start.ts"), ...args], { env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("npm start", { timeout: 60_000 }, () => {
  it("shows both stacks and their differences, whatever the environment says", async () => {
    const { status, stdout, stderr } = await start();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^staging\n.*\nprod\n.*\nDifferences between staging and prod\n/s);
    expect(stdout).toMatch(/VPC blocks +10\.1\.0\.0\/16 +10\.0\.0\.0\/16/);
    expect(stdout).toMatch(/5432\/TCP +10\.0\.100\.0\/24/);
    // No colour outside a terminal.
    expect(stdout).not.toContain("\u001b");
  });

  it("shows one stack", async () => {
    const { status, stdout } = await start("--stack", "prod");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^prod\n/);
    expect(stdout).not.toMatch(/staging|Differences/);
  });

  it("gives manifests and JSON for other programs, and nothing else on stdout", async () => {
    const [yaml, json] = await Promise.all([
      start("--output", "yaml"),
      start("--output", "json", "--stack", "staging"),
    ]);
    const manifests = loadAll(yaml.stdout) as { kind: string; metadata: Record<string, string> }[];
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
      "NetworkPolicy keeperhub/workflow-runner-block-imds",
      "NetworkPolicy keeperhub/workflow-runner-block-imds",
    ]);
    const { stacks, differences } = JSON.parse(json.stdout);
    expect(differences).toEqual([]);
    expect(stacks[0].policy).toEqual(manifests[0]);
  });

  it.each([
    [["--stack", "nowhere"], "There are staging, prod."],
    [["--output", "xml"], "Allowed choices are table, yaml, json."],
    [["--otput", "yaml"], "Did you mean --output?"],
    [["staging"], "too many arguments"],
  ])("refuses %j with status 3 and says what there is", async (args, message) => {
    const { status, stdout, stderr } = await start(...args);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("explains itself with examples", async () => {
    const { status, stdout } = await start("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("npm start -- --stack prod");
  });
});

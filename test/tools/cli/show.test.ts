import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { egress, egressProcess } from "../../support/cli.ts";
import { FIXTURE_PROJECT } from "../../support/fixtureProject.ts";
import { projectWith } from "../../support/projectWith.ts";

const config = (stack: string) => readFileSync(join(FIXTURE_PROJECT, `Pulumi.${stack}.yaml`), "utf8");

describe("show", () => {
  it("shows every stack and the differences, whatever the environment says", async () => {
    const { code, stdout, stderr } = await egressProcess(["show"], {
      env: {
        KUBECONFIG: "/nowhere",
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        HTTPS_PROXY: "http://127.0.0.1:1",
        FORCE_COLOR: undefined,
      },
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^staging: network from facts\/staging\.json, recorded 2026-11-20 .*\n(staging: caution: .*\n)?prod: network from facts\/prod\.json, recorded .*\n(prod: caution: .*\n)?$/,
    );
    expect(stdout).toMatch(/^staging\n.*\nprod\n.*\nDifferences between staging and prod\n/s);
    expect(stdout).toMatch(/VPC blocks +10\.1\.0\.0\/16 +10\.0\.0\.0\/16/);
    expect(stdout).toMatch(/5432\/TCP +10\.0\.100\.0\/24/);
    // No colour outside a terminal.
    expect(stdout).not.toContain("\u001b");
  });

  it("shows one stack", async () => {
    const { code, stdout } = await egress(["show", "--stack", "prod"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^prod\n/);
    expect(stdout).not.toMatch(/staging|Differences/);
  });

  it("gives manifests and JSON for other programs, and nothing else on stdout", async () => {
    const yaml = await egress(["show", "--output", "yaml"]);
    const json = await egress(["show", "--output", "json", "--stack", "staging"]);
    const manifests = loadAll(yaml.stdout) as { kind: string; metadata: Record<string, string> }[];
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
      "NetworkPolicy keeperhub/workflow-runner-block-imds",
      "NetworkPolicy keeperhub/workflow-runner-block-imds",
    ]);
    const { stacks, differences } = JSON.parse(json.stdout);
    expect(differences).toEqual([]);
    expect(stacks[0].policy).toEqual(manifests[0]);
    expect(stacks[0].warnings).toEqual([]);
  });

  it("says what is acknowledged, and goes on", async () => {
    const facts = JSON.parse(readFileSync("facts/staging.json", "utf8"));
    facts.vpcCni.networkPolicyEnabled = false;
    projectWith({
      "facts/staging.json": JSON.stringify(facts),
      "Pulumi.staging.yaml": `${config("staging")}  runner-egress:acknowledge: {network-policy-disabled: a test}\n`,
    });
    const { code, stdout, stderr } = await egress(["show", "--stack", "staging", "--output", "json"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^Diagnostics of staging:\n {2}warning: add-on vpc-cni.*Acknowledged \(network-policy-disabled\): a test\n$/m,
    );
    expect(JSON.parse(stdout).stacks[0].warnings).toEqual([expect.stringContaining("Acknowledged")]);
  });

  it.each([
    [
      ["--stack", "nowhere"],
      /^--stack nowhere: there is no Pulumi\.nowhere\.yaml; .* has Pulumi\.staging\.yaml, Pulumi\.prod\.yaml\n$/,
    ],
    [["--output", "xml"], /Allowed choices are table, yaml, json\./],
    [["--otput", "yaml"], /Did you mean --output\?/],
    [["staging"], /too many arguments/],
  ])("refuses %j and says what there is", async (args, message) => {
    const { code, stdout, stderr } = await egress(["show", ...args]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

describe("a stack that can't be shown", () => {
  it("because its program refuses gives the refusal as a user of Pulumi reads it, and the others are shown", async () => {
    projectWith({ "Pulumi.staging.yaml": config("staging").replace("name: techops-staging", "name: techops-stagin") });
    const { code, stdout, stderr } = await egress(["show"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^prod\n/);
    expect(stdout).not.toContain("Differences");
    expect(stderr).toContain(
      "Diagnostics of staging:\n  error: The network can't be relied on; nothing was written:\n",
    );
    expect(stderr).toContain("no matching EC2 VPC found");
    expect(stderr).not.toContain("Diagnostics of prod");
  });

  it("because it has no facts yet is said so, and the others are shown", async () => {
    projectWith({ "Pulumi.dev.yaml": config("staging") });
    const { code, stdout, stderr } = await egress(["show"]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^staging\n.*\nprod\n.*\nDifferences between staging and prod\n/s);
    expect(stderr).toMatch(
      /^Diagnostics of dev:\n {2}error: No facts are recorded yet:\n {6}- .*facts\/dev\.json: .*`npm run record -- --stack dev`/m,
    );
    expect((await egress(["show", "--stack", "dev"])).stdout).toBe("");
  });

  it.each([
    [
      "a key that is missing",
      "config:\n  aws:region: us-east-1\n",
      "The config of stack staging can't be used:\n      - runner-egress:cluster: missing",
    ],
    [
      "another region than the facts'",
      config("staging").replace("us-east-1", "eu-west-1"),
      'The recorded facts can\'t be used:\n      - aws:region is "eu-west-1": the facts were recorded in us-east-1',
    ],
    [
      "a value of the wrong kind",
      `${config("staging")}  runner-egress:adopt: perhaps\n`,
      "The config of stack staging can't be used:\n      - runner-egress:adopt",
    ],
  ])("because its files are wrong: %s", async (_, content, message) => {
    projectWith({ "Pulumi.staging.yaml": content });
    const { code, stdout, stderr } = await egress(["show", "--stack", "staging"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(`Diagnostics of staging:\n  error: ${message}`);
  });

  it.each([
    [
      "a block that can't be a destination",
      { cidrs: { all: { cidrs: ["0.0.0.0/0"], ports: ["443/TCP"] } } },
      "The policy can't be built; nothing was written:\n      - runner-egress:destinations.cidrs.all is",
    ],
    [
      "what breaks a guardrail",
      { cidrs: { imds: { cidrs: ["169.254.169.254/32"], ports: ["80/TCP"] } } },
      "The policy can't be built; nothing was written:\n      - runner-egress:destinations.cidrs.imds: it breaks the guardrail metadata-endpoints: ",
    ],
  ])("because of %s gives a list without a stack trace", async (_, destinations, message) => {
    projectWith({
      "Pulumi.staging.yaml": `${config("staging")}  runner-egress:destinations: ${JSON.stringify(destinations)}\n`,
    });
    const { code, stdout, stderr } = await egress(["show", "--stack", "staging"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`Diagnostics of staging:\n  error: ${message}`);
    expect(stderr.match(/error: /g)).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s*at |file:\/\/|unhandled|__pulumi/);
  });

  it("because there is no project at all", async () => {
    projectWith({ "Pulumi.yaml": "name: [\n" });
    expect(await egress(["show"])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/Pulumi\.yaml: is not YAML: /),
    });
  });
});

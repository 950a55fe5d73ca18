import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { formatCidr, parseNetworkPolicies } from "../../../analysis/index.ts";
import { readProject } from "../../../program/project.ts";
import { readStackFiles } from "../../../program/stackFiles.ts";
import { loadStack } from "../../../tools/cli/input/stack.ts";
import { runStack } from "../../../tools/show/runStack.ts";
import { egress, egressProcess, files, NOW } from "../../support/cli.ts";
import { FIXTURE_PROJECT } from "../../support/fixtureProject.ts";

const stderr = new PassThrough();

describe.each(["staging", "prod"])("stack:%s", (stack) => {
  it("has the policy that the real program registers, and the facts that it exports", async () => {
    const loaded = await loadStack(stack, { stderr, now: () => NOW });
    const { policy, facts } = await runStack(await readStackFiles(await readProject(FIXTURE_PROJECT), stack));
    expect(loaded.policies).toEqual(parseNetworkPolicies([policy]));
    expect(loaded.cluster).toEqual({ ipFamily: facts.cluster.ipFamily, agentVersion: facts.addOn.agentVersion });
    const named = new Map(loaded.names.map(({ cidr, name }) => [formatCidr(cidr), name]));
    expect([...named.keys()].sort()).toEqual(
      [...facts.vpc.ipv4Cidrs, ...facts.databaseSubnets.flatMap(({ cidrs }) => cidrs)].sort(),
    );
    expect(named.get(facts.vpc.ipv4Cidrs[0] ?? "")).toBe(`VPC techops-${stack}`);
  });
});

it("explain --stack reads the policy as its cluster does", async () => {
  const { code, stdout, stderr } = await egress([
    "explain",
    "10.1.100.7:5432",
    "10.1.7.7:443/tcp",
    "--stack",
    "staging",
    "-o",
    "json",
  ]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      "stack:staging: network from facts/staging.json, recorded 2026-11-20 (11 days ago): keeperhub pull request 1430, " +
      "frozen for the tests\n",
  });
  expect(JSON.parse(stdout)).toMatchObject({
    sender: "any pod with app=workflow-runner in namespace keeperhub",
    semantics: [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily: "ipv4", agentVersion: "1.3.1" }],
    answers: [{ verdict: "allow" }, { verdict: "deny" }],
  });
});

it("an option says more than the facts", async () => {
  const args = [
    "explain",
    "8.8.8.8:1",
    "--stack",
    "prod",
    "--ip-family",
    "ipv6",
    "--agent-version",
    "1.2.3",
    "-o",
    "json",
  ];
  const { semantics } = JSON.parse((await egress(args)).stdout) as { semantics: unknown[] };
  expect(semantics[1]).toEqual({ name: "vpc-cni", ipFamily: "ipv6", agentVersion: "1.2.3" });
});

it("diff stack:staging stack:prod is the database subnets, by their names", async () => {
  const { code, stdout } = await egress(["diff", "stack:staging", "stack:prod", "--semantics", "kubernetes"]);
  expect(code).toBe(1);
  expect(stdout).toContain("  + 10.0.100.0-10.0.102.255 TCP 5432, 768 pairs\n");
  expect(stdout).toContain("  - 10.1.100.0-10.1.102.255 TCP 5432, 768 pairs\n");
  expect(stdout).toMatch(/database subnet subnet-\d+; .*VPC techops-staging; 10\.0\.0\.0\/8/);
});

it("may be one side, and a file the other", async () => {
  const { stdout } = await egress([
    "diff",
    "docs/examples/runner-staging.yaml",
    "stack:staging",
    "--semantics",
    "kubernetes",
  ]);
  expect(stdout).toContain("Gained: nothing\n");
  expect(stdout).toContain("198.18.0.0/15, benchmarking (RFC 2544)");
});

it("is computed without Pulumi", async () => {
  const recorder = `import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) { const found = next(name, context); console.error(found.url); return found; } });`;
  const node = ["--import", `data:text/javascript,${encodeURIComponent(recorder)}`];
  const { stderr, code } = await egressProcess(["explain", "8.8.8.8:443", "--stack", "prod"], { node });
  expect(code).toBe(0);
  expect(stderr).toContain("/runner/runnerPolicy.ts");
  expect(stderr.split("\n").filter((url) => /@pulumi|grpc|protobuf/.test(url))).toEqual([]);
});

describe("a stack that cannot be read", () => {
  it.each([
    [["explain", "8.8.8.8:1", "--stack", "stagign"], "stack:stagign: there is no such stack; there is staging, prod\n"],
    [["diff", "stack:prod", "stack:dev"], "stack:dev: there is no such stack; there is staging, prod\n"],
    [
      ["explain", "8.8.8.8:1", "--stack", "prod", "--policy", "p.yaml"],
      "error: option '--stack <name>' cannot be used with option '-f, --policy <path>'\n(--help shows usage and examples)\n",
    ],
  ])("%j", async (args, stderr) => {
    const outcome = await egress(args);
    const own = outcome.stderr.replace(/^stack:prod: network from .*\n/, "");
    expect({ ...outcome, stderr: own }).toEqual({ code: 3, stdout: "", stderr });
  });

  const copy = (stackFile: string) =>
    files({ "Pulumi.yaml": readFileSync(join(FIXTURE_PROJECT, "Pulumi.yaml"), "utf8"), "Pulumi.x.yaml": stackFile })();
  const config = (more: string) =>
    `config:\n  aws:region: us-east-1\n  runner-egress:cluster: {eks: c}\n  runner-egress:vpc: {name: v}\n${more}`;

  it("because its config is wrong, with every problem", async () => {
    const folder = copy(config("  runner-egress:databaseSubnets: {subnetGroup: d}\n  runner-egress:adpot: true\n"));
    await expect(loadStack("x", { stderr, now: () => NOW }, folder)).rejects.toThrow(
      /^stack:x: The config of stack x can't be used:\n.*runner-egress:adpot/,
    );
  });

  it("because nothing is recorded for it", async () => {
    const folder = copy(config("  runner-egress:databaseSubnets: {subnetGroup: d}\n"));
    await expect(loadStack("x", { stderr, now: () => NOW }, folder)).rejects.toThrow(
      /^stack:x: No facts are recorded yet:\n.*npm run record -- --stack x/,
    );
  });

  it("looks for it in the repository where the user's folder is in no project of this name", async () => {
    const folder = files({ "Pulumi.yaml": "name: another\n", "Pulumi.x.yaml": "" })();
    await expect(loadStack("x", { stderr, now: () => NOW }, folder)).rejects.toThrow(
      /^stack:x: there is no such stack; there is .*staging/,
    );
  });
});

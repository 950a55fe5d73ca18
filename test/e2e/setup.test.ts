import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AWS, isInstalled } from "../../dev/tool.ts";
import { AwsFront } from "../e2e-cluster/pipeline/awsFront.ts";
import { FakeGitHub } from "../support/fakeGitHub.ts";
import { createNamespace } from "./support/cluster.ts";
import type { Outcome } from "./support/command.ts";
import { Network } from "./support/network.ts";
import { Project } from "./support/stack.ts";

const REPOSITORY = "example/runner-egress";
const BUCKET = "setup-state";
const STATE = `s3://${BUCKET}?region=eu-west-1`;
const PROTECTION = `/repos/${REPOSITORY}/branches/staging/protection`;
const STACKS = [
  ["staging", "us-east-1", "eu-central-1", "10.1"],
  ["prod", "us-east-2", "eu-west-3", "10.0"],
] as const;
const PROD = `/repos/${REPOSITORY}/environments/prod`;

// What docs/promotion.md and docs/troubleshooting.md say of it: `runner-egress setup --check`.
describe("runner-egress setup, from nothing", () => {
  let project: Project;
  let aws: AwsFront;
  let github: FakeGitHub;
  let env: Record<string, string>;

  const setup = (...args: string[]): Promise<Outcome> => {
    const contexts = ["staging", "prod"].flatMap((stack) => ["--context", `${stack}=${process.env.E2E_CONTEXT}`]);
    const options = [
      "--repository",
      REPOSITORY,
      "--state",
      STATE,
      ...(args.includes("--stack") ? contexts.slice(0, 2) : contexts),
    ];
    return project.run("node", ["tools/cli/main.ts", "setup", ...options, ...args], { env });
  };
  const run = async (command: string, ...args: string[]) => {
    const { status, output } = await project.run(command, args, { env: { ...env, AWS_DEFAULT_REGION: "eu-west-1" } });
    expect(status, output).toBe(0);
  };
  /** What a result says of each part, by what it is. */
  const states = ({ stdout }: Outcome): Record<string, string> =>
    Object.fromEntries([...stdout.matchAll(/^ {2}(\w+) +(\S.*)$/gm)].map(([, state = "", what = ""]) => [what, state]));
  const onlyWith = (outcome: Outcome, state: string) =>
    Object.entries(states(outcome)).flatMap(([what, is]) => (is === state ? [what] : []));

  beforeAll(async () => {
    if (!(await isInstalled(AWS))) throw new Error(`${AWS.name} could not be installed; it needs ${AWS.needs}`);
    project = await Project.copy();
    aws = new AwsFront(process.env.AWS_ENDPOINT_URL ?? "");
    await aws.start();
    github = await FakeGitHub.start(REPOSITORY, 7);
    github.settings.content.set("/orgs/example/teams/network-security", { id: 42 });
    env = {
      PATH: [join(import.meta.dirname, "bin"), dirname(AWS.path), join("node_modules", ".bin"), process.env.PATH].join(
        delimiter,
      ),
      AWS_ENDPOINT_URL: aws.url,
      GITHUB_API_URL: github.origin,
      GITHUB_TOKEN: "secret",
    };
    await createNamespace("keeperhub");
    // Regions of its own: other suites make clusters of these names.
    for (const [stack, given, region, prefix] of STACKS) {
      await project.patch(`Pulumi.${stack}.yaml`, `aws:region: ${given}`, `aws:region: ${region}`);
      await Network.create({ name: `techops-${stack}`, prefix, region });
    }
  });
  afterAll(async () => {
    github.stop();
    aws.stop();
    await project.remove();
  });

  it("--check finds everything missing, and makes nothing", async () => {
    const outcome = await setup("--check");
    expect(outcome.status, outcome.output).toBe(1);
    expect(onlyWith(outcome, "ok")).toEqual([
      "AWS account",
      `owner of ${REPOSITORY}`,
      `repository ${REPOSITORY}`,
      "reviewer example/network-security",
    ]);
    expect(onlyWith(outcome, "missing").length).toBe(Object.keys(states(outcome)).length - 4);
    expect(github.requests.filter((request) => !request.startsWith("GET"))).toEqual([]);
    expect(aws.roles.size + aws.accessEntries.size).toBe(0);
  });

  it("what it prints is a script that makes it", async () => {
    const { stdout } = await setup("--stack", "staging");
    const { status, output } = await project.run("bash", ["-e"], { env, input: stdout });
    expect(status, output).toBe(0);
  });

  it("--apply makes the rest alone, and --check then finds all of it", async () => {
    const applied = await setup("--apply");
    expect(applied.status, applied.output).toBe(0);
    const made = onlyWith(applied, "made");
    expect(made.length).toBeGreaterThan(15);
    expect(made.filter((what) => !what.includes("prod"))).toEqual([]);
    expect(states(applied)["role runner-egress-staging-deploy, and whom it trusts"]).toBe("ok");

    const check = await setup("--check");
    expect(check.status, check.output).toBe(0);
    expect(new Set(Object.values(states(check)))).toEqual(new Set(["ok"]));
    expect([...aws.roles.keys()].sort()).toEqual(
      ["prod-deploy", "prod-preview", "staging-deploy", "staging-preview"].map((role) => `runner-egress-${role}`),
    );
    expect(JSON.stringify(aws.roles.get("runner-egress-prod-deploy")?.trust)).toContain(
      '"repo:example@1234567/runner-egress@7654321:environment:prod"',
    );
    expect(github.settings.content.get(PROD)).toMatchObject({
      protection_rules: [
        { type: "required_reviewers", prevent_self_review: true, reviewers: [{ reviewer: { id: 42 } }] },
        {},
      ],
    });
    expect(github.settings.content.get(PROTECTION)).toMatchObject({
      required_status_checks: { checks: [{ context: "Previews" }, { context: "Test" }] },
    });
  });

  it("--check finds what somebody took away or changed, in each step, and --apply changes nothing that is there", async () => {
    const { content } = github.settings;
    await run(
      "aws",
      "s3api",
      "put-bucket-versioning",
      "--bucket",
      BUCKET,
      "--versioning-configuration",
      "Status=Suspended",
    );
    await run("aws", "s3api", "delete-object", "--bucket", BUCKET, "--key", ".pulumi/stacks/runner-egress/prod.json");
    await project.patch("Pulumi.staging.yaml", "?region=eu-west-1", "");
    const provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    await run("aws", "iam", "delete-open-id-connect-provider", "--open-id-connect-provider-arn", provider);
    const open = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
    });
    const policy = ["--policy-name", "runner-egress", "--policy-document", open];
    await run("aws", "iam", "put-role-policy", "--role-name", "runner-egress-staging-preview", ...policy);
    aws.accessEntries.delete("techops-prod arn:aws:iam::123456789012:role/runner-egress-prod-deploy");
    await run("kubectl", "-n", "keeperhub", "delete", "role", "runner-egress-preview");
    github.settings.environment("prod", []);
    content.delete(`${PROD}/variables/AWS_REGION`);
    content.set(`${PROD}/deployment-branch-policies`, {
      branch_policies: [{ name: "staging" }, { name: "v*", type: "tag" }],
    });
    content.set(PROTECTION, { ...content.get(PROTECTION), enforce_admins: { enabled: false } });
    content.delete(`/repos/${REPOSITORY}/actions/variables/PULUMI_BACKEND_URL`);

    const check = await setup("--check");
    expect(check.status, check.output).toBe(1);
    const found = Object.fromEntries(Object.entries(states(check)).filter(([, state]) => state !== "ok"));
    expect(found, check.output).toEqual({
      [`versions of ${BUCKET}`]: "different",
      "state of prod": "missing",
      "secrets provider in Pulumi.staging.yaml": "different",
      "identity provider token.actions.githubusercontent.com": "missing",
      "what runner-egress-staging-preview may do": "different",
      "access entry of runner-egress-prod-deploy in techops-prod": "missing",
      "access/kubernetes-preview.yaml in techops-staging": "missing",
      "access/kubernetes-preview.yaml in techops-prod": "missing",
      "environment prod and its rules": "different",
      "the only branch that deploys to prod": "different",
      "variable AWS_REGION of prod": "missing",
      "protection of staging": "different",
      "variable PULUMI_BACKEND_URL": "missing",
    });
    expect(check.stdout).toContain("enforce_admins.enabled is false, not true");
    expect(check.stdout).toContain(" is branch staging, tag v*, not branch staging");

    const applied = await setup("--apply");
    expect(applied.status).toBe(1);
    expect(applied.stdout).toMatch(
      /To change it: aws s3api put-bucket-versioning .* Status=Enabled --region eu-west-1\nStopped in step 2\./,
    );
    expect(applied.stdout).toContain("Not begun: 3. State key; 4. Stacks; 5.");
    expect(onlyWith(applied, "made")).toEqual([]);
  });

  it.each([
    ["GitHub refuses the token", { GITHUB_TOKEN: "wrong" }, /unknown +owner of .*\n +GET .* 401/],
    [
      "AWS doesn't answer",
      { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_MAX_ATTEMPTS: "1" },
      /unknown +AWS account\n +aws sts/,
    ],
    ["there is no aws", { PATH: "/usr/bin:/bin" }, /aws is not installed, or not on PATH/],
  ])("2 where it can't be told: %s", async (_, change, told) => {
    const node = process.execPath;
    const options = ["--repository", REPOSITORY, "--state", STATE, "--stack", "staging", "--apply"];
    const outcome = await project.run(node, ["tools/cli/main.ts", "setup", ...options], { env: { ...env, ...change } });
    expect(outcome.output).toMatch(told);
    expect(outcome.output).toContain("Stopped in step 1.");
    expect(outcome.status).toBe(2);
  });
});

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Approval } from "../../../ci/steps/approval.ts";
import { fencedBlocks } from "../../support/markdown.ts";
import { AwsApi } from "../support/aws.ts";
import { type BothStacks, configureBothStacks, STACK_NAMES, type StackName } from "../support/bothStacks.ts";
import {
  clearNamespace,
  earlierManifest,
  livePolicy,
  POLICY_NAME,
  patchPolicy,
  requirePolicy,
} from "../support/cluster.ts";
import { mustRun } from "../support/command.ts";
import type { Project } from "../support/stack.ts";
import { Walkthrough } from "./walkthrough.ts";

const ENVIRONMENTS = {
  staging: { name: "docs-staging", prefix: "10.1", namespace: "keeperhub" },
  prod: { name: "docs-prod", prefix: "10.0", region: "us-east-2", namespace: "keeperhub-prod" },
} as const;
const namespaceOf = (stack: StackName) => ENVIRONMENTS[stack].namespace;

const VERIFY = STACK_NAMES.map((stack) => ({
  of: `-- npm run ci:verify -- ${stack}`,
  by: "-- true",
  why: "no pod runs in this suite's cluster; test/e2e-cluster has the suites that do",
}));
const BACKEND = {
  of: "s3://BUCKET?region=REGION",
  by: "s3://docs-state?region=us-east-1&s3ForcePathStyle=true",
  why: "the reader's bucket; an API on loopback has no host name for each bucket",
};
const INSTALL = { of: "npm ci ", by: "true ", why: "the dependencies are the repository's; .ci/run installs them" };

/** Where the reader's state is. */
const STATE = { PULUMI_BACKEND_URL: BACKEND.by };

let project: Project;
let networks: BothStacks["networks"];
let stacks: BothStacks["stacks"];
let setUp: Walkthrough;
let guardrails: Walkthrough;

const json = async <T>(file: string) => JSON.parse(await readFile(join(project.directory, file), "utf8")) as T;
const head = async () => (await project.mustRun("git", ["rev-parse", "HEAD"])).trim();

beforeAll(async () => {
  ({ project, networks, stacks } = await configureBothStacks(ENVIRONMENTS));
  const api = new AwsApi("us-east-1");
  await api.createBucket("docs-state");
  await api.createKey("runner-egress-state");
  // As docs/adoption.md has it for the workflows: staging's policy was applied by hand, and the stack may take it over.
  await mustRun("kubectl", ["apply", "-f", "-"], { input: earlierManifest(namespaceOf("staging")) });
  await stacks.staging.configure({ "runner-egress:adopt": true });
  // The kinds that the AWS controller brings.
  await mustRun("kubectl", ["apply", "-f", join(import.meta.dirname, "../../e2e-cluster/fixtures/aws-kinds.yaml")]);
  // What `runner-egress setup` makes, with which test/e2e/setup.test.ts begins from nothing.
  const provider = "awskms://alias/runner-egress-state?region=us-east-1";
  for (const stack of STACK_NAMES) {
    const init = ["stack", "init", stack, "--non-interactive", "--secrets-provider", provider];
    const { status, output } = await project.run("pulumi", init, { env: STATE });
    expect(status, output).toBe(0);
  }
  await project.commit("the project");
  setUp = new Walkthrough("docs/promotion.md", project, { substitutions: [...VERIFY, BACKEND] });
});
afterAll(async () => {
  await Promise.all(STACK_NAMES.map((stack) => clearNamespace(namespaceOf(stack))));
  await project.remove();
});

describe("docs/promotion.md, as its reader follows it", () => {
  const STEPS = "export PULUMI_BACKEND_URL='s3://BUCKET?region=REGION'";

  it("the steps by hand: previews and approvals are there, and both stacks are deployed as approved", async () => {
    const byHand = await requirePolicy(namespaceOf("staging"));
    const printed = await setUp.run(STEPS);
    expect(printed).toContain("takes it over in place");
    expect((await requirePolicy(namespaceOf("staging"))).metadata.uid).toBe(byHand.metadata.uid);
    expect(printed).toMatch(/\| `staging` .*✅ passed \|[\s\S]*\| `prod` .*✅ passed \|/);
    for (const stack of STACK_NAMES) {
      const approval = await json<Approval>(`previews/${stack}.approval.json`);
      expect(approval.commit).toBe(await head());
      expect(await json(`previews/${stack}.deployed.json`)).toEqual({ stack, commit: await head() });
      expect((await requirePolicy(namespaceOf(stack))).spec).toEqual(approval.policy.spec);
    }
  });

  it("a working tree with changes is refused at each step, because it is no commit", async () => {
    await writeFile(join(project.directory, "README.md"), "changed\n");
    const refusals = fencedBlocks("docs/promotion.md", "sh")
      .flatMap(({ text }) => text.split("\n"))
      .filter((line) => /^npm run ci:(preview|deploy)/.test(line));
    expect(refusals).toHaveLength(4);
    const printed = await setUp.run(STEPS, Object.fromEntries(refusals.map((line) => [line, 2])));
    expect(printed.match(/The working tree is not the commit.*\n {2}- README\.md/g)).toHaveLength(4);
    await project.mustRun("git", ["checkout", "--quiet", "README.md"]);
  });

  it("docs/guardrails.md: the pack passes both stacks, and knows what is deployed from a file", async () => {
    guardrails = new Walkthrough("docs/guardrails.md", project, { substitutions: [INSTALL], earlier: setUp });
    const printed = await guardrails.run("npm ci    # installs the pack too");
    expect(printed.match(/✅ runner-egress@/g)).toHaveLength(2);
    await guardrails.run("kubectl get networkpolicies --all-namespaces --output json > policy-pack/deployed.json");
    const { items } = await json<{ items: { metadata: object }[] }>("policy-pack/deployed.json");
    for (const stack of STACK_NAMES) {
      const metadata = expect.objectContaining({ namespace: namespaceOf(stack), name: POLICY_NAME });
      expect(items).toContainEqual(expect.objectContaining({ kind: "NetworkPolicy", metadata }));
    }
    expect(guardrails.leftOver()).toEqual([]);
    await rm(join(project.directory, "policy-pack/deployed.json"));
  });

  it("rollback: the earlier commit and the same steps, which name what is taken back, bring back what was there", async () => {
    const before = await requirePolicy(namespaceOf("staging"));
    const destinations = { services: { cache: { podLabels: { app: "redis" }, ports: ["6379/TCP"] } } };
    await stacks.staging.configure({ "runner-egress:destinations": destinations });
    await project.commit("a mistake");
    expect(await stacks.staging.with(STATE).up()).toMatchObject({ status: 0 });
    expect((await requirePolicy(namespaceOf("staging"))).spec).not.toEqual(before.spec);

    const mistake = await head();
    await project.mustRun("git", ["checkout", "--quiet", "HEAD~1"]);
    const step = (script: string, ...args: string[]) =>
      project.run("npm", ["run", "--silent", script, "--", "staging", ...args], { env: STATE });
    expect(await step("ci:preview")).toMatchObject({ status: 0 });
    const refused = await step("ci:deploy");
    expect(refused.output).toContain(`--rollback-from ${mistake}`);
    expect(refused.status).toBe(1);
    expect(await step("ci:deploy", "--rollback-from", mistake)).toMatchObject({ status: 0 });
    expect(await requirePolicy(namespaceOf("staging"))).toMatchObject({
      metadata: { uid: before.metadata.uid },
      spec: before.spec,
    });
  });

  it("a subnet that comes after the approval: prod refuses in the document's words, and nothing is written", async () => {
    const before = await requirePolicy(namespaceOf("prod"));
    await networks.prod.addDatabaseSubnet("10.0.103.0/24");
    const refused = await setUp.runLine("npm run ci:deploy -- prod --after staging -- npm run ci:verify -- prod", 1);
    const [words] = fencedBlocks("docs/promotion.md", "text");
    expect(refused).toContain(words?.text.trim());
    expect(refused).toContain("10.0.103.0/24");
    expect(await requirePolicy(namespaceOf("prod"))).toEqual(before);
  });

  it("leaves no command of the document unrun", () => {
    expect(setUp.leftOver()).toEqual([]);
  });
});

describe("docs/drift.md, as its reader follows it", () => {
  const START = "npm run ci:deployed -- staging";
  const CHECK = "npm run ci:drift -- staging";
  const DEPLOY = "npm run ci:preview -- staging";
  let walk: Walkthrough;
  beforeAll(async () => {
    await project.run("pulumi", ["stack", "select", "staging"], { env: STATE });
    // In the shell whose PATH has the project's node.
    walk = new Walkthrough("docs/drift.md", project, { earlier: guardrails });
  });

  it("0: nothing moved, and there is no issue", async () => {
    const printed = await walk.run(START);
    expect(printed).toContain("staging: same");
    expect(printed).not.toContain("<!--");
    expect(await walk.runLine("pulumi preview --refresh --expect-no-changes")).toContain("5 unchanged");
  });

  it("docs/review.md and docs/cli.md: what the engine and kubectl print is what the commands read", async () => {
    const egress = async (input: string, ...args: string[]) => {
      const { status, output } = await project.run("npm", ["run", "--silent", "egress", "--", ...args], { input });
      expect(status, output).toBe(0);
      return output;
    };
    const review = new Walkthrough("docs/review.md", project, { earlier: guardrails });
    const preview = await review.runLine("pulumi preview --json");
    expect(await egress(preview.slice(preview.indexOf("{")), "review", "-")).toMatch(/staging: /);

    // An inventory without a running pod is refused, and no kubelet runs one here.
    const spec = { containers: [{ name: "sandbox", image: "none" }] };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "sandbox", namespace: "keeperhub" }, spec };
    await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(pod) });
    const status = JSON.stringify({ status: { phase: "Running", podIP: "10.1.0.5", podIPs: [{ ip: "10.1.0.5" }] } });
    await mustRun("kubectl", ["-n", "keeperhub", "patch", "pod", "sandbox", "--subresource=status", "-p", status]);
    const cli = new Walkthrough("docs/cli.md", project);
    // docs/your-own-policies.md pipes this into a check.
    const policies = await mustRun("kubectl", ["get", "networkpolicies", "-A", "-o", "yaml"]);
    const inventory = await cli.runLine("kubectl get namespaces,pods,services -A -o json");
    await writeFile(join(project.directory, "inventory.json"), inventory);
    const runner = ["--policy", "-", "--inventory", "inventory.json", "--namespace", "keeperhub"];
    const answer = await egress(policies, "explain", "1.1.1.1:443", ...runner, "--pod-label", "app=workflow-runner");
    expect(answer).toMatch(/^ALLOW +1\.1\.1\.1:443 /m);
  });

  it("1: what somebody opened is told in the issue, and deploying by hand puts it back in place", async () => {
    const before = await requirePolicy(namespaceOf("staging"));
    const rule = { to: [{ ipBlock: { cidr: "10.1.7.7/32" } }] };
    await patchPolicy(namespaceOf("staging"), [{ op: "add", path: "/spec/egress/-", value: rule }]);
    const issue = await walk.run(START, { [CHECK]: 1 });
    expect(issue).toContain("staging: moved");
    expect(issue).toMatch(/<!-- runner-egress:drift -->[\s\S]*it also allows 10\.1\.7\.7\/32 on every port/);
    await walk.run(DEPLOY);
    expect(await requirePolicy(namespaceOf("staging"))).toMatchObject({
      metadata: { uid: before.metadata.uid },
      spec: before.spec,
    });
  });

  it("1: a deleted policy is gone in the issue, and deploying by hand creates it anew", async () => {
    const before = await requirePolicy(namespaceOf("staging"));
    await mustRun("kubectl", ["-n", namespaceOf("staging"), "delete", "networkpolicy", POLICY_NAME]);
    expect(await walk.run(START, { [CHECK]: 1 })).toMatch(/<!-- [\s\S]*NetworkPolicy keeperhub\/\S+ is gone/);
    expect(await livePolicy(namespaceOf("staging"))).toBeUndefined();
    await walk.run(DEPLOY);
    expect((await requirePolicy(namespaceOf("staging"))).spec).toEqual(before.spec);
  });

  it("2: a lookup that fails is told as such", async () => {
    await networks.staging.duplicate();
    const issue = await walk.run(START, { [CHECK]: 2 });
    expect(issue).toContain("staging: unknown");
    expect(issue).toMatch(/<!-- [\s\S]*could not be checked/);
  });

  it("leaves no command of the document unrun", () => {
    expect(walk.leftOver()).toEqual([]);
  });
});

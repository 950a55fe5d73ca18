import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apply, kubectl, leftovers } from "./lab.ts";
import { ENVIRONMENTS } from "./pipeline/environments.ts";
import { grantedActions } from "./pipeline/iamPolicy.ts";
import type { JobResult } from "./pipeline/playWorkflow.ts";
import { World } from "./pipeline/world.ts";

const POLICY = "workflow-runner-block-imds";

/** The results of a run, by job, with the log of each job that failed. */
function results(run: ReadonlyMap<string, JobResult>): Record<string, string> {
  return Object.fromEntries([...run].map(([name, { result }]) => [name, result]));
}

function log(run: ReadonlyMap<string, JobResult>, job: string): string {
  return run.get(job)?.log ?? "";
}

function livePolicies(namespace: string): string {
  return kubectl("-n", namespace, "get", "networkpolicies", "-o", "name").trim();
}

/** Lets the runners of staging reach everything, beside the policy of the stack. */
const ROGUE = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "rogue", namespace: "keeperhub" },
  spec: { podSelector: { matchLabels: { app: "workflow-runner" } }, policyTypes: ["Egress"], egress: [{}] },
};

describe("the workflows, from their files, with the roles and rights of access/, on a cluster that enforces policies", () => {
  let world: World;
  let commit: string;

  beforeAll(async () => {
    world = await World.create();
    commit = await world.repository.commit("the project");
  });
  afterAll(() => world.remove());

  it("a pull request gets one comment about both stacks, and the next push changes that comment", async () => {
    for (const _ of ["opened", "synchronize"]) {
      const run = await world.play("preview", commit);
      expect(results(run), log(run, "Preview staging")).toEqual({
        "Preview staging": "success",
        "Preview prod": "success",
        Previews: "success",
      });
    }
    expect(world.github.comments).toHaveLength(1);
    const [{ body } = { body: null }] = world.github.comments;
    expect(body).toMatch(/\| `staging` \| 🔵 \*\*narrower\*\* .*✅ passed/);
    expect(body).toMatch(/\| `prod` \| 🔵 \*\*narrower\*\* .*✅ passed/);
    expect(body).toMatch(/\[staging\]\(https:\S+\/runs\/42\/artifacts\/\d+\), \[prod\]/);
    expect(livePolicies("keeperhub")).toBe("");
  });

  it("a merge that deploys to staging what is not enforced there does not reach prod", async () => {
    apply(ROGUE);
    const run = await world.play("deploy", commit);
    expect(results(run), log(run, "Deploy staging")).toEqual({
      "Preview staging": "success",
      "Preview prod": "success",
      "Deploy staging": "failure",
      "Deploy prod": "skipped",
    });
    expect(log(run, "Deploy staging")).toContain("staging is deployed, but npm run ci:verify -- staging ended with 1");
    expect(log(run, "Deploy staging")).toContain("keeperhub/rogue");
    expect(livePolicies("keeperhub-prod")).toBe("");
    kubectl("-n", "keeperhub", "delete", "networkpolicy", "rogue");
  });

  it("the same run, started anew, deploys and verifies staging and then prod", async () => {
    const run = await world.play("deploy", commit);
    expect(results(run), log(run, "Deploy staging") + log(run, "Deploy prod")).toEqual({
      "Preview staging": "success",
      "Preview prod": "success",
      "Deploy staging": "success",
      "Deploy prod": "success",
    });
    // What those who approve prod read.
    expect(run.get("Preview prod")?.summary).toMatch(/`prod` \| 🔵 \*\*narrower\*\*/);
    for (const { stack, namespace } of ENVIRONMENTS) {
      expect(log(run, `Deploy ${stack}`)).toContain(`${namespace}/${POLICY}: verified`);
      expect(livePolicies(namespace)).toBe(`networkpolicy.networking.k8s.io/${POLICY}`);
    }
    expect(leftovers()).toBe("");
  });

  it("what was deployed has not drifted", async () => {
    const run = await world.play("drift", commit);
    expect(results(run), log(run, "Check staging")).toEqual({
      "Check staging": "success",
      "Check prod": "success",
      Tell: "success",
    });
    expect(world.github.issues).toEqual([]);
  });

  it("a rule that somebody appends to the live policy of prod is an issue, until a deployment takes it away", async () => {
    const rule = { to: [{ ipBlock: { cidr: "10.0.7.0/24" } }] };
    const patch = JSON.stringify([{ op: "add", path: "/spec/egress/-", value: rule }]);
    kubectl("-n", "keeperhub-prod", "patch", "networkpolicy", POLICY, "--type", "json", "-p", patch);

    const found = await world.play("drift", commit);
    expect(results(found)).toEqual({ "Check staging": "success", "Check prod": "failure", Tell: "success" });
    expect(world.github.issues).toHaveLength(1);
    expect(world.github.issues[0]?.body).toContain("it also allows 10.0.7.0/24 on every port");

    const repaired = await world.play("deploy", commit);
    expect(Object.values(results(repaired)), log(repaired, "Deploy prod")).toEqual(Array(4).fill("success"));
    const after = await world.play("drift", commit);
    expect(Object.values(results(after))).toEqual(Array(3).fill("success"));
    expect(world.github.issues).toMatchObject([{ state: "closed" }]);
  });

  it("a run that waited for its approval does not take back what a later run deployed, and its rules are asked for", async () => {
    const preview = await world.play("deploy", commit, { run: "late", jobs: ["Preview staging", "Preview prod"] });
    expect(results(preview)).toMatchObject({ "Preview prod": "success" });
    await world.repository.write("NOTES.md", "A later change.\n");
    const later = await world.repository.commit("a later change");
    world.github.settings.environment("prod", []);
    const ungated = await world.play("deploy", later, { run: "later" });
    expect(results(ungated)).toMatchObject({ "Deploy staging": "success", "Deploy prod": "failure" });
    expect(log(ungated, "Deploy prod")).toContain("the GitHub environment prod has no required reviewers");

    // Staging is at the later commit, prod still waits: no drift.
    const drift = await world.play("drift", later);
    expect(Object.values(results(drift)), log(drift, "Check prod")).toEqual(Array(3).fill("success"));
    expect(log(drift, "Check prod")).toContain(`prod: deployed is commit ${commit}`);
    expect(log(drift, "Check staging")).toContain(`staging: deployed is commit ${later}`);

    world.github.settings.environment("prod", [{ type: "Team", id: 42 }]);
    const approved = await world.play("deploy", later, { run: "later" });
    expect(Object.values(results(approved)), log(approved, "Deploy prod")).toEqual(Array(4).fill("success"));
    const late = await world.play("deploy", commit, { run: "late" });
    expect(results(late)).toMatchObject({ "Deploy staging": "failure", "Deploy prod": "skipped" });
    expect(log(late, "Deploy staging")).toContain(`commit ${commit} is older than ${later}, which is deployed`);
  });

  it("each role needed every action that its file grants, and none was refused to it", async () => {
    expect(world.aws.refused).toEqual([]);
    expect(world.aws.roles.size).toBe(4);
    for (const { name, policy } of world.aws.roles.values()) {
      expect([...(world.aws.used.get(name) ?? [])].sort(), name).toEqual(grantedActions(policy));
    }
  });

  it("the job of a pull request cannot become the role that deploys", async () => {
    const { actions, environments } = world.host("preview", commit);
    const assume = (environment: string) =>
      actions["aws-actions/configure-aws-credentials"]?.(
        {
          "role-to-assume": environments.prod?.AWS_DEPLOY_ROLE ?? "",
          "role-session-name": "try",
          "aws-region": "us-east-2",
          "allowed-account-ids": environments.prod?.AWS_ACCOUNT_ID ?? "",
        },
        { workspace: "", environment, env: {} },
      );
    await expect(assume("prod-preview")).rejects.toThrow(/can't be assumed.*AccessDenied/);
    await expect(assume("staging")).rejects.toThrow(/can't be assumed.*AccessDenied/);
    await assume("prod");
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { earlierManifest } from "../e2e/support/cluster.ts";
import { apply, kubectl, leftovers } from "./lab.ts";
import { ENVIRONMENTS } from "./pipeline/environments.ts";
import { grantedActions } from "./pipeline/iamPolicy.ts";
import type { RunResults } from "./pipeline/playWorkflow.ts";
import { POLICY, type Truth, World } from "./pipeline/world.ts";

const STACKS = ["staging", "prod"] as const;

/** The results of a run, by job. */
function results(run: RunResults): Record<string, string> {
  return Object.fromEntries([...run].map(([name, { result }]) => [name, result]));
}

function log(run: RunResults, job: string): string {
  return run.get(job)?.log ?? "";
}

function expectAll(run: RunResults, jobs: number): void {
  const all = [...run.values()].map((job) => job.log).join("");
  expect(Object.values(results(run)), all).toEqual(Array(jobs).fill("success"));
}

/** Lets the runners of staging reach everything, beside the policy of the stack. */
const ROGUE = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "rogue", namespace: "keeperhub" },
  spec: { podSelector: { matchLabels: { app: "workflow-runner" } }, policyTypes: ["Egress"], egress: [{}] },
};

/** A day of an organisation that begins with nothing but its clusters, in which somebody has applied policies by hand. */
describe("the workflows, from their files, with the roles and rights of access/, on a cluster that enforces policies", () => {
  let world: World;
  /** UIDs of the policies that were applied by hand. */
  let uids: Record<string, string | undefined>;
  const commits: Record<"first" | "opens" | "later" | "closes" | "stopped" | "adopts", string> = {
    ...{ first: "", opens: "", later: "", closes: "", stopped: "", adopts: "" },
  };

  /** Reads what is live and what the state says; the objects are those of the morning, whatever happened to them. */
  async function expectTruth(staging: Partial<Truth>, prod: Partial<Truth>): Promise<void> {
    expect(await world.truth()).toMatchObject({
      staging: { uid: uids.staging, ...staging },
      prod: { uid: uids.prod, ...prod },
    });
  }

  /** Opens or closes TCP 22 on the database's hosts to the runners, in the configs and in what verify expects. */
  async function setSsh(isOpen: boolean): Promise<void> {
    for (const stack of STACKS) {
      await world.repository.edit(`Pulumi.${stack}.yaml`, ({ config, ...file }) => {
        const { "runner-egress:destinations": _, ...others } = config as Record<string, unknown>;
        const open = { "runner-egress:destinations": { database: { ports: ["5432/TCP", "22/TCP"] } } };
        return { ...file, config: { ...others, ...(isOpen && open) } };
      });
      await world.repository.edit(`verify.${stack}.yaml`, ({ targets, ...file }) => ({
        ...file,
        targets: (targets as { to: string }[]).map((target) =>
          target.to.includes(":22/") ? { ...target, expect: isOpen ? "allow" : "deny" } : target,
        ),
      }));
    }
  }

  async function setAdopt(stacks: readonly string[], adopt: boolean): Promise<void> {
    for (const stack of stacks) {
      await world.repository.edit(`Pulumi.${stack}.yaml`, ({ config, ...file }) => {
        const { "runner-egress:adopt": _, ...others } = config as Record<string, unknown>;
        return { ...file, config: { ...others, ...(adopt && { "runner-egress:adopt": true }) } };
      });
    }
  }

  async function commitNote(text: string): Promise<string> {
    await world.repository.write("NOTES.md", `${text}\n`);
    return world.repository.commit(text);
  }

  beforeAll(async () => {
    world = await World.create();
    for (const { namespace } of ENVIRONMENTS) apply(JSON.parse(earlierManifest(namespace)));
    await setAdopt(STACKS, true);
    commits.first = await world.repository.commit("the project");
    const { staging, prod } = await world.truth();
    uids = { staging: staging.uid, prod: prod.uid };
    await expectTruth({ isOurs: false }, { isOurs: false });
  });
  afterAll(() => world?.remove());

  it("a pull request gets one comment about both stacks, and the next push changes that comment", async () => {
    for (const _ of ["opened", "synchronize"]) {
      expectAll(await world.play("preview", commits.first), 3);
    }
    expect(world.github.comments).toHaveLength(1);
    const [{ body } = { body: null }] = world.github.comments;
    for (const stack of STACKS) expect(body).toMatch(new RegExp(`\\| \`${stack}\` \\| .*✅ passed`));
    expect(body).toMatch(/\[staging\]\(https:\S+\/runs\/42\/artifacts\/\d+\), \[prod\]/);
    await expectTruth({ isOurs: false, deployed: undefined }, { isOurs: false, deployed: undefined });
  });

  it("a merge that deploys to staging what is not enforced there does not reach prod", async () => {
    apply(ROGUE);
    const run = await world.play("deploy", commits.first);
    expect(results(run), log(run, "Deploy staging")).toEqual({
      "Preview staging": "success",
      "Preview prod": "success",
      "Deploy staging": "failure",
      "Deploy prod": "skipped",
    });
    expect(log(run, "Deploy staging")).toMatch(/staging is deployed, but node ci\/verify\.ts staging ended with 1/);
    expect(log(run, "Deploy staging")).toContain("keeperhub/rogue");
    await expectTruth({ isOurs: true, deployed: commits.first }, { isOurs: false, deployed: undefined });
    kubectl("-n", "keeperhub", "delete", "networkpolicy", "rogue");
  });

  it("the same run, started anew, adopts and verifies staging and then prod; the objects are the same", async () => {
    const run = await world.play("deploy", commits.first);
    expectAll(run, 4);
    // What those who approve prod read.
    expect(run.get("Preview prod")?.summary).toMatch(/\| `prod` \| .*✅ passed/);
    for (const { stack, namespace } of ENVIRONMENTS) {
      expect(log(run, `Deploy ${stack}`)).toContain(`${namespace}/${POLICY}: verified`);
    }
    expect(leftovers()).toBe("");
    const adopted = { isOurs: true, ssh: false, deployed: commits.first };
    await expectTruth(adopted, adopted);
  });

  it("the first of three changes reaches staging and waits for its approval in prod, which is no drift", async () => {
    await setSsh(true);
    await setAdopt(STACKS, false);
    commits.opens = await world.repository.commit("opens ssh");
    const jobs = ["Preview staging", "Preview prod", "Deploy staging"];
    const run = await world.play("deploy", commits.opens, { run: "opens", jobs });
    expect(results(run), log(run, "Deploy staging")).toMatchObject({
      "Deploy staging": "success",
      "Deploy prod": "skipped",
    });
    // The role of previews may only read.
    expect(run.get("Preview prod")?.summary).toContain("so there was no dry run");
    await expectTruth({ ssh: true, deployed: commits.opens }, { ssh: false, deployed: commits.first });

    const drift = await world.play("drift", commits.opens);
    expectAll(drift, 3);
    expect(log(drift, "Check prod")).toContain(`prod: deployed is commit ${commits.first}`);
    expect(log(drift, "Check staging")).toContain(`staging: deployed is commit ${commits.opens}`);
    expect(world.github.issues).toEqual([]);
  });

  it("the second takes it back; prod refuses where nobody has to approve, and deploys where somebody has", async () => {
    await setSsh(false);
    commits.closes = await world.repository.commit("closes ssh");
    const { settings } = world.github;
    const path = "/repos/example/runner-egress/environments/prod";
    const rules = settings.content.get(path) ?? {};
    settings.environment("prod", []);
    const ungated = await world.play("deploy", commits.closes, { run: "closes" });
    expect(results(ungated), log(ungated, "Deploy staging")).toMatchObject({
      "Deploy staging": "success",
      "Deploy prod": "failure",
    });
    expect(log(ungated, "Deploy prod")).toContain("the GitHub environment prod has no required reviewers");
    await expectTruth({ ssh: false, deployed: commits.closes }, { ssh: false, deployed: commits.first });
    settings.content.set(path, rules);
    expectAll(await world.play("deploy", commits.closes, { run: "closes", jobs: ["Deploy prod"] }), 4);
    await expectTruth({ ssh: false, deployed: commits.closes }, { ssh: false, deployed: commits.closes });
  });

  it("the first one, approved late or re-run, opens nothing again", async () => {
    const approved = await world.play("deploy", commits.opens, { run: "opens", jobs: ["Deploy prod"] });
    expect(results(approved)).toMatchObject({ "Deploy prod": "failure" });
    expect(log(approved, "Deploy prod")).toContain(
      `commit ${commits.opens} is older than ${commits.closes}, which is deployed`,
    );
    const again = await world.play("deploy", commits.opens, { run: "opens" });
    expect(results(again)).toMatchObject({ "Deploy staging": "failure", "Deploy prod": "skipped" });
    expect(log(again, "Deploy staging")).toContain(`commit ${commits.opens} is older than ${commits.closes}`);
    await expectTruth({ ssh: false, deployed: commits.closes }, { ssh: false, deployed: commits.closes });
  });

  it("the third is cancelled while it deploys: the engine ends in an orderly way, and the next attempt is not locked out", async () => {
    await setSsh(true);
    commits.stopped = await world.repository.commit("opens ssh again, and is cancelled");
    const jobs = ["Preview staging", "Preview prod", "Deploy staging"];
    const cancelsAt = /^Updating[\s\S]*pulumi:pulumi:Stack/m;
    const stopped = await world.play("deploy", commits.stopped, { run: "stopped", jobs, cancelsAt });
    expect(results(stopped)).toMatchObject({ "Deploy staging": "failure" });
    expect(log(stopped, "Deploy staging")).toMatch(/SIGINT stopped this step; pulumi was told, and ended with \d+/);
    await expectTruth({}, { ssh: false, deployed: commits.closes });
    // Taken back by a revert, as every change is.
    await setSsh(false);
    commits.later = await world.repository.commit("the revert");
    expectAll(await world.play("deploy", commits.later, { run: "later" }), 4);
    await expectTruth({ ssh: false, deployed: commits.later }, { ssh: false, deployed: commits.later });
  });

  it("a rule that somebody appends to the live policy of prod is an issue", async () => {
    const rule = { to: [{ ipBlock: { cidr: "10.0.7.0/24" } }] };
    const patch = JSON.stringify([{ op: "add", path: "/spec/egress/-", value: rule }]);
    kubectl("-n", "keeperhub-prod", "patch", "networkpolicy", POLICY, "--type", "json", "-p", patch);
    const found = await world.play("drift", commits.later);
    expect(results(found)).toEqual({ "Check staging": "success", "Check prod": "failure", Tell: "success" });
    expect(world.github.issues).toHaveLength(1);
    expect(world.github.issues[0]?.body).toContain("it also allows 10.0.7.0/24 on every port");
    expect(world.github.issues[0]?.body).toContain("somebody changed it since this stack applied it");
  });

  it("a lost state is made anew by the set-up, is told in the comment, and takes the live policy over again", async () => {
    await world.loseState("prod");
    await world.setUp();
    const lost = await commitNote("the state is lost");
    const told = await world.play("preview", lost);
    expect(results(told)).toEqual({ "Preview staging": "success", "Preview prod": "failure", Previews: "failure" });
    expect(world.github.comments.at(-1)?.body).toContain("adopt: true");
    await expectTruth({ deployed: commits.later }, { isOurs: true, deployed: undefined });

    await setAdopt(["prod"], true);
    commits.adopts = await world.repository.commit("adopts prod again");
    expectAll(await world.play("deploy", commits.adopts, { run: "adopts" }), 4);
    const adopted = { isOurs: true, ssh: false, deployed: commits.adopts };
    await expectTruth(adopted, adopted);
    expectAll(await world.play("drift", commits.adopts), 3);
    expect(world.github.issues).toMatchObject([{ state: "closed" }]);
  });

  it("each role needed every action that its file grants, and none was refused to it", async () => {
    expect(world.aws.refused).toEqual([]);
    expect(world.aws.roles.size).toBe(4);
    for (const { name, policy } of world.aws.roles.values()) {
      expect([...(world.aws.used.get(name) ?? [])].sort(), name).toEqual(grantedActions(policy));
    }
  });

  it("the job of a pull request cannot become the role that deploys", async () => {
    const { actions, environments } = world.host("preview", commits.adopts);
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

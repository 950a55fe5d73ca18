import { globSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { judging } from "../ci/steps/judging.ts";
import { ROOT } from "./support/fixtureProject.ts";
import { readDocument } from "./support/markdown.ts";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string | { readonly name: string };
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency: { readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

const PREPARE = ".github/actions/prepare/action.yml";
const files = globSync(".github/workflows/*.yml", { cwd: ROOT }).sort();
const texts = new Map(files.map((file) => [file.replace(/.*\/(.*)\.yml/, "$1"), readDocument(file)]));
const workflows = new Map([...texts].map(([name, text]) => [name, load(text) as Workflow]));
const workflow = (name: string) => workflows.get(name) as Workflow;
const jobs = [...workflows].flatMap(([name, { jobs }]) =>
  Object.entries(jobs).map(([job, content]) => ({ name: `${name}/${job}`, ...content })),
);
const prepare = readDocument(PREPARE);
const prepareSteps = (load(prepare) as { runs: { steps: readonly Step[] } }).runs.steps;
const scripts = JSON.parse(readDocument("package.json")).scripts as Record<string, string>;
const may = (job: Job, permission: string) => job.permissions[permission] === "write";

it("there are four workflows", () => {
  expect([...workflows.keys()]).toEqual(["deploy", "drift", "preview", "test"]);
});

/** An action is the repository's own, or is pinned by commit. */
function expectPinned(text: string): void {
  for (const [line] of text.matchAll(/uses: .*/g)) {
    expect(line).toMatch(/^uses: (\$\/\.github\/actions\/\w+$|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+)/);
  }
}

it("the action that prepares a job pins, runs and hides as the workflows do", () => {
  expectPinned(prepare);
  expect(prepare).not.toContain("secrets.");
  expect(prepareSteps.flatMap(({ run = [] }) => run)).toEqual(["npm ci"]);
  // A cache that another job wrote is code of another job; a deployment has none.
  for (const { uses = "", with: inputs, ...step } of prepareSteps) {
    const condition = JSON.stringify({ ...step, cache: inputs?.cache });
    if (/cache@/.test(uses) || inputs?.cache !== undefined) expect(condition).toContain("inputs.cache == 'true'");
  }
});

describe.each([...texts])("%s", (name, text) => {
  it("gives no permission to a job that does not ask, and pins every action by commit and version", () => {
    expect(workflow(name).permissions).toEqual({});
    expectPinned(text);
  });

  it("has no secret, and no expression inside a command", () => {
    expect(text).not.toContain("secrets.");
    for (const { steps } of Object.values(workflow(name).jobs)) {
      for (const { run } of steps) expect(run ?? "").not.toContain("${{");
    }
  });

  it("runs npm alone: what a step does is a script that runs elsewhere, too", () => {
    const runs = Object.values(workflow(name).jobs).flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));
    for (const run of runs) {
      expect(run).toMatch(/^npm (ci|test|run [\w:]+( -- .*)?)$/);
      for (const [, script] of run.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script as string]);
    }
  });
});

it("one pin of an action serves all", () => {
  const pins = new Set([...texts.values(), prepare].flatMap((text) => text.match(/uses: .*/g) ?? []));
  expect(new Set([...pins].map((pin) => pin.replace(/@.*/, ""))).size).toBe(pins.size);
});

describe.each(jobs)("$name", (job) => {
  it("checks out without leaving its token behind", () => {
    const checkouts = job.steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts).toHaveLength(1);
    expect(checkouts[0]?.with?.["persist-credentials"]).toBe(false);
  });

  it("never has a cloud role and a token that writes to GitHub together", () => {
    const writes = Object.entries(job.permissions).filter(([name, value]) => value === "write" && name !== "id-token");
    expect(may(job, "id-token") && writes.length > 0).toBe(false);
  });

  it("has the deploy role only in the environment of its stack, and never with a cache", () => {
    const text = JSON.stringify(job.steps);
    const deploys = text.includes("AWS_DEPLOY_ROLE");
    expect(deploys).toBe(typeof job.environment === "string");
    if (deploys) expect(text).toContain('"cache":"false"');
    expect(/actions\/cache@|"cache":"npm"/.test(text) && text.includes("AWS_")).toBe(false);
  });
});

it("nobody meets a role with the code of a fork, or through pull_request_target", () => {
  for (const { on } of workflows.values()) expect(on).not.toHaveProperty("pull_request_target");
  expect(workflow("preview").jobs.preview?.if).toBe(
    "github.event.pull_request.head.repo.full_name == github.repository",
  );
  // The required check reports for a fork, too, and is red: a skipped job would leave the pull request waiting for ever.
  expect(workflow("preview").jobs.previews?.if).toBe("!cancelled()");
  expect(texts.get("preview")).toMatch(
    /FROM_FORK: \$\{\{ github\.event\.pull_request\.head\.repo\.full_name != github\.repository \}\}/,
  );
});

it("whoever compares commits has the whole history", () => {
  for (const { name, steps } of jobs) {
    const needs = steps.some(({ run = "" }) => /ci:deploy/.test(run));
    expect(steps[0]?.with?.["fetch-depth"], name).toBe(needs ? 0 : undefined);
  }
});

it("what judges a change has owners", () => {
  const owners = readDocument(".github/CODEOWNERS");
  const folders = [...owners.matchAll(/^\/(\S+)\/ @/gm)].map(([, folder]) => folder as string);
  expect(folders).toEqual(expect.arrayContaining([".github", "access", "analysis", "ci", "guardrails", "policy-pack"]));
  for (const folder of folders) expect(globSync(`${folder}/*`, { cwd: ROOT }).length, folder).toBeGreaterThan(0);
  const touched = ["README.md", "ci/deploy.ts", "policy-pack/readPlan.ts", "policy-packs/x"];
  expect(judging(touched)).toEqual(["ci/deploy.ts", "policy-pack/readPlan.ts"]);
});

it("a deployment is never cancelled, prod comes after staging, and staging waits for nothing of prod", () => {
  const { concurrency, jobs } = workflow("deploy");
  expect(
    [concurrency, jobs.staging?.concurrency, jobs.prod?.concurrency].map((c) => c?.["cancel-in-progress"]),
  ).toEqual([false, false, false]);
  expect(jobs.staging?.needs).toBe("preview-staging");
  expect(jobs["preview-staging"]?.needs).toBeUndefined();
  expect(jobs.prod?.needs).toEqual(["staging", "preview-prod"]);
  expect(jobs.prod?.steps.at(-1)?.run).toContain("ci:deploy -- prod --after staging");
});

describe.each(["docs/promotion.md", "docs/drift.md"])("%s", (file) => {
  const text = readDocument(file);

  it("names scripts, files and variables that there are", () => {
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script as string]);
    const tracked = globSync(["access/*", "docs/*.md", ".github/workflows/*.yml"], { cwd: ROOT }).map((path) =>
      path.replace(/.*\//, ""),
    );
    for (const [, path] of text.matchAll(/(?:`access\/|\]\(|`)([\w-]+\.(?:md|json|ya?ml))\b/g))
      expect(tracked).toContain(path);
  });

  it.runIf(file === "docs/promotion.md")("names every variable that the workflows read", () => {
    const read = [...texts.values()].flatMap((text) =>
      [...text.matchAll(/vars\.(\w+)/g)].map(([, name]) => name as string),
    );
    for (const name of new Set(read)) expect(text).toContain(`\`${name}\``);
  });
});

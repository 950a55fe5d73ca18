import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { judging } from "../tools/setup/repositoryFiles.ts";
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

const files = globSync(".github/workflows/*.yml", { cwd: ROOT }).sort();
const texts = new Map(files.map((file) => [file.replace(/.*\/(.*)\.yml/, "$1"), readDocument(file)]));
const workflows = new Map([...texts].map(([name, text]) => [name, load(text) as Workflow]));
const workflow = (name: string) => workflows.get(name) as Workflow;
const jobs = [...workflows].flatMap(([name, { jobs }]) =>
  Object.entries(jobs).map(([job, content]) => ({ name: `${name}/${job}`, ...content })),
);
const actions = new Map(
  globSync(".github/actions/*/action.yml", { cwd: ROOT }).map((file) => [file.split("/")[2] ?? "", readDocument(file)]),
);
const stepsOf = (action: string) =>
  (load(actions.get(action) ?? "") as { runs: { steps: readonly Step[] } }).runs.steps;
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

/**
 * Every command is npm's or takes the shell's place as the script of npm does, and says nothing that GitHub fills in: what a
 * step does is a script that runs elsewhere, too.
 */
function expectNpmAlone(steps: readonly Step[]): void {
  for (const run of steps.flatMap((step) => step.run ?? [])) {
    expect(run).not.toContain("${{");
    expect(run).toMatch(/^(npm (ci( --omit=dev)?|test|run [\w:]+( -- .*)?)|exec node ci\/deploy\.ts .*)$/);
    for (const [, script] of run.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script as string]);
  }
}

describe.each([...actions])("the action %s", (name, text) => {
  it("pins, runs and hides as the workflows do", () => {
    expectPinned(text);
    expect(text).not.toContain("secrets.");
    expectNpmAlone(stepsOf(name));
  });
});

it("a job with a role has no development packages, and a deployment nothing from a cache: that is code of another job", () => {
  const prepare = stepsOf("prepare");
  expect(prepare.flatMap(({ run = [] }) => run)).toEqual(["npm ci --omit=dev"]);
  for (const { uses = "", with: inputs, ...step } of prepare) {
    const condition = JSON.stringify({ ...step, cache: inputs?.cache });
    if (/cache@/.test(uses) || inputs?.cache !== undefined) expect(condition).toContain("inputs.cache == 'true'");
  }
  expect(stepsOf("deploy")[0]?.with?.cache).toBe("false");
  const previews = Object.entries(workflow("deploy").jobs).filter(([name]) => name.startsWith("preview-"));
  expect(previews).toHaveLength(2);
  for (const [name, { steps }] of previews) expect(steps.at(-1)?.with?.cache, name).toBe("false");
  const withRole = [...texts.values(), ...actions.values()].flatMap((text) => text.match(/run: npm ci.*/g) ?? []);
  expect(withRole).toEqual(["run: npm ci", "run: npm ci --omit=dev"]);
});

describe.each([...texts])("%s", (name, text) => {
  it("gives no permission to a job that does not ask, and pins every action by commit and version", () => {
    expect(workflow(name).permissions).toEqual({});
    expectPinned(text);
  });

  it("has no secret, and runs npm alone", () => {
    expect(text).not.toContain("secrets.");
    for (const { steps } of Object.values(workflow(name).jobs)) expectNpmAlone(steps);
  });
});

it("one pin of an action serves all", () => {
  const pins = new Set([...texts.values(), ...actions.values()].flatMap((text) => text.match(/uses: .*/g) ?? []));
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
    expect(text.includes("actions/deploy")).toBe(deploys);
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
    const needs = steps.some(({ uses = "", run = "" }) => uses.endsWith("/actions/deploy") || /ci:deployed/.test(run));
    expect(steps[0]?.with?.["fetch-depth"], name).toBe(needs ? 0 : undefined);
  }
});

/** Every file of the repository that a step of the workflows or the engine runs, by what imports what. */
function filesThatRun(): Set<string> {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, from, loaded] of readDocument(file).matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
      const target = join(dirname(file), from ?? loaded ?? "");
      if (/\.[jt]s$/.test(target)) visit(target);
    }
  };
  for (const file of [...globSync("ci/*.ts", { cwd: ROOT }), "index.ts", "policy-pack/index.js", "tools/cli/main.ts"]) {
    visit(file);
  }
  return found;
}

it("what judges a change or makes it has owners: every file that the workflows run, and what says which", () => {
  const files = [...filesThatRun()];
  expect(files.length).toBeGreaterThan(100);
  const others = [".github/workflows/deploy.yml", ".npmrc", "Pulumi.yaml", "access/aws-deploy.json", "package.json"];
  const all = [...files, ...others, "package-lock.json"].sort();
  expect(judging([...all, "README.md", "Pulumi.prod.yaml", "policy-packs/x"])).toEqual(all);
  const owned = readDocument(".github/CODEOWNERS").match(/^\/\S+/gm) ?? [];
  for (const path of owned) expect(existsSync(join(ROOT, path)), path).toBe(true);
});

it("a deployment is never cancelled, prod comes after staging, and staging waits for nothing of prod", () => {
  const { concurrency, jobs } = workflow("deploy");
  expect(
    [concurrency, jobs.staging?.concurrency, jobs.prod?.concurrency].map((c) => c?.["cancel-in-progress"]),
  ).toEqual([false, false, false]);
  expect(jobs.staging?.needs).toBe("preview-staging");
  expect(jobs["preview-staging"]?.needs).toBeUndefined();
  expect(jobs.prod?.needs).toEqual(["staging", "preview-prod"]);
  expect(jobs.prod?.steps.at(-1)?.with).toMatchObject({ stack: "prod", after: "staging" });
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
    for (const name of new Set(read)) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });
});

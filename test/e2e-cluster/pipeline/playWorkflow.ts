import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { type Contexts, condition, interpolate } from "./expressions.ts";

/** Values by name, all of them texts. */
export type Texts = Readonly<Record<string, string>>;

interface Step {
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Texts;
}

interface Job {
  readonly name: string;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string | { readonly name: string };
  readonly strategy?: { readonly matrix: { readonly stack: readonly string[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly env?: Texts;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Where the steps of one job run. */
export interface Runner {
  /** The workspace, empty at first. */
  readonly workspace: string;
  /** Name of the GitHub environment; empty without one. */
  readonly environment: string;
  /** What later steps find in their environment. An action adds to it. */
  readonly env: Record<string, string>;
}

/** An action, given the `with` of its step. Throws to fail. */
export type Action = (inputs: Texts, runner: Runner) => Promise<void>;

/** The place of GitHub in a run. */
export interface Host {
  /** The context `github`. */
  readonly github: Contexts;
  /** Variables of the repository, and those of each environment by its name. */
  readonly variables: Texts;
  readonly environments: Readonly<Record<string, Texts>>;
  /** What every step finds in its environment. */
  readonly env: Texts;
  /** By name, without owner's version: `actions/checkout`. */
  readonly actions: Readonly<Record<string, Action>>;
  /** Replaces a command that cannot run here; `undefined` lets it run. */
  readonly replace: (command: string, runner: Runner) => Promise<void> | undefined;
  /** Cancels the run once a step has printed this. */
  readonly cancelsAt?: RegExp | undefined;
}

/** How a job ended, what its steps printed and what it wrote for its summary. */
export interface JobResult {
  readonly result: "success" | "failure" | "skipped";
  readonly log: string;
  readonly summary: string;
}

/** The jobs of a run by their displayed names. */
export type RunResults = ReadonlyMap<string, JobResult>;

/**
 * Plays a workflow file, one job after the other, as far as the workflows of this project use the language: `needs`, `if`, a
 * matrix of stacks, environments with variables, `env`, `with`. Its checks on the host's side (approvals, branches) are not here.
 *
 * @param only displayed names of the jobs to play; the others are as they were in the earlier attempt, or skipped
 * @returns results by the jobs' displayed names
 */
export async function playWorkflow(
  file: string,
  host: Host,
  only?: readonly string[],
  earlier: RunResults = new Map(),
): Promise<RunResults> {
  const workflow = load(await readFile(file, "utf8")) as Workflow;
  const results = new Map<string, JobResult>();
  const needed: Record<string, { result: string }> = {};
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const before = [job.needs ?? []].flat().map((name) => needed[name]?.result);
    const status = { hasFailed: before.some((result) => result !== "success") };
    const contexts = { github: host.github, vars: host.variables, needs: needed };
    const runs = condition(job.if, contexts, status);
    const outcomes: string[] = [];
    for (const stack of job.strategy?.matrix.stack ?? [""]) {
      const matrix = { stack };
      const name = interpolate(job.name, { matrix });
      const skipped = { result: "skipped" as const, log: "", summary: "" };
      const isPlayed = only?.includes(name) !== false;
      const result = !isPlayed
        ? (earlier.get(name) ?? skipped)
        : runs
          ? await playJob(workflow, job, host, { ...contexts, matrix })
          : skipped;
      results.set(name, result);
      outcomes.push(result.result);
    }
    needed[id] = { result: outcomes.find((outcome) => outcome !== "success") ?? "success" };
  }
  return results;
}

async function playJob(workflow: Workflow, job: Job, host: Host, contexts: Contexts): Promise<JobResult> {
  const { environment = "" } = job;
  const named = interpolate(typeof environment === "string" ? environment : environment.name, contexts);
  const own = { ...contexts, vars: { ...host.variables, ...host.environments[named] } };
  const workspace = await mkdtemp(join(tmpdir(), "runner-egress-job-"));
  const summary = join(tmpdir(), `${workspace.split("/").at(-1)}-summary.md`);
  await writeFile(summary, "");
  const runner: Runner = { workspace, environment: named, env: { ...host.env, GITHUB_STEP_SUMMARY: summary } };
  Object.assign(runner.env, resolved(workflow.env, own));
  let log = "";
  let hasFailed = false;
  for (const step of job.steps) {
    if (!condition(step.if, own, { hasFailed })) {
      continue;
    }
    log += `\n## ${step.name}\n`;
    try {
      log += await playStep(step, host, runner, own);
    } catch (error) {
      hasFailed = true;
      log += `${(error as Error).message}\n`;
    }
  }
  const written = await readFile(summary, "utf8");
  await Promise.all([workspace, summary].map((path) => rm(path, { recursive: true })));
  return { result: hasFailed ? "failure" : "success", log, summary: written };
}

async function playStep(step: Step, host: Host, runner: Runner, contexts: Contexts): Promise<string> {
  if (step.uses?.startsWith("$/")) {
    return playComposite(step, host, runner, contexts);
  }
  if (step.uses !== undefined) {
    const name = step.uses.split("@")[0] ?? "";
    const action = host.actions[name];
    if (action === undefined) {
      throw new Error(`nobody plays ${name} here`);
    }
    await action(resolved(step.with, contexts), runner);
    return "";
  }
  const command = step.run ?? "";
  const replacement = host.replace(command, runner);
  if (replacement !== undefined) {
    await replacement;
    return "";
  }
  const { status, output } = await runScript(command, host, runner, resolved(step.env, contexts));
  if (status !== 0) {
    throw new Error(`${output}${command} ended with ${status}`);
  }
  return output;
}

/** Runs a command as GitHub does: a shell with a file, to which alone a cancelled run sends its signal. */
async function runScript(command: string, { cancelsAt }: Host, { workspace, env }: Runner, more: Texts) {
  const file = join(tmpdir(), `${workspace.split("/").at(-1)}-step.sh`);
  await writeFile(file, `${command}\n`);
  const shell = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", file], {
    cwd: workspace,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let isCancelled = false;
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (!isCancelled && cancelsAt?.test(output)) {
        isCancelled = true;
        shell.kill("SIGINT");
      }
    });
  }
  const [status] = await once(shell, "close");
  await rm(file);
  return { status: status as number | null, output };
}

/** Plays an action of the repository itself. Its inputs have their defaults from its file. */
async function playComposite(step: Step, host: Host, runner: Runner, contexts: Contexts): Promise<string> {
  const file = join(runner.workspace, (step.uses ?? "").slice("$/".length), "action.yml");
  const action = load(await readFile(file, "utf8")) as {
    readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
    readonly runs: { readonly steps: readonly Step[] };
  };
  const defaults = Object.fromEntries(
    Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ""]),
  );
  // An action doesn't see the variables of its caller.
  const { vars: _, ...seen } = contexts;
  const own = { ...seen, inputs: { ...defaults, ...resolved(step.with, contexts) } };
  let log = "";
  let hasFailed = false;
  for (const inner of action.runs.steps) {
    if (!condition(inner.if, own, { hasFailed })) {
      continue;
    }
    try {
      log += await playStep(inner, host, runner, own);
    } catch (error) {
      hasFailed = true;
      log += `${(error as Error).message}\n`;
    }
  }
  if (hasFailed) {
    throw new Error(log);
  }
  return log;
}

function resolved(values: Readonly<Record<string, unknown>> = {}, contexts: Contexts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      // The keys of a cache are hashes of files, and there is no cache.
      .filter(([, value]) => !String(value).includes("hashFiles("))
      .map(([key, value]) => [key, interpolate(String(value), contexts)]),
  );
}

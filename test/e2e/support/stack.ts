import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { dump, load } from "js-yaml";
import { ROOT, useFixtureStacks } from "../../support/fixtureProject.ts";
import { mustRun, type Outcome, type RunOptions, run } from "./command.ts";
import type { Network } from "./network.ts";

/** Not part of the copy in which a case runs. */
const LEFT_OUT = new Set(["node_modules", ".git", "test", "coverage"]);

/**
 * A copy of the project in a folder of its own: with the fixtures' stacks, the repository's dependencies, and a state of
 * its own, so that suites may name their stacks as they like.
 */
export class Project {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async copy(): Promise<Project> {
    const directory = await mkdtemp(join(tmpdir(), "runner-egress-e2e-"));
    await cp(ROOT, directory, {
      recursive: true,
      filter: (source) => source === ROOT || !LEFT_OUT.has(basename(source)),
    });
    await useFixtureStacks(directory);
    await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
    await mkdir(stateOf(directory));
    return new Project(directory);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true });
    await rm(stateOf(this.directory), { recursive: true });
  }

  /** Runs a command in the project's folder, with the project's own Node.js. */
  run(command: string, args: readonly string[], { env, ...options }: RunOptions = {}): Promise<Outcome> {
    return run(command, args, { cwd: this.directory, env: { ...this.#environment(), ...env }, ...options });
  }

  /** Starts a command as {@link run} does, in a process group of its own, and does not wait for its end. */
  start(command: string, args: readonly string[]): ChildProcess {
    return spawn(command, args, {
      cwd: this.directory,
      env: { ...process.env, ...this.#environment() },
      detached: true,
    });
  }

  mustRun(command: string, args: readonly string[]): Promise<string> {
    return mustRun(command, args, { cwd: this.directory, env: this.#environment() });
  }

  #environment(): Record<string, string> {
    const path = [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    return { PATH: path, PULUMI_BACKEND_URL: `file://${stateOf(this.directory)}` };
  }

  /** Replaces a text that has to be there, exactly once. */
  async patch(file: string, from: string, to: string): Promise<void> {
    const path = join(this.directory, file);
    const text = await readFile(path, "utf8");
    const found = text.split(from).length - 1;
    if (found !== 1) {
      throw new Error(`${file} has ${found} times ${JSON.stringify(from)}, not once`);
    }
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }

  /** Commits everything, to a repository that is made for the first commit. */
  async commit(message: string): Promise<void> {
    if (!existsSync(join(this.directory, ".git"))) {
      await this.mustRun("git", ["init", "--quiet"]);
      await writeFile(join(this.directory, ".git", "info", "exclude"), "node_modules\n");
    }
    await this.mustRun("git", ["add", "--all", "--", "."]);
    const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    await this.mustRun("git", [...author, "commit", "--quiet", "--allow-empty", "-m", message]);
  }

  /** Makes a stack; its config is what its file says already and `config` on top. */
  async stack(name: string, config: ConfigEntries): Promise<Stack> {
    const stack = new Stack(this, name);
    await stack.configure(config);
    await stack.init();
    return stack;
  }
}

/** Beside the copy, whose tree stays clean. */
function stateOf(directory: string): string {
  return `${directory}-state`;
}

/** Config by key, as in a stack's file; a value of `undefined` takes the key away. */
export type ConfigEntries = Readonly<Record<string, unknown>>;

/** One step of a plan, as `pulumi preview --json` tells it. */
export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly newState?: { readonly inputs: Readonly<Record<string, unknown>> };
  readonly oldState?: { readonly inputs: Readonly<Record<string, unknown>> };
}

/** A stack, driven by the command line as a user does. */
export class Stack {
  readonly #project: Project;
  readonly #name: string;
  readonly #env: Readonly<Record<string, string>>;

  /** @param env what every command finds in its environment on top of the suite's */
  constructor(project: Project, name: string, env: Readonly<Record<string, string>> = {}) {
    this.#project = project;
    this.#name = name;
    this.#env = env;
  }

  /** The same stack in another environment. */
  with(env: Readonly<Record<string, string>>): Stack {
    return new Stack(this.#project, this.#name, env);
  }

  /** Makes the stack in the state. */
  async init(): Promise<void> {
    await this.#project.mustRun("pulumi", ["stack", "init", this.#name, "--non-interactive"]);
  }

  preview(...args: string[]): Promise<Outcome> {
    return this.#pulumi("preview", args);
  }

  /** The engine's events of a preview, as the workflows take them; one that fails has events, too. */
  async previewEvents(): Promise<string> {
    const env = { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "1" };
    return (await this.with({ ...this.#env, ...env }).preview("--json")).stdout;
  }

  /** With its own preview first, as a user runs it. */
  up(...args: string[]): Promise<Outcome> {
    return this.#pulumi("up", ["--yes", ...args]);
  }

  destroy(): Promise<Outcome> {
    return this.#pulumi("destroy", ["--yes"]);
  }

  /** The steps of a preview that change something. */
  async changes(): Promise<Step[]> {
    const { status, stdout } = await this.#pulumi("preview", ["--json"]);
    const { steps, diagnostics = [] } = JSON.parse(stdout) as { steps: Step[]; diagnostics?: { message: string }[] };
    if (status !== 0) {
      throw new Error(diagnostics.map(({ message }) => message).join("\n"));
    }
    return steps.filter(({ op }) => op !== "same");
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.#project.mustRun("pulumi", ["stack", "output", "--json", ...this.#flags()]));
  }

  /** The resources in the stack's state. */
  async state(): Promise<readonly { readonly urn: string }[]> {
    const text = await this.#project.mustRun("pulumi", ["stack", "export", ...this.#flags()]);
    return (JSON.parse(text) as { deployment: { resources?: { urn: string }[] } }).deployment.resources ?? [];
  }

  /** Changes the stack's file. */
  async configure(config: ConfigEntries): Promise<void> {
    const path = join(this.#project.directory, `Pulumi.${this.#name}.yaml`);
    const file = load(await readFile(path, "utf8").catch(() => "{}")) as { config?: ConfigEntries };
    // Through JSON, which drops the keys that are to be taken away.
    const changed: unknown = JSON.parse(JSON.stringify({ ...file, config: { ...file.config, ...config } }));
    await writeFile(path, dump(changed));
  }

  #flags(): string[] {
    return ["--stack", this.#name, "--non-interactive", "--color", "never"];
  }

  #pulumi(command: string, args: readonly string[]): Promise<Outcome> {
    return this.#project.run("pulumi", [command, ...args, ...this.#flags()], { env: this.#env });
  }
}

/** The items of the last list under a heading in what a command printed. */
export function listUnder(heading: string, output: string): string[] {
  const start = output.lastIndexOf(heading);
  const [paragraph = ""] = start < 0 ? [] : output.slice(start).split("\n\n");
  return [...paragraph.matchAll(/^ +- (.*)$/gm)].map(([, item]) => item ?? "");
}

/** Config of a stack for a network, whose cluster is the suite's. */
export function configFor(network: Network, namespace: string): ConfigEntries {
  return {
    "aws:region": network.region,
    "runner-egress:vpc": { name: network.name },
    "runner-egress:databaseSubnets": { subnetGroup: `${network.name}-db` },
    "runner-egress:cluster": { eks: network.name, context: process.env.E2E_CONTEXT },
    "runner-egress:runner": { namespace },
  };
}

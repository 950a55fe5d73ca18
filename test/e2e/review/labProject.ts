import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What is not part of the program, or would be shared by copies. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", "node_modules", "coverage", "test"]);

/** What a command of the lab printed and returned. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of the project that a test may change, with both stacks configured for the lab. */
export interface LabProject {
  readonly folder: string;
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandResult>;
  /** Like {@link run}, and an error with the output unless the command succeeds. */
  must(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** Replaces a text that has to be there, exactly once. */
  patch(file: string, from: string, to: string): Promise<void>;
  /** The engine events of a preview, as the workflows take them. */
  preview(stack: string, ...args: readonly string[]): Promise<CommandResult>;
  remove(): Promise<void>;
}

/** Whether the programs of the lab are there. */
export function isInLab(): boolean {
  return process.env.KUBECONFIG !== undefined && process.env.AWS_ENDPOINT_URL !== undefined;
}

/** The stack's own config, but the API server is the lab's. */
export const LAB_STACKS: Readonly<Record<string, string>> = { staging: "us-east-1", prod: "us-east-2" };

/** The namespace of a stack's runners in the lab. */
export function labNamespace(stack: string): string {
  return stack === "staging" ? "keeperhub" : `keeperhub-${stack}`;
}

/** Copies the project to a new folder and points both stacks at the lab. */
export async function labProject(): Promise<LabProject> {
  const folder = await mkdtemp(join(tmpdir(), "runner-egress-"));
  for (const name of await readdir(ROOT)) {
    if (!LEFT_OUT.has(name)) {
      await cp(join(ROOT, name), join(folder, name), { recursive: true });
    }
  }
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [stack, region] of Object.entries(LAB_STACKS)) {
    const config = [
      "config:",
      `  aws:region: ${region}`,
      "  runner-egress:cluster:",
      `    eks: techops-${stack}`,
      "    context: lab",
      "  runner-egress:vpc:",
      `    name: techops-${stack}`,
      "  runner-egress:databaseSubnets:",
      `    subnetGroup: techops-${stack}-db`,
      // The lab has one cluster for both stacks.
      ...(stack === "staging" ? [] : ["  runner-egress:runner:", `    namespace: ${labNamespace(stack)}`]),
    ];
    await writeFile(join(folder, `Pulumi.${stack}.yaml`), `${config.join("\n")}\n`);
  }
  for (const stack of Object.keys(LAB_STACKS)) {
    const config = join(folder, `policy-pack/config.${stack}.json`);
    const text = await readFile(config, "utf8");
    await writeFile(
      config,
      text
        .replace('"namespaces": ["keeperhub"]', `"namespaces": ["${labNamespace(stack)}"]`)
        .replace('"keeperhub/', `"${labNamespace(stack)}/`),
    );
  }
  const run: LabProject["run"] = (command, args, env = {}) => execute(folder, command, args, env);
  const must: LabProject["must"] = async (command, args, env) => {
    const { status, stdout, stderr } = await run(command, args, env);
    if (status !== 0) {
      throw new Error(`${command} ${args.join(" ")} failed with ${status}:\n${stdout}\n${stderr}`);
    }
    return stdout;
  };
  return {
    folder,
    run,
    must,
    patch: async (file, from, to) => {
      const path = join(folder, file);
      const text = await readFile(path, "utf8");
      if (text.split(from).length !== 2) {
        throw new Error(`${file} has ${text.split(from).length - 1} times ${JSON.stringify(from)}, not once`);
      }
      await writeFile(
        path,
        text.replace(from, () => to),
      );
    },
    preview: (stack, ...args) =>
      run("pulumi", ["preview", "--json", "--stack", stack, ...args], { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "1" }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function execute(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env.PATH ?? ""}`;
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      { cwd, env: { ...process.env, PATH: path, ...env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

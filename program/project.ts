import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { isObject } from "../analysis/plainObject.ts";
import { type Problem, ProblemsError } from "../analysis/problems.ts";

/** A Pulumi project on disk. */
export interface Project {
  readonly name: string;
  /** The folder of `Pulumi.yaml`, absolute. */
  readonly directory: string;
}

/** A stack's config: full keys (`NAMESPACE:NAME`) and the values as strings, objects and lists as JSON. */
export type ConfigValues = Readonly<Record<string, string>>;

/** What `Pulumi.yaml` calls this project. */
export const PROJECT_NAME = "runner-egress";

/** The repository's own folder, or the installed package's. */
const OWN_FOLDER = fileURLToPath(new URL("..", import.meta.url));

/**
 * Reads the project in which a command runs: the nearest of its name upward from the user's folder, or else the one to
 * which this file belongs. Commands say which by the path of the facts that they read (`provenanceOf`).
 *
 * @param from Default: the working directory.
 * @throws {ProblemsError} if there is none, or a `Pulumi.yaml` on the way can't be read.
 */
export async function readProject(from: string = process.cwd()): Promise<Project> {
  for (const directory of [...foldersUpward(resolve(from)), OWN_FOLDER]) {
    const path = join(directory, "Pulumi.yaml");
    if (!existsSync(path)) {
      continue;
    }
    const { name } = await readYaml(path);
    if (typeof name !== "string") {
      throw new ProblemsError("The project can't be read:", [{ where: path, reason: "has no name" }]);
    }
    if (name === PROJECT_NAME) {
      return { name, directory };
    }
  }
  const reason = `neither this folder nor one above it has a Pulumi.yaml of the project ${PROJECT_NAME}`;
  throw new ProblemsError("There is no project here:", [{ where: resolve(from), reason }]);
}

function foldersUpward(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersUpward(above)];
}

/** The stacks that have a config, by name and `prod` last: the order in which a change reaches them. */
export async function stacksOf({ directory }: Pick<Project, "directory">): Promise<string[]> {
  const names = (await readdir(directory)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  return names.sort((a, b) => Number(a === "prod") - Number(b === "prod") || (a < b ? -1 : 1));
}

/**
 * A stack's config as its program gets it from Pulumi: a key without a namespace belongs to the project.
 *
 * @throws {ProblemsError} if `Pulumi.STACK.yaml` is missing, or if a value is encrypted: only Pulumi can read that.
 */
export async function readStackConfig({ name, directory }: Project, stack: string): Promise<ConfigValues> {
  const path = join(directory, `Pulumi.${stack}.yaml`);
  const { config = {} } = await readYaml(path);
  const problems: Problem[] = [];
  if (!isObject(config)) {
    problems.push({ where: `${path}: config`, value: config, reason: "must be a mapping" });
  }
  const values = Object.entries(isObject(config) ? config : {}).map(([key, value]): [string, string] => {
    const fullKey = key.includes(":") ? key : `${name}:${key}`;
    // Others are not read.
    if (isEncrypted(value) && [name, "aws"].includes(fullKey.split(":")[0] ?? "")) {
      problems.push({ where: `${path}: ${fullKey}`, reason: "is encrypted; only Pulumi can read it" });
    }
    return [fullKey, asString(value)];
  });
  if (problems.length > 0) {
    throw new ProblemsError(`The config of stack ${stack} can't be read:`, problems);
  }
  return Object.fromEntries(values);
}

/** Reads a YAML file of one mapping. */
export async function readYaml(path: string): Promise<Record<string, unknown>> {
  let reason: string;
  try {
    const content = load(await readFile(path, "utf8")) ?? {};
    if (isObject(content)) {
      return content;
    }
    reason = "must hold a mapping";
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    reason = code === undefined ? `is not YAML: ${message}` : `can't be read: ${message}`;
  }
  throw new ProblemsError("The project can't be read:", [{ where: path, reason }]);
}

/** Whether a value, or one inside of it, is written as `{secure: TEXT}`. */
function isEncrypted(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const { secure, ...others } = value as Record<string, unknown>;
  return (typeof secure === "string" && Object.keys(others).length === 0) || Object.values(value).some(isEncrypted);
}

function asString(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
}

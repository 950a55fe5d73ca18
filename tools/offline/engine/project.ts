import { resolve } from "node:path";
import { isObject } from "../../../program/config/fields.ts";
import { ProjectError } from "./projectError.ts";
import { readYaml } from "./yamlFile.ts";

/** A project: the parts of `Pulumi.yaml` that a run of its program needs. */
export interface Project {
  readonly name: string;
  /** Folder of `Pulumi.yaml`, absolute. */
  readonly directory: string;
  /** Entry of the program relative to the folder; `.` when `package.json` says it. */
  readonly main: string;
  /** Whether the SDK compiles the program with ts-node (`runtime.options.typescript`, by default true). */
  readonly typescript: boolean;
  /** Flags for Node.js (`runtime.options.nodeargs`). */
  readonly nodeArguments: readonly string[];
  /** The declared config by key, as written. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Reads `Pulumi.yaml` in a folder. Throws `ProjectError` where the file is missing or isn't one of a project. */
export async function readProject(folder: string): Promise<Project> {
  const directory = resolve(folder);
  const path = `${directory}/Pulumi.yaml`;
  const { name, main, runtime, config = {} } = await readYaml(path);
  if (typeof name !== "string") {
    throw new ProjectError([`${path}: 'name' is missing`]);
  }
  if (!isObject(config)) {
    throw new ProjectError([`${path}: 'config' must be a mapping`]);
  }
  const options = isObject(runtime) && isObject(runtime.options) ? runtime.options : {};
  const { typescript = true, nodeargs = "" } = options;
  return {
    name,
    directory,
    main: typeof main === "string" ? main : ".",
    typescript: typescript !== false,
    nodeArguments: String(nodeargs).split(/\s+/).filter(Boolean),
    config,
  };
}

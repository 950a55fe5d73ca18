import { readFile } from "node:fs/promises";
import { loadAll } from "js-yaml";
import { isObject } from "../../../program/config/fields.ts";
import { ProjectError } from "./projectError.ts";

/** Reads a YAML file that holds a mapping. Throws `ProjectError` where it isn't there or holds something else. */
export async function readYaml(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new ProjectError([`${path} can't be read: ${(error as Error).message}`]);
  }
  let content: unknown;
  try {
    [content] = loadAll(text);
  } catch (error) {
    throw new ProjectError([`${path} is no YAML: ${(error as Error).message}`]);
  }
  if (!isObject(content)) {
    throw new ProjectError([`${path} must hold a mapping`]);
  }
  return content;
}

import { readFile } from "node:fs/promises";
import { parse } from "yaml";
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
    content = parse(text);
  } catch (error) {
    throw new ProjectError([`${path} is no YAML: ${(error as Error).message}`]);
  }
  if (!isMapping(content)) throw new ProjectError([`${path} must hold a mapping`]);
  return content;
}

/** True for a mapping, false for a list, a scalar and nothing. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

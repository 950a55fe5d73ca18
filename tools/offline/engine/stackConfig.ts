import { isObject } from "../../../program/config/fields.ts";
import type { Project } from "./project.ts";
import { ProjectError } from "./projectError.ts";
import { readYaml } from "./yamlFile.ts";

/** Config of a stack: full keys (`NAMESPACE:NAME`) and the values as text, objects and lists as JSON. */
export type ConfigValues = Readonly<Record<string, string>>;

/**
 * Reads `Pulumi.STACK.yaml` beside `Pulumi.yaml` and applies what the project declares, as the Pulumi CLI does
 * (sdk/go/common/workspace/config.go, 3.250): keys without a namespace belong to the project, defaults and values of
 * the project fill in, a declared key without either is required, a declared type is checked.
 * Throws `ProjectError` with every problem.
 */
export async function readStackConfig(project: Project, stack: string): Promise<ConfigValues> {
  const { config = {} } = await readYaml(`${project.directory}/Pulumi.${stack}.yaml`);
  if (!isObject(config)) {
    throw new ProjectError([`Pulumi.${stack}.yaml: 'config' must be a mapping`]);
  }
  return resolveStackConfig(project, stack, config);
}

/** The same for a stack's config that has been read already. */
export function resolveStackConfig(
  { name, config: declarations }: Pick<Project, "name" | "config">,
  stack: string,
  own: Readonly<Record<string, unknown>>,
): ConfigValues {
  const values = new Map(Object.entries(own).map(([key, value]) => [fullKey(name, key), value]));
  const problems: string[] = [];
  const missing: string[] = [];

  for (const [key, value] of values) {
    if (isEncrypted(value)) {
      problems.push(`Stack '${stack}' with configuration key '${key}' is encrypted, which can't be read offline`);
    }
  }
  for (const [declaredKey, written] of Object.entries(declarations).sort()) {
    const key = fullKey(name, declaredKey);
    const declaration = declarationOf(written);
    if (values.has(key)) {
      const { type } = declaration;
      if (typeof type === "string" && !isOfType(values.get(key), type, declaration.items)) {
        const typeName = fullTypeName(type, declaration.items);
        problems.push(`Stack '${stack}' with configuration key '${declaredKey}' must be of type '${typeName}'`);
      }
      continue;
    }
    const value = declaration.default ?? declaration.value;
    if (value !== undefined && value !== null) {
      values.set(key, value);
    } else if (key.startsWith(`${name}:`)) {
      missing.push(declaredKey);
    }
  }
  if (missing.length > 0) {
    const list = new Intl.ListFormat("en").format(missing.map((key) => `'${key}'`));
    problems.unshift(`Stack '${stack}' is missing configuration value${missing.length > 1 ? "s" : ""} ${list}`);
  }
  if (problems.length > 0) {
    throw new ProjectError(problems);
  }
  return Object.fromEntries([...values].map(([key, value]) => [key, asText(value)]));
}

function fullKey(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

/** A declaration in full: a scalar or a list alone is the default. */
function declarationOf(written: unknown): Record<string, unknown> {
  return isObject(written) ? written : { default: written };
}

function isEncrypted(value: unknown): boolean {
  if (Array.isArray(value)) {
    return value.some(isEncrypted);
  }
  if (!isObject(value)) {
    return false;
  }
  return (
    (typeof value.secure === "string" && Object.keys(value).length === 1) || Object.values(value).some(isEncrypted)
  );
}

/** Whether a value has a declared type. A scalar in a stack's file is text to the CLI, so any scalar is a string. */
function isOfType(value: unknown, type: string, items: unknown): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array": {
      const { type: itemType, items: itemItems } = isObject(items) ? items : {};
      return Array.isArray(value) && value.every((item) => isItemOfType(item, itemType, itemItems));
    }
    case "integer":
      return isScalar(value) && /^[+-]?\d+$/.test(String(value));
    case "boolean":
      return value === true || value === false || value === "true" || value === "false";
    default:
      return isScalar(value);
  }
}

/** The same for an item of a list, where a string has to be one. */
function isItemOfType(value: unknown, type: unknown, items: unknown): boolean {
  if (typeof type !== "string") {
    return true;
  }
  return type === "string" ? typeof value === "string" : isOfType(value, type, items);
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function fullTypeName(type: string, items: unknown): string {
  if (type !== "array" || !isObject(items)) {
    return type;
  }
  return `array<${fullTypeName(String(items.type), items.items)}>`;
}

function asText(value: unknown): string {
  if (value === null || value === undefined) {
    return "";
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

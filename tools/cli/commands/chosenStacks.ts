import { type Project, stacksOf } from "../../../program/project.ts";
import { UsageError } from "../errors.ts";

/**
 * The stacks that `--stack` names, each once and in the order in which a change reaches them.
 *
 * @param named default: every stack that has a config
 * @throws {UsageError} if one has no config, or if none has
 */
export async function chosenStacks(project: Project, named: readonly string[] | undefined): Promise<string[]> {
  const known = await stacksOf(project);
  const unknown = (named ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0 || known.length === 0) {
    throw new UsageError(
      `${unknown.map((name) => `--stack ${name}: there is no Pulumi.${name}.yaml`).join("; ") || "there is no stack"}; ` +
        `${project.directory} has ${known.map((name) => `Pulumi.${name}.yaml`).join(", ") || "no Pulumi.STACK.yaml"}`,
    );
  }
  return known.filter((name) => named?.includes(name) ?? true);
}

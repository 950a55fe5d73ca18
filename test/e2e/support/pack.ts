import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { POLICY_NAME } from "./cluster.ts";
import type { Project } from "./stack.ts";

/**
 * Writes the policy pack's settings for a stack of the suite: those of staging, for another network and another namespace of
 * the runners. Sandbox and executor stay where they are.
 *
 * @param prefix the first two numbers of the network's /16
 */
export async function configurePack(
  project: Project,
  stack: string,
  { namespace, prefix }: { readonly namespace: string; readonly prefix: string },
): Promise<void> {
  const folder = join(project.directory, "policy-pack");
  const text = await readFile(join(folder, "config.staging.json"), "utf8");
  const config = JSON.parse(text.replaceAll(/"10\.\d+\./g, `"${prefix}.`));
  config.declaration.runner.namespaces = [namespace];
  config.declaration.policies = [`${namespace}/${POLICY_NAME}`];
  await writeFile(join(folder, `config.${stack}.json`), JSON.stringify(config));
}

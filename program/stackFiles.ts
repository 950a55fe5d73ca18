import { readConfig } from "./config/readConfig.ts";
import type { StackConfig } from "./config/stackConfig.ts";
import type { RecordedFacts } from "./facts/recordedFacts.ts";
import { readRecordedFacts, recordedFactsPath, requireSameRegion } from "./facts/recordedFactsFile.ts";
import { type ConfigValues, type Project, readStackConfig } from "./project.ts";

/** What a stack's files say: `Pulumi.STACK.yaml` and `facts/STACK.json`. */
export interface StackFiles {
  readonly project: Project;
  readonly stack: string;
  /** The config as its program gets it from Pulumi. */
  readonly values: ConfigValues;
  /** The same, read and checked. */
  readonly config: StackConfig;
  readonly facts: RecordedFacts;
}

/**
 * Reads and checks the config of a stack from `Pulumi.STACK.yaml`.
 *
 * @throws {ProblemsError} with every problem of it
 */
export async function readConfigFile(project: Project, stack: string): Promise<Pick<StackFiles, "values" | "config">> {
  const values = await readStackConfig(project, stack);
  return { values, config: readConfig({ project: project.name, stack, values }) };
}

/**
 * Reads the files of a stack.
 *
 * @throws {NoFactsError} if no facts are recorded yet
 * @throws {ProblemsError} with every problem of a file
 */
export async function readStackFiles(project: Project, stack: string): Promise<StackFiles> {
  const { values, config } = await readConfigFile(project, stack);
  const facts = await readRecordedFacts(recordedFactsPath(project, stack));
  requireSameRegion(facts, values, stack);
  return { project, stack, values, config, facts };
}

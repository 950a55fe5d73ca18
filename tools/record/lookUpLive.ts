import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { ProblemsError } from "../../analysis/problems.ts";
import { loadConfig } from "../../program/config/loadConfig.ts";
import type { StackConfig } from "../../program/config/stackConfig.ts";
import { recordedFacts } from "../../program/facts/recordAnswers.ts";
import type { RecordedFacts } from "../../program/facts/recordedFacts.ts";
import { askAws } from "../../program/lookups/askAws.ts";
import type { AwsAnswers } from "../../program/lookups/awsAnswers.ts";
import { judgeNetwork } from "../../program/lookups/judgeNetwork.ts";
import { awsProvider } from "../../program/lookups/providers.ts";
import { type Project, readYaml } from "../../program/project.ts";
import { RefusedError } from "../../program/refusedError.ts";
import { readConfigFile } from "../../program/stackFiles.ts";

/** What `source` says of facts that were recorded. */
const SOURCE = "looked up live by `npm run record`";

/** Why the lookups can't run. */
export class LookUpFailure extends Error {
  override readonly name = "LookUpFailure";
}

/**
 * Looks up the network of a stack with the program's own lookups and the credentials of the environment. Runs them in a
 * preview by the Pulumi CLI, which must be on PATH, with a copy of the stack's config and a state of their own that is
 * thrown away: nothing of the stack is touched, and its cluster is not asked.
 *
 * @throws {ProblemsError} if the config can't be used
 * @throws {RefusedError} if the program would refuse what they find
 * @throws {LookUpFailure} if they can't run
 */
export async function lookUpLive(project: Project, stackName: string, now: Date): Promise<RecordedFacts> {
  // Before the Pulumi CLI is needed for anything.
  await readConfigFile(project, stackName);
  let refusal: unknown;
  const workDir = await mkdtemp(join(tmpdir(), "runner-egress-record-"));
  try {
    await copyFile(join(project.directory, "Pulumi.yaml"), join(workDir, "Pulumi.yaml"));
    // Without the encryption of the stack's own state; what needs it can't be a choice of network.
    const { config } = await readYaml(join(project.directory, `Pulumi.${stackName}.yaml`));
    await writeFile(join(workDir, `Pulumi.${stackName}.yaml`), JSON.stringify({ config }));
    let found: { config: StackConfig; answers: AwsAnswers } | undefined;
    const stack = await LocalWorkspace.createOrSelectStack(
      {
        stackName,
        projectName: project.name,
        program: async () => {
          try {
            const config = loadConfig();
            found = { config, answers: await askAws(config, awsProvider(config.aws)) };
          } catch (error) {
            refusal = error;
            throw error;
          }
        },
      },
      { workDir, envVars: { PULUMI_BACKEND_URL: `file://${workDir}`, PULUMI_CONFIG_PASSPHRASE: "none" } },
    );
    await stack.preview();
    if (found === undefined) {
      throw new LookUpFailure(`the preview of ${stackName} ended before its lookups did`);
    }
    return recordedFacts(found.config, judgeNetwork(found.config, found.answers), {
      source: SOURCE,
      recordedAt: now.toISOString().replace(/\.\d+Z$/, "Z"),
    });
  } catch (error) {
    if (error instanceof ProblemsError) {
      throw new RefusedError(error.message);
    }
    if (!(error instanceof CommandError)) {
      throw error;
    }
    // What the CLI printed of it is the same twice over, and a stack trace.
    if (refusal instanceof ProblemsError) {
      throw new RefusedError(refusal.message);
    }
    const hint = /ENOENT/.test(error.message) ? "the Pulumi CLI is not installed or not on PATH" : error.message;
    throw new LookUpFailure(`the lookups of ${stackName} could not run: ${hint}`);
  } finally {
    await rm(workDir, { recursive: true });
  }
}

import { relative } from "node:path";
import { Command } from "commander";
import { EXIT, EXIT_HELP, runCommand, stackOption, stacksOf } from "./commandLine.ts";
import { readProject } from "./engine/project.ts";
import { projectDirectory } from "./engine/projectDirectory.ts";
import { lookUpLive } from "./lookUpLive.ts";
import { recordedFactsPath, writeRecordedFacts } from "./recordedFactsFile.ts";

const HELP = `
Needs the Pulumi CLI and AWS credentials with the rights of a preview; asks no cluster and changes nothing on AWS.

Examples:
  npm run record -- --stack staging
  AWS_PROFILE=prod-readonly npm run record -- --stack prod

${EXIT_HELP}`;

/**
 * Writes `facts/STACK.json` from live lookups: for every chosen stack or, when one can't be looked up, for none.
 *
 * @param directory the project's folder; default: the nearest from the working directory upward
 * @returns the exit status
 */
export function main(args: readonly string[], directory?: string): Promise<number> {
  return runCommand<{ stack: string[] }>(args, async () => {
    const project = await readProject(directory ?? projectDirectory());
    const command = new Command("npm run record --")
      .description("Looks up the network of a stack and records the facts for offline runs in facts/STACK.json.")
      .addOption(stackOption(await stacksOf(project), "record this stack; may be repeated").makeOptionMandatory())
      .addHelpText("after", HELP);
    return {
      command,
      act: async ({ stack }) => {
        const facts = [];
        for (const name of stack) {
          facts.push([name, await lookUpLive(project, name)] as const);
        }
        for (const [name, found] of facts) {
          const path = recordedFactsPath(project, name);
          const isWritten = await writeRecordedFacts(path, found);
          console.log(`${relative(process.cwd(), path)}: ${isWritten ? "written" : "unchanged"}`);
        }
        return EXIT.succeeded;
      },
    };
  });
}

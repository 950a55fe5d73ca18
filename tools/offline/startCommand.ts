import { Command, Option } from "commander";
import { EXIT, EXIT_HELP, isForUser, runCommand, stackOption, stacksOf } from "./commandLine.ts";
import { type Project, readProject } from "./engine/project.ts";
import { projectDirectory } from "./engine/projectDirectory.ts";
import type { Run } from "./engine/run.ts";
import { jsonReport, yamlReport } from "./report/machine.ts";
import { messages, type StackReport, stackReport } from "./report/stackReport.ts";
import { textReport } from "./report/text.ts";
import { runStack } from "./runStack.ts";

const OUTPUTS = { table: textReport, yaml: yamlReport, json: jsonReport };

const HELP = `
Examples:
  npm start                                          every stack, and what differs between them
  npm start -- --stack prod                          one stack
  npm start --silent -- --output yaml | kubectl apply --dry-run=server -f -
  npm start --silent -- --output json | jq .differences

${EXIT_HELP}`;

/**
 * Runs the stacks' program offline and shows the facts, the rules and the differences: results on stdout, everything
 * else on stderr.
 *
 * @param directory the project's folder; default: the nearest from the working directory upward
 * @returns the exit status
 */
export function main(args: readonly string[], directory?: string): Promise<number> {
  return runCommand<{ stack?: string[]; output: keyof typeof OUTPUTS }>(args, async () => {
    const project = await readProject(directory ?? projectDirectory());
    const known = await stacksOf(project);
    const command = new Command("npm start --")
      .description(
        "Shows each stack's policy, computed by the real program from the facts in recorded/. Needs no network.",
      )
      .addOption(stackOption(known, "show this stack only; may be repeated"))
      .addOption(new Option("--output <format>", "how to show it").choices(Object.keys(OUTPUTS)).default("table"))
      .addHelpText("after", HELP);
    return {
      command,
      act: async ({ stack, output }) => {
        const stacks = known.filter((name) => stack?.includes(name) ?? true);
        const reports = await Promise.all(stacks.map((name) => reportOn(project, name)));
        const succeeded = reports.filter((report) => report !== undefined);
        if (succeeded.length < reports.length) {
          return EXIT.failed;
        }
        process.stdout.write(OUTPUTS[output](succeeded));
        return EXIT.succeeded;
      },
    };
  });
}

/** Runs one stack and says on stderr what there is to say of it; `undefined` where it failed. */
async function reportOn(project: Project, stack: string): Promise<StackReport | undefined> {
  let lines: string[];
  let report: StackReport | undefined;
  try {
    const run = await runStack({ project, stack });
    lines = diagnosticLines(run);
    report = run.succeeded ? stackReport(stack, run) : undefined;
  } catch (error) {
    // Of one stack alone; what the others say counts, too.
    if (!isForUser(error)) {
      throw error;
    }
    lines = [diagnosticLine("error", error.message)];
  }
  if (lines.length > 0) {
    console.error(`Diagnostics of ${stack}:\n${lines.join("\n")}\n`);
  }
  return report;
}

function diagnosticLines({ diagnostics }: Run): string[] {
  return (["error", "warning", "info"] as const).flatMap((severity) =>
    messages(diagnostics, severity).map((message) => diagnosticLine(severity, message)),
  );
}

function diagnosticLine(severity: string, message: string): string {
  return `  ${severity}: ${message.replaceAll("\n", "\n    ")}`;
}

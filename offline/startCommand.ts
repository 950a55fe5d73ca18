import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { ProblemsError } from "../rules/problem.ts";
import { type Project, readProject } from "./engine/project.ts";
import { ProjectError } from "./engine/projectError.ts";
import type { Run } from "./engine/run.ts";
import { jsonReport, yamlReport } from "./report/machine.ts";
import { messages, type StackReport, stackReport } from "./report/stackReport.ts";
import { textReport } from "./report/text.ts";
import { runStack } from "./runStack.ts";

/** The program ran for every stack. */
const SUCCEEDED = 0;
/** The program failed for a stack, or it could not run. */
const FAILED = 1;
/** The command was not used as it can be. */
const MISUSED = 3;

const OUTPUTS = { table: textReport, yaml: yamlReport, json: jsonReport };

const EXAMPLES = `
Examples:
  npm start                                          every stack, and what differs between them
  npm start -- --stack prod                          one stack
  npm start --silent -- --output yaml | kubectl apply --dry-run=server -f -
  npm start --silent -- --output json | jq .differences

Exit status: 0 when the program ran for every stack, 1 when it failed, 3 when an option is wrong.`;

interface Options {
  readonly stack?: readonly string[];
  readonly output: keyof typeof OUTPUTS;
}

/**
 * Runs the stacks' program offline and shows the facts, the rules and the differences: results on stdout, everything
 * else on stderr.
 *
 * @returns the exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  const command = new Command("npm start --")
    .description(
      "Shows each stack's egress policy, computed by the real program from the facts in recorded/. Needs no network.",
    )
    .option("--stack <name>", "show this stack only; may be repeated", (name, names?: string[]) => [
      ...(names ?? []),
      name,
    ])
    .addOption(new Option("--output <format>", "how to show it").choices(Object.keys(OUTPUTS)).default("table"))
    .allowExcessArguments(false)
    .addHelpText("after", EXAMPLES)
    .exitOverride();
  let options: Options;
  try {
    options = command.parse(args, { from: "user" }).opts<Options>();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? SUCCEEDED : MISUSED;
    throw error;
  }

  try {
    const project = await readProject(join(import.meta.dirname, ".."));
    const known = await stacksOf(project);
    const { stack: chosen = known } = options;
    const unknown = chosen.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
      console.error(`error: there is no stack ${unknown.join(", ")}; there are ${known.join(", ")}`);
      return MISUSED;
    }
    const stacks = known.filter((name) => chosen.includes(name));
    const reports = (await Promise.all(stacks.map((stack) => reportOn(project, stack)))).filter((r) => r !== undefined);
    if (reports.length < stacks.length) return FAILED;
    process.stdout.write(OUTPUTS[options.output](reports));
    return SUCCEEDED;
  } catch (error) {
    if (!(error instanceof ProjectError || error instanceof ProblemsError)) throw error;
    console.error(`error: ${error.message}`);
    return FAILED;
  }
}

/** The stacks that have a config, staging first: the order in which a change reaches them. */
async function stacksOf({ directory }: Project): Promise<string[]> {
  const names = (await readdir(directory)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  return names.sort().reverse();
}

/** Runs one stack and repeats on stderr what the program said; `undefined` where it failed. */
async function reportOn(project: Project, stack: string): Promise<StackReport | undefined> {
  const run = await runStack({ project, stack });
  const lines = diagnosticLines(run);
  if (lines.length > 0) console.error(`Diagnostics of ${stack}:\n${lines.join("\n")}\n`);
  return run.succeeded ? stackReport(stack, run) : undefined;
}

function diagnosticLines({ diagnostics }: Run): string[] {
  return (["error", "warning", "info"] as const).flatMap((severity) =>
    messages(diagnostics, severity).map((message) => `  ${severity}: ${message.replaceAll("\n", "\n    ")}`),
  );
}

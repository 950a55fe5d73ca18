import { createRequire } from "node:module";
import { Option } from "commander";
import { ProblemsError } from "../../../analysis/problems.ts";
import { provenanceOf } from "../../../program/facts/provenance.ts";
import { NoFactsError } from "../../../program/facts/recordedFactsFile.ts";
import { type Project, readProject } from "../../../program/project.ts";
import { RefusedError } from "../../../program/refusedError.ts";
import { readStackFiles } from "../../../program/stackFiles.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, USAGE_ERROR, worst } from "../../exitCodes.ts";
import { jsonReport, type StackReport, textReport, yamlReport } from "../../show/report.ts";
import type { CommandDefinition } from "../command.ts";
import { repeatable } from "../options.ts";
import { note, print, type Terminal } from "../terminal.ts";
import { chosenStacks } from "./chosenStacks.ts";

const OUTPUTS = { table: textReport, yaml: yamlReport, json: jsonReport };

interface ShowFlags {
  readonly stack?: readonly string[];
  readonly output: keyof typeof OUTPUTS;
}

/**
 * Runs the stacks' program offline and shows the facts, the rules and the differences. A stack that can't be shown does
 * not keep the others from it: exit code 1 if its program refuses, 2 if it has no facts yet, 3 if its files are wrong.
 */
export const command = {
  description:
    "Runs the real program for each stack, with the facts in facts/STACK.json in the place of AWS and a cluster that has no " +
    "policy yet, and shows the facts, the rules and the differences. Needs neither an account nor a network.\n\n" +
    "A stack that can't be shown, because its program refuses it (1), because it has no facts yet (2) or because its files " +
    "are wrong (3), leaves the others shown.",
  options: [
    repeatable("--stack <name>", "only this one (default: every stack that has a Pulumi.STACK.yaml)"),
    new Option("-o, --output <format>", "table, yaml, which is the manifests, or json")
      .choices(Object.keys(OUTPUTS))
      .default("table"),
  ],
  examples: ["show", "show --stack prod", "show --output yaml", "show --output json --stack staging"],
  run: runShow,
} satisfies CommandDefinition;

/** What came of one stack. */
interface Shown {
  readonly report?: StackReport;
  readonly code: ExitCode;
}

async function runShow(terminal: Terminal, { stack, output }: ShowFlags): Promise<ExitCode> {
  const project = await readProject();
  const stacks = await chosenStacks(project, stack);
  const shown: Shown[] = [];
  for (const name of stacks) {
    shown.push(await showStack(project, name, terminal));
  }
  const reports = shown.flatMap(({ report }) => report ?? []);
  if (reports.length > 0) {
    await print(terminal, OUTPUTS[output](reports));
  }
  return worst(shown.map(({ code }) => code));
}

/** Runs one stack, and says on stderr what there is to say of it. */
async function showStack(project: Project, stack: string, terminal: Terminal): Promise<Shown> {
  const lines: string[] = [];
  const say = (severity: string, text: string) => {
    lines.push(`  ${severity}: ${text.trimEnd().replaceAll("\n", "\n    ")}`);
  };
  let shown: Shown;
  try {
    const files = await readStackFiles(project, stack);
    for (const line of provenanceOf(files, terminal.now())) {
      note(terminal, `${stack}: ${line}`);
    }
    // Before the SDK is loaded, which is most of what this command takes.
    createRequire(import.meta.url)("../../../program/preload.cjs");
    const { runStack } = await import("../../show/runStack.ts");
    const report = await runStack(files, ({ severity, text }) => say(severity, text));
    shown = { report, code: CLEAN };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) {
      throw error;
    }
    say("error", (error as Error).message);
    shown = { code };
  }
  if (lines.length > 0) {
    note(terminal, `Diagnostics of ${stack}:\n${lines.join("\n")}\n`);
  }
  return shown;
}

/** The exit code for an error that is a message to the user; `undefined` for a bug. */
function codeOf(error: unknown): ExitCode | undefined {
  if (error instanceof NoFactsError) {
    return INCONCLUSIVE;
  }
  if (error instanceof ProblemsError) {
    return USAGE_ERROR;
  }
  return error instanceof RefusedError ? FINDING : undefined;
}

import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, USAGE_ERROR } from "../exitCodes.ts";
import { type Adder, EXIT_CODES_HELP } from "./help.ts";
import { InconclusiveError } from "./inconclusive.ts";
import { addCheck, addDiff, addDivergences, addEvaluate, addExplain, addRegions } from "./policyCommands.ts";
import { addReport, addReview } from "./reviewCommands.ts";
import { addRecord, addShow } from "./stackCommands.ts";
import { note, type Terminal } from "./terminal.ts";
import { UsageError } from "./usageError.ts";
import { addVerify } from "./verifyCommands.ts";

/** Each command by its name. */
const COMMANDS: ReadonlyMap<string | undefined, Adder> = new Map([
  ["show", addShow],
  ["record", addRecord],
  ["explain", addExplain],
  ["diff", addDiff],
  ["regions", addRegions],
  ["divergences", addDivergences],
  ["check", addCheck],
  ["evaluate", addEvaluate],
  ["verify", addVerify],
  ["review", addReview],
  ["report", addReport],
]);

/** Errors about the input, by name. */
const EXPECTED: ReadonlySet<string> = new Set(["ProblemsError", "PreviewError"]);

/** Runs one command line, without the name of the program, and says how it ended. Never throws and never exits. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = CLEAN;
  const program = buildProgram(argv[0], terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return report(error, terminal);
  }
}

/** What went wrong as a message and an exit code; only a mistake of this program itself is shown with its stack. */
function report(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has written its message already; --help and --version end this way too, with exit code 0.
    return error.exitCode === 0 ? CLEAN : USAGE_ERROR;
  }
  const { name, message, stack } = error as Error;
  if (error instanceof InconclusiveError) {
    note(terminal, message);
    return INCONCLUSIVE;
  }
  if (name === "RefusedError") {
    note(terminal, message);
    return FINDING;
  }
  // By name: importing the class would load the whole analysis before the first line of help.
  if (error instanceof UsageError || EXPECTED.has(name)) {
    note(terminal, message);
    return USAGE_ERROR;
  }
  note(terminal, stack ?? message);
  return INCONCLUSIVE;
}

/** The parser, with the command that is run or, where none is, with all of them: their options take a while to add. */
function buildProgram(name: string | undefined, terminal: Terminal, done: (code: ExitCode) => void): Command {
  const program = new Command("runner-egress")
    .description(
      "What a pod may reach under its NetworkPolicies: exactly, with reasons, as specified and as enforced on EKS.",
    )
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError("(--help shows usage and examples)")
    .addHelpText("after", EXIT_CODES_HELP)
    .hook("preAction", (_, command) => refuseTwoReaders(command));
  const named = COMMANDS.get(name);
  for (const add of named === undefined ? COMMANDS.values() : [named]) {
    add(program, terminal, done);
  }
  return program;
}

/** Of two readers of stdin the second would find it empty. */
function refuseTwoReaders(command: Command): void {
  const values = [...command.args, ...Object.values(command.opts()).flat()];
  if (values.filter((value) => /^([\w.-]+=)?-$/.test(String(value))).length > 1) {
    throw new UsageError("- stands for stdin, which can be read only once; name a file for all but one of them");
  }
}

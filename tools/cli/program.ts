import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, USAGE_ERROR } from "../exitCodes.ts";
import { type CommandDefinition, define, EXIT_CODES_HELP } from "./command.ts";
import { InconclusiveError, UsageError } from "./errors.ts";
import { note, type Terminal } from "./terminal.ts";

type Load = () => Promise<{ readonly command: CommandDefinition }>;

/** Each command with its operands: what the list of commands says of it, and its module, loaded only where it is named. */
const COMMANDS: Readonly<Record<string, readonly [summary: string, load: Load]>> = {
  show: ["each stack's policy, and what differs between the stacks", () => import("./commands/show.ts")],
  record: ["look up a stack's network and write facts/STACK.json", () => import("./commands/record.ts")],
  setup: ["what a fresh organisation needs on AWS, in its clusters and on GitHub", () => import("./commands/setup.ts")],
  "explain <destination...>": ["may the pod send to a destination, and why", () => import("./commands/explain.ts")],
  "diff [before] [after]": ["what a change would open and close", () => import("./commands/diff.ts")],
  regions: ["every region of destinations with its verdict", () => import("./commands/regions.ts")],
  divergences: [
    "where EKS enforces something else than Kubernetes specifies",
    () => import("./commands/divergences.ts"),
  ],
  "check <assertions>": ["assertions about what must be allowed or denied", () => import("./commands/check.ts")],
  evaluate: ["verdicts for machines, as JSON lines", () => import("./commands/evaluate.ts")],
  verify: ["prove on a cluster that the policy is enforced", () => import("./commands/verify.ts")],
  "review <preview...>": [
    "what the previews of a pull request would open and close",
    () => import("./commands/review.ts"),
  ],
  "report [preview]": [
    "one HTML file that shows and explains what the pods can reach",
    () => import("./commands/report.ts"),
  ],
};

/** Errors about the input, by name. */
const EXPECTED: ReadonlySet<string> = new Set(["ProblemsError", "PreviewError"]);

/** Runs one command line, without the name of the program, and says how it ended. Never throws and never exits. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = CLEAN;
  try {
    const program = await buildProgram(argv, terminal, (result) => {
      code = result;
    });
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

/** The parser, with the command that is run or, where none is, with the list of all: each takes a while to add. */
async function buildProgram(
  argv: readonly string[],
  terminal: Terminal,
  done: (code: ExitCode) => void,
): Promise<Command> {
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
  const all = Object.entries(COMMANDS);
  const named = all.filter(([usage]) => usage.split(" ")[0] === argv[0]);
  for (const [usage, [summary, load]] of named.length > 0 ? named : all) {
    const command = program.command(usage).summary(summary);
    // `explain --help`, or `help explain`.
    if (argv.slice(0, 2).includes(command.name())) {
      define(command, (await load()).command, terminal, done);
    } else {
      // Any one, so that the list says that the command has options.
      command.option("--help");
    }
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

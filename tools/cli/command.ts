import type { Command, Option } from "commander";
import { EXIT_CODE_MEANINGS, type ExitCode } from "../exitCodes.ts";
import type { Terminal } from "./terminal.ts";

/** One command of the program. */
export interface CommandDefinition {
  readonly description: string;
  /** What each operand is, in order. */
  readonly operands?: readonly string[];
  readonly options: readonly Option[];
  /** Command lines for its help, without the program's name. */
  readonly examples: readonly string[];
  /** @param given the operands, the options by name, and the parser's own command */
  readonly run: (terminal: Terminal, ...given: never[]) => Promise<ExitCode>;
}

/** The table of exit codes, as every command's help shows it. */
export const EXIT_CODES_HELP = `
Exit codes:
${Object.entries(EXIT_CODE_MEANINGS)
  .map(([code, meaning]) => `  ${code}  ${meaning}\n`)
  .join("")}`;

/** Gives the parser a command; `done` is told how it ended. */
export function define(
  command: Command,
  { description, operands = [], options, examples, run }: CommandDefinition,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  command.description(description);
  for (const [index, argument] of command.registeredArguments.entries()) {
    argument.description = operands[index] ?? "";
  }
  for (const option of options) {
    command.addOption(option);
  }
  const lines = examples.map((line) => `  $ runner-egress ${line}\n`);
  command.addHelpText("after", `\nExamples:\n${lines.join("")}${EXIT_CODES_HELP}`);
  command.action(async (...given) => done(await run(terminal, ...(given as never[]))));
}

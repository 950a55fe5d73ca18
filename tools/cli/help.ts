import type { Command } from "commander";
import { EXIT_CODE_MEANINGS, type ExitCode } from "../exitCodes.ts";
import type { Terminal } from "./terminal.ts";

/** Adds one command to the program; `done` is told how the command ended. */
export type Adder = (program: Command, terminal: Terminal, done: (code: ExitCode) => void) => void;

/** The table of exit codes, as every command's help shows it. */
export const EXIT_CODES_HELP = `
Exit codes:
${Object.entries(EXIT_CODE_MEANINGS)
  .map(([code, meaning]) => `  ${code}  ${meaning}\n`)
  .join("")}`;

/** Examples and exit codes, which end the help of a command. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ runner-egress ${line}\n`).join("")}${EXIT_CODES_HELP}`;
}

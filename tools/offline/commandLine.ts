import { readdir } from "node:fs/promises";
import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ProblemsError } from "../../analysis/problems.ts";
import type { Project } from "./engine/project.ts";
import { ProjectError } from "./engine/projectError.ts";

/** How a command ends. */
export const EXIT = {
  succeeded: 0,
  /** The program or a lookup failed, or a file can't be used. */
  failed: 1,
  /** The command was not used as it can be. */
  misused: 3,
} as const;

/** What `--help` says of them. */
export const EXIT_HELP = "Exit status: 0 when it worked for every stack, 1 when it did not, 3 when an option is wrong.";

/** Why a command can't do its work, in words for its user. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}

/** A command and its work, which returns the exit status. */
export interface PreparedCommand<Options> {
  readonly command: Command;
  readonly act: (options: Options) => Promise<number>;
}

/**
 * Runs a command. What it throws for its user goes to stderr as one message without a stack trace.
 *
 * @param args without the program's own name
 * @param prepare reads what the command needs to know of the project; may fail as its work may
 */
export async function runCommand<Options>(
  args: readonly string[],
  prepare: () => Promise<PreparedCommand<Options>>,
): Promise<number> {
  try {
    const { command, act } = await prepare();
    command.allowExcessArguments(false).exitOverride();
    command.parse(args, { from: "user" });
    return await act(command.opts() as Options);
  } catch (error) {
    // Commander has printed its own message by now.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT.succeeded : EXIT.misused;
    }
    if (isForUser(error)) {
      console.error(`error: ${error.message}`);
      return EXIT.failed;
    }
    throw error;
  }
}

/** Whether an error is a message for the user of a command, not a bug. */
export function isForUser(error: unknown): error is Error {
  return error instanceof ProjectError || error instanceof ProblemsError || error instanceof CommandFailure;
}

/** The stacks that have a config, staging first: the order in which a change reaches them. */
export async function stacksOf({ directory }: Project): Promise<string[]> {
  const names = (await readdir(directory)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  return names.sort().reverse();
}

/** `--stack NAME`, which may be repeated and names a stack that has a config. */
export function stackOption(known: readonly string[], description: string): Option {
  return new Option("--stack <name>", description).argParser((name: string, names: string[] = []) => {
    if (!known.includes(name)) {
      throw new InvalidArgumentError(`There are ${known.join(", ")}.`);
    }
    return [...names, name];
  });
}

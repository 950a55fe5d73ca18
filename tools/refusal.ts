import { type ExitCode, FINDING, INCONCLUSIVE, USAGE_ERROR } from "./exitCodes.ts";

/** Why a step of a workflow stops, in words for the person who reads its log. */
export class Refusal extends Error {
  readonly status: ExitCode;

  /**
   * @param reasons one sentence each
   * @param status Default: inconclusive, because something that had to be asked could not be.
   */
  constructor(summary: string, reasons: readonly string[] = [], status: ExitCode = INCONCLUSIVE) {
    super([summary, ...reasons.map((reason) => `  - ${reason}`)].join("\n"));
    this.name = "Refusal";
    this.status = status;
  }
}

/** A finding: what was asked is known, and the answer is no. */
export function refused(summary: string, reasons: readonly string[] = []): Refusal {
  return new Refusal(summary, reasons, FINDING);
}

/** The command line is wrong; nothing was judged. */
export function misused(summary: string, reasons: readonly string[] = []): Refusal {
  return new Refusal(summary, reasons, USAGE_ERROR);
}

/**
 * Runs a step as a process, with the exit codes of every command: a refusal is printed without a stack. Any other error is
 * a defect of the step, so nothing was found out.
 */
export async function runStep(step: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await step();
  } catch (error) {
    const { name, code, message, stack } = error as NodeJS.ErrnoException;
    // What parseArgs throws for an option that it does not know, or a file with problems.
    const isMisused = String(code).startsWith("ERR_PARSE_ARGS") || name === "ProblemsError";
    const isForUser = isMisused || error instanceof Refusal;
    process.stderr.write(`${isForUser ? message : stack}\n`);
    process.exitCode = isMisused ? USAGE_ERROR : error instanceof Refusal ? error.status : INCONCLUSIVE;
  }
}

/** The one stack that a step is about. */
export function stackArgument(positionals: readonly string[], usage: string): string {
  const [stack, ...others] = positionals;
  if (stack === undefined || others.length > 0 || !/^[A-Za-z0-9_.-]+$/.test(stack)) {
    throw misused(`Give one stack, such as staging: ${usage}`);
  }
  return stack;
}

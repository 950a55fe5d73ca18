import type { Readable, Writable } from "node:stream";
import { buffer as readAll } from "node:stream/consumers";
import { styleText } from "node:util";
import { CLEAN, type ExitCode, INCONCLUSIVE, worst } from "../exitCodes.ts";
import { UsageError } from "./errors.ts";
import { decodeText } from "./input/objects.ts";

/** How a piece of text may be shown; without colours on anything but a terminal. */
export type Style = "green" | "red" | "yellow" | "bold" | "dim";

/** Where a command reads and writes: results to stdout, everything else to stderr. */
export interface Terminal {
  /** Read on first use: a process that never reads stdin does not open it. */
  readonly stdin: () => Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The clock, of which commands ask the time once. */
  readonly now: () => Date;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader such as `head` that has seen enough is no error: the rest of the output goes nowhere, and the exit code is
    // still the result's. A full disk is one: the result is lost.
    if (error.code !== "EPIPE") {
      stderr.write(`stdout can't be written: ${error.message}\n`);
      endWith(INCONCLUSIVE);
    }
  });
  // Nobody could be told.
  stderr.on("error", () => {});
  return { stdin: () => process.stdin, stdout, stderr, now: () => new Date() };
}

/** Ends this process with a code, or with a higher one that it has been given already. */
export function endWith(code: ExitCode): void {
  process.exitCode = worst([code, (process.exitCode ?? CLEAN) as ExitCode]);
}

/**
 * All of stdin.
 *
 * @throws {UsageError} if it can't be read.
 */
export async function readStdin({ stdin }: Pick<Terminal, "stdin">): Promise<string> {
  try {
    return decodeText(await readAll(stdin()));
  } catch (error) {
    throw new UsageError(`stdin can't be read: ${(error as Error).message}`);
  }
}

/** Writes results, and waits while the reader is slower. Returns whether anybody still reads. */
export async function print({ stdout }: Pick<Terminal, "stdout">, text: string): Promise<boolean> {
  if (stdout.destroyed || stdout.writableEnded) {
    return false;
  }
  return await new Promise((resolve) => {
    stdout.write(text, (error) => resolve(error === undefined || error === null));
  });
}

/** Writes a line for a person. */
export function note({ stderr }: Pick<Terminal, "stderr">, text: string): void {
  stderr.write(`${text}\n`);
}

/** Colours a text if stdout is a terminal and NO_COLOR does not forbid it. */
export function painter({
  stdout,
}: Pick<Terminal, "stdout">): (style: Style | readonly Style[], text: string) => string {
  return (style, text) => styleText(typeof style === "string" ? style : [...style], text, { stream: stdout });
}

/** See {@link painter}. */
export type Paint = ReturnType<typeof painter>;

import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

/** How a piece of text may be shown; without colours on anything but a terminal. */
export type Style = "green" | "red" | "yellow" | "bold" | "dim";

/** Where a command reads and writes: results to stdout, everything else to stderr. */
export interface Terminal {
  /** Read on first use: a process that never reads stdin does not open it. */
  readonly stdin: () => Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    // A reader such as `head` that has seen enough is no error. The rest of the output goes nowhere, and the exit code is
    // still the result's.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") {
        throw error;
      }
    });
  }
  return { stdin: () => process.stdin, stdout, stderr };
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

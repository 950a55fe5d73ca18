import { spawn } from "node:child_process";
import { constants } from "node:os";
import { Refusal } from "./refusal.ts";

/** How a command ended. */
export interface Ended {
  /** Exit status; 128 and the signal's number when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command is run with. */
export interface CommandOptions {
  /** On top of this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: this process's working directory. */
  readonly cwd?: string;
  /** Text on stdin. Default: none. */
  readonly input?: string;
  /** Its stderr is only kept. Default: it is shown as it comes, too. */
  readonly isQuiet?: boolean;
}

/** Signals by which a workflow run, a terminal or a service manager asks a process to stop. */
const STOPS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a command to its end and keeps what it printed.
 *
 * @throws {Refusal} when the command can't be started, or this process was asked to stop.
 */
export async function capture(
  command: string,
  args: readonly string[],
  { env, cwd, input = "", isQuiet = false }: CommandOptions = {},
): Promise<Ended> {
  const child = spawn(command, args, { ...ofItsOwn(env), ...(cwd !== undefined && { cwd }) });
  // Who does not read its input may end before it is written.
  child.stdin.once("error", () => {}).end(input);
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.stderr += text;
    if (!isQuiet) {
      process.stderr.write(text);
    }
  });
  return { status: await ended(command, child), ...printed };
}

/** Runs a command that prints for the reader of the log; returns its exit status. Throws as {@link capture}. */
export function show(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return ended(command, spawn(command, args, { ...ofItsOwn(env), stdio: ["ignore", "inherit", "inherit"] }));
}

/** A command in a process group of its own: an interrupt at a terminal would reach it twice, and a second one kills an engine. */
function ofItsOwn(env: Readonly<Record<string, string>> = {}) {
  return { env: { ...process.env, ...env }, detached: true };
}

/**
 * Waits for the end of a command. A signal that asks this process to stop is handed on, and the command is waited for: an
 * update that runs on alone keeps the stack locked, and nobody learns how it ended.
 */
async function ended(command: string, child: ReturnType<typeof spawn>): Promise<number> {
  let stopped: NodeJS.Signals | undefined;
  const handOn = (signal: NodeJS.Signals) => {
    stopped = signal;
    try {
      // To the whole group: npm and shells keep a signal to themselves.
      process.kill(-(child.pid as number), signal);
    } catch {
      // It has ended.
    }
  };
  for (const signal of STOPS) {
    process.on(signal, handOn);
  }
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once("error", ({ code, message }: NodeJS.ErrnoException) =>
        reject(new Refusal(code === "ENOENT" ? `${command} is not installed, or not on PATH.` : message)),
      );
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
    if (stopped !== undefined) {
      throw new Refusal(`${stopped} stopped this step; ${command} was told, and ended with ${status}.`);
    }
    return status;
  } finally {
    for (const signal of STOPS) {
      process.off(signal, handOn);
    }
  }
}

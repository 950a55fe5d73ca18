import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** How a command ended and what it printed. */
export interface Outcome {
  /** Exit status; 128 and more when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  /** stdout and then stderr. */
  readonly output: string;
}

/** What a command is run with. */
export interface RunOptions {
  readonly cwd?: string;
  /** On top of the suite's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text on stdin. */
  readonly input?: string;
}

/** Runs a command to its end; a status other than 0 is no error. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { cwd, env, input = "" } = options;
  const child = spawn(command, args, { env: { ...process.env, ...env }, ...(cwd !== undefined && { cwd }) });
  // A command may end without having read it.
  child.stdin.on("error", () => {}).end(input);
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 128));
  });
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, stdout, output: stdout + stderr };
}

/** Runs a command that has to succeed; returns its stdout. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, output } = await run(command, args, options);
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${output}`);
  }
  return stdout;
}

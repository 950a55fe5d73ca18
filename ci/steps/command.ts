import { spawn } from "node:child_process";

/** How a command ended. */
export interface Ended {
  /** Exit status; 128 when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end and keeps what it printed; its stderr is shown as it comes. */
export async function capture(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.stderr += text;
    process.stderr.write(text);
  });
  return { status: await ended(child), ...printed };
}

/** Runs a command that prints for the reader of the log; returns its exit status. */
export function show(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return ended(spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit"] }));
}

function ended(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 128));
  });
}

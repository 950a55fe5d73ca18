import { run } from "./program.ts";
import { endWith, processTerminal } from "./terminal.ts";

/** Scripts of package.json through which npm runs this program. */
const SCRIPTS: readonly (string | undefined)[] = ["egress", "start", "record"];

/** Runs this process's command line. */
export async function runProcess(): Promise<void> {
  // As a shell reports a process that a signal ended; nothing is half-written. `verify` cleans up first.
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) {
        process.stderr.write(`${signal}: stopped before the end; there is no result\n`);
        process.exit(code);
      }
    });
  }
  // npm runs scripts in the project's folder; paths on the command line are relative to the user's.
  const { INIT_CWD, npm_lifecycle_event: script } = process.env;
  if (INIT_CWD !== undefined && SCRIPTS.includes(script)) {
    process.chdir(INIT_CWD);
  }
  endWith(await run(process.argv.slice(2), processTerminal()));
}

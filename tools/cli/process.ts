import { run } from "./program.ts";
import { endWith, processTerminal } from "./terminal.ts";

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
  // `npm run egress` runs this in the project's folder; paths on the command line are relative to the user's.
  const { INIT_CWD, npm_lifecycle_event: script } = process.env;
  if (INIT_CWD !== undefined && script === "egress") {
    process.chdir(INIT_CWD);
  }
  endWith(await run(process.argv.slice(2), processTerminal()));
}

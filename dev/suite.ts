/**
 * Runs a suite that needs more than npm: `node dev/suite.ts NAME [ARGUMENT OF VITEST...]`. Ends with 0 where it passed, 1
 * where a test failed, and with 2 and one line where it could not run or no test did, so that nobody takes that for a pass.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INCONCLUSIVE, USAGE_ERROR } from "../tools/exitCodes.ts";
import { readCounts } from "./counts.ts";

interface Suite {
  /** Of vitest. */
  readonly config: string;
  readonly whatIsMissing: () => Promise<string | undefined>;
}

// Loaded when they are asked: the browser's takes longest.
const endToEnd = async () => (await import("../test/e2e/support/environment.ts")).whatIsMissing();
const browser = async () => (await import("../test/browser/chromium.ts")).whatIsMissing();

const SUITES: Readonly<Record<string, Suite>> = {
  e2e: { config: "vitest.e2e.config.ts", whatIsMissing: endToEnd },
  "e2e:review": { config: "test/e2e/review/vitest.config.ts", whatIsMissing: endToEnd },
  "test:browser": { config: "vitest.browser.config.ts", whatIsMissing: browser },
};

const [name = "", ...args] = process.argv.slice(2);
const suite = SUITES[name];
if (suite === undefined) {
  console.error(`suite ${JSON.stringify(name)}: there is ${Object.keys(SUITES).join(", ")}`);
  process.exit(USAGE_ERROR);
}
const missing = await suite.whatIsMissing();
if (missing !== undefined) {
  console.error(`NOT RUN: ${name}: ${missing}`);
  process.exit(INCONCLUSIVE);
}
const folder = mkdtempSync(join(tmpdir(), "suite-"));
const report = process.env.VITEST_REPORT ?? join(folder, "report.json");
const { status } = spawnSync("vitest", ["run", "--config", suite.config, ...args], {
  stdio: "inherit",
  env: { ...process.env, VITEST_REPORT: report },
});
const { passed, failed } = readCounts(report);
rmSync(folder, { recursive: true });
if (status === 0 && passed + failed === 0) {
  console.error(`NOT RUN: ${name}: no test ran`);
  process.exit(INCONCLUSIVE);
}
process.exitCode = status === 0 ? 0 : 1;

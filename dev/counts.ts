import { existsSync, readFileSync } from "node:fs";

/** How many tests passed and failed, from vitest's JSON report; none where there is no report. */
export function readCounts(report: string): { readonly passed: number; readonly failed: number } {
  const { numPassedTests = 0, numFailedTests = 0 } = existsSync(report)
    ? (JSON.parse(readFileSync(report, "utf8")) as { numPassedTests?: number; numFailedTests?: number })
    : {};
  return { passed: numPassedTests, failed: numFailedTests };
}

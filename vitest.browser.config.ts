import { defineConfig } from "vitest/config";

const report = process.env.VITEST_REPORT;

/** The report in a real Chromium; skipped, with a word, where there is none. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    reporters: ["default", ...(report === undefined ? [] : (["json"] as const))],
    ...(report === undefined ? {} : { outputFile: report }),
  },
});

import { defineConfig } from "vitest/config";

const report = process.env.VITEST_REPORT;

/** The suites on the real engine; they need the lab around them (`LAB/with-lab npm run e2e`). */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: "test/e2e/support/globalSetup.ts",
    // A case waits for several runs of the Pulumi CLI.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    reporters: ["verbose", ...(report === undefined ? [] : (["json"] as const))],
    ...(report === undefined ? {} : { outputFile: report }),
  },
});

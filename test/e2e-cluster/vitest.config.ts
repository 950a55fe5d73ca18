import { defineConfig } from "vitest/config";

const report = process.env.VITEST_REPORT;

export default defineConfig({
  test: {
    include: ["test/e2e-cluster/*.test.ts"],
    // One cluster with one node: what a test adds to it, the next one would see.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    reporters: ["verbose", ...(report === undefined ? [] : (["json"] as const))],
    ...(report === undefined ? {} : { outputFile: report }),
  },
});

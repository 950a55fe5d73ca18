import { defineConfig } from "vitest/config";

const report = process.env.VITEST_REPORT;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/e2e-cluster/**", "test/browser/**", "**/node_modules/**"],
    testTimeout: 30_000,
    reporters: ["default", ...(report === undefined ? [] : (["json"] as const))],
    ...(report === undefined ? {} : { outputFile: report }),
  },
});

import { defineConfig } from "vitest/config";

/** The suites on the real engine; they need the lab around them (`LAB/with-lab npm run e2e`). */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});

import { defineConfig } from "vitest/config";
import { reporting } from "./vitest.config.ts";

/** The report in a real Chromium; skipped, with a word, where there is none. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    ...reporting("default"),
  },
});

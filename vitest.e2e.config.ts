import { defineConfig } from "vitest/config";
import { reporting } from "./vitest.config.ts";

/** The suites on the real engine; they need an environment around them (CONTRIBUTING.md). */
export default defineConfig({
  test: {
    include: ["test/e2e/*.test.ts"],
    globalSetup: "test/e2e/support/globalSetup.ts",
    // A case waits for several runs of the Pulumi CLI.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    ...reporting("verbose"),
  },
});

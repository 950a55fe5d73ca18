import { defineConfig } from "vitest/config";
import { reporting } from "../../vitest.config.ts";

export default defineConfig({
  test: {
    include: ["test/e2e-cluster/*.test.ts"],
    // One cluster with one node: what a test adds to it, the next one would see.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    ...reporting("verbose"),
  },
});

import { defineConfig } from "vitest/config";
import { reporting } from "../../../vitest.config.ts";

/** Pull requests to the stacks of this repository, under their own names; so they want an environment for themselves. */
export default defineConfig({
  test: {
    include: ["test/e2e/review/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    ...reporting("verbose"),
  },
});

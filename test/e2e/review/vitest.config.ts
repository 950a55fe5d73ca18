import { defineConfig } from "vitest/config";
import { reporting } from "../../../vitest.config.ts";

/**
 * Pull requests to the stacks of this repository, and the steps of its documents, both under the names that the documents
 * say. So they want an environment for themselves, and each file has it in turn.
 */
export default defineConfig({
  test: {
    include: ["test/e2e/review/*.test.ts", "test/e2e/documents/*.test.ts"],
    globalSetup: "test/e2e/support/globalSetup.ts",
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    ...reporting("verbose"),
  },
});

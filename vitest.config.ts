import { defineConfig } from "vitest/config";

/** Reporters of a suite; with `VITEST_REPORT` set, its counts go to that file as JSON too. */
export function reporting(reporter: "default" | "verbose" | "./dev/briefReporter.ts") {
  const outputFile = process.env.VITEST_REPORT;
  return outputFile === undefined ? { reporters: [reporter] } : { reporters: [reporter, "json"], outputFile };
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: "test/support/setup.ts",
    exclude: ["test/e2e/**", "test/e2e-cluster/**", "test/browser/**", "**/node_modules/**"],
    testTimeout: 30_000,
    // A process runs several files and keeps what it has loaded: what a test changes in the process, it puts back.
    isolate: false,
    // All of it by `npm test`; who runs a file of it wants to see everything.
    ...reporting(process.env.npm_lifecycle_event === "test" ? "./dev/briefReporter.ts" : "default"),
  },
});

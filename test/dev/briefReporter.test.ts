import { expect, it } from "vitest";
import type { TestCase, TestModule } from "vitest/node";
import BriefReporter from "../../dev/briefReporter.ts";

class Captured extends BriefReporter {
  text = "";
  protected override write(text: string): void {
    this.text += text;
  }
}

const ERROR = {
  name: "AssertionError",
  message: `expected a to be b\n${"and so on\n".repeat(40)}`,
  diff: ["- Expected", "+ Received", "", "  same", `- ${"a".repeat(500)}`, "+ b"].join("\n"),
  stacks: [{ file: "/a/x.test.ts", line: 3, column: 7, method: "" }],
};

/** A file as the reporter sees it, with as many tests that failed. */
function fileWith(name: string, failed: number): TestModule {
  const module = { type: "module", relativeModuleId: name, ok: () => failed === 0, errors: () => [] };
  const tests = Array.from({ length: failed + 1 }, (_, index): Partial<TestCase> => {
    const result = index < failed ? { state: "failed", errors: [ERROR] } : { state: "passed", errors: undefined };
    return { type: "test", fullName: `test ${index}`, module: module as never, result: () => result as never };
  });
  const allTests = (state?: string) => tests.filter((test) => state === undefined || test.result?.().state === state);
  return { ...module, children: { allTests, allSuites: () => [] } } as never;
}

function report(files: readonly TestModule[], unhandled: readonly (typeof ERROR)[] = []): string[] {
  const reporter = new Captured();
  for (const file of files) {
    reporter.onTestModuleEnd(file);
  }
  reporter.onTestRunEnd(files, unhandled, "failed");
  return reporter.text.split("\n");
}

it("shows a failure with what differs and where", () => {
  expect(report([fileWith("good.test.ts", 0), fileWith("bad.test.ts", 1)]).join("\n")).toMatch(
    /^\.F\n\nFAIL bad\.test\.ts > test 0\n {2}AssertionError: expected a to be b\n.*\n {4}\+ b\n {2}at \/a\/x\.test\.ts:3:7\n\n2 passed, 1 failed, 0 skipped in 2 files and \d+ s\n$/s,
  );
});

it("stays under 200 lines, however much fails, shows something of each of a few files and counts the rest", () => {
  const files = Array.from({ length: 6 }, (_, index) => fileWith(`bad${index}.test.ts`, 100));
  const lines = report(files, [ERROR, ERROR]);
  expect(lines.length).toBeLessThan(160);
  for (const { relativeModuleId: name } of files) {
    expect(lines).toContain(`FAIL ${name} > test 0`);
    expect(lines.some((line) => new RegExp(`^ {2}9\\d more in ${name}$`).test(line))).toBe(true);
  }
  expect(lines).toContain("Outside of any test, the first of 2:");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(180);

  const many = report(Array.from({ length: 300 }, (_, index) => fileWith(`bad${index}.test.ts`, 10)));
  expect(many.length).toBeLessThan(200);
  expect(many.join("\n")).toContain("more files");
});

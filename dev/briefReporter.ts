import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestModule, TestRunEndReason, TestSuite } from "vitest/node";

/** Most lines that failures may take: one broken rule fails hundreds of tests, which say the same. */
const MOST_LINES = 110;
/** Most lines of one failure. */
const MOST_LINES_EACH = 14;
/** Most characters of a line. */
const MOST_CHARACTERS = 180;

type Failed = TestCase | TestSuite | TestModule;
type Failure = ReturnType<TestModule["errors"]>[number] & { readonly diff?: string };

/**
 * The reporter of `npm test`: a dot for each file, then the failures in under 200 lines, however many there are. The first
 * ones are shown with what differs, one of each file before the second of any; of the others each file says how many.
 */
export default class BriefReporter implements Reporter {
  private readonly started = performance.now();

  protected write(text: string): void {
    process.stdout.write(text);
  }

  onTestModuleEnd(module: TestModule): void {
    this.write(module.ok() ? "." : "F");
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const failed = modules.map(failuresOf).filter((failures) => failures.length > 0);
    this.write("\n");
    this.writeFailures(failed);
    for (const error of unhandled.slice(0, 1)) {
      this.write(
        `\nOutside of any test, the first of ${unhandled.length}:\n${linesOf(error).slice(0, MOST_LINES_EACH).map(cut).join("\n")}\n`,
      );
    }
    const seconds = ((performance.now() - this.started) / 1000).toFixed(0);
    this.write(
      `\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped in ${modules.length} files and ` +
        `${seconds} s${reason === "interrupted" ? "; interrupted" : ""}\n`,
    );
  }

  private writeFailures(files: readonly (readonly Failed[])[]): void {
    let left = MOST_LINES;
    const shown = new Set<Failed>();
    const longest = Math.max(0, ...files.map((failures) => failures.length));
    for (let turn = 0; turn < longest; turn++) {
      for (const failure of files.flatMap((failures) => failures[turn] ?? [])) {
        const lines = ["", `FAIL ${titleOf(failure)}`, ...errorsOf(failure).flatMap(linesOf)].slice(0, MOST_LINES_EACH);
        if (lines.length <= left) {
          this.write(`${lines.map(cut).join("\n")}\n`);
          left -= lines.length;
          shown.add(failure);
        }
      }
    }
    const others = files.flatMap((failures) => {
      const count = failures.filter((failure) => !shown.has(failure)).length;
      return count > 0 ? [`  ${count} more in ${pathOf(failures[0] as Failed)}`] : [];
    });
    if (others.length > 0) {
      const more = others.length > 30 ? [`  and in ${others.length - 30} more files`] : [];
      this.write(`\nNot shown, \`npx vitest run FILE\` does:\n${[...others.slice(0, 30), ...more].join("\n")}\n`);
    }
  }
}

/** Whatever failed in a file: the file itself, a suite's hooks, tests. */
function failuresOf(module: TestModule): Failed[] {
  const parts: Failed[] = [module, ...module.children.allSuites(), ...module.children.allTests("failed")];
  return parts.filter((part) => errorsOf(part).length > 0);
}

function errorsOf(failed: Failed): readonly Failure[] {
  return failed.type === "test" ? (failed.result().errors ?? []) : failed.errors();
}

function pathOf(failed: Failed): string {
  return (failed.type === "module" ? failed : failed.module).relativeModuleId;
}

function titleOf(failed: Failed): string {
  return failed.type === "module" ? pathOf(failed) : `${pathOf(failed)} > ${failed.fullName}`;
}

/** The message, what differs, and where. */
function linesOf({ name, message, diff, stacks, stack }: Failure): string[] {
  const said = stripVTControlCharacters(message).split("\n");
  const differs = stripVTControlCharacters(diff ?? "")
    .split("\n")
    .filter((line) => /^[-+] /.test(line));
  const at = stacks?.[0];
  return [
    ...said.slice(0, 6).map((line, index) => `  ${index === 0 ? `${name}: ` : ""}${line}`),
    ...differs.slice(0, 6).map((line) => `    ${line}`),
    ...(at === undefined ? (stack ?? "").split("\n").slice(-1) : [`  at ${at.file}:${at.line}:${at.column}`]),
  ];
}

function cut(line: string): string {
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 3)}...` : line;
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { capture } from "../../tools/command.ts";
import { ROOT } from "../support/fixtureProject.ts";

let folder: string;

/** A `pulumi` that says when it runs, and takes a moment after the first signal before it ends in an orderly way. */
const SLOW = `#!/usr/bin/env node
const { writeFileSync } = require("node:fs");
const signals = [];
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    signals.push(signal);
    setTimeout(() => {
      writeFileSync(process.env.ENDED, signals.join(" "));
      process.exit(5);
    }, 300);
  });
}
setInterval(() => {}, 1000);
process.stderr.write("running\\n");
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "runner-egress-command-"));
  writeFileSync(join(folder, "pulumi"), SLOW);
  chmodSync(join(folder, "pulumi"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** How a step is stopped, and what runs it. */
type Stop = readonly [name: string, line: readonly [string, ...string[]], signal: NodeJS.Signals, isGroup: boolean];

const STOPS: readonly Stop[] = [
  ["a process manager", ["node", "step.mjs"], "SIGTERM", false],
  // Its interrupt goes to every process that it shows, the engine's among them if it were one.
  ["a terminal", ["node", "step.mjs"], "SIGINT", true],
  // A cancelled job: the runner signals the shell of the step alone.
  [
    "GitHub, as the deploy action runs it",
    ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"],
    "SIGINT",
    false,
  ],
];

it.each(STOPS)(
  "a step that is stopped by %s hands the signal on once, waits and tells",
  async (name, line, signal, isGroup) => {
    const module = (file: string) => JSON.stringify(join(ROOT, "tools", file));
    const script = [
      `import { show } from ${module("command.ts")};`,
      `import { runStep } from ${module("refusal.ts")};`,
      // As after the dashes of ci:deploy: a program between that hands on nothing.
      `await runStep(() => show("sh", ["-c", "pulumi up; exit $?"]));`,
    ];
    writeFileSync(join(folder, "step.mjs"), script.join("\n"));
    writeFileSync(join(folder, "step.sh"), "exec node step.mjs\n");
    const ended = join(folder, name);
    const [command, ...args] = line;
    const step = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, PATH: [folder, process.env.PATH].join(delimiter), ENDED: ended },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    const told = text(step.stderr);
    await once(step.stderr, "data");
    process.kill(isGroup ? -(step.pid as number) : (step.pid as number), signal);
    const [status] = await once(step, "close");
    expect(await told).toMatch(new RegExp(`${signal} stopped this step; sh was told, and ended with \\d+\\.`));
    expect(status).toBe(2);
    await expect.poll(() => existsSync(ended) && readFileSync(ended, "utf8")).toBe(signal);
  },
);

it("without pulumi, a step is one line and exit code 2", async () => {
  const { status, stderr } = await capture(process.execPath, [join(ROOT, "ci/drift.ts"), "staging", "--out", folder], {
    env: { PATH: "/nowhere", GITHUB_ACTIONS: "" },
  });
  expect(stderr).toBe("pulumi is not installed, or not on PATH.\n");
  expect(status).toBe(2);
});

it.each([
  ["an environment that was renamed: no role", { PULUMI_BACKEND_URL: "s3://b" }, "AWS_ACCESS_KEY_ID, AWS_REGION"],
  ["no variable of the repository", { AWS_ACCESS_KEY_ID: "k", AWS_REGION: "r" }, "PULUMI_BACKEND_URL"],
])("in a workflow, %s, is told before anything runs", async (_, variables, missing) => {
  const none = { AWS_ACCESS_KEY_ID: "", AWS_REGION: "", PULUMI_BACKEND_URL: "", GITHUB_ACTIONS: "true" };
  const { status, stderr } = await capture(process.execPath, [join(ROOT, "ci/drift.ts"), "staging", "--out", folder], {
    env: { ...none, ...variables },
  });
  expect(stderr).toContain(`not set: ${missing}\n`);
  expect(stderr).toContain("runner-egress setup --check");
  expect(status).toBe(2);
});

it("an unknown option is a wrong command line", async () => {
  expect(await capture(process.execPath, [join(ROOT, "ci/drift.ts"), "staging", "--nonsense"])).toMatchObject({
    status: 3,
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { capture } from "../../tools/command.ts";
import { ROOT } from "../support/fixtureProject.ts";

let folder: string;

/** A `pulumi` that says when it runs, and on a signal takes a moment before it ends in an orderly way. */
const SLOW = `#!/usr/bin/env node
const { writeFileSync } = require("node:fs");
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => setTimeout(() => {
    writeFileSync(process.env.ENDED, signal);
    process.exit(5);
  }, 300));
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

it.each(["SIGINT", "SIGTERM"] as const)("%s goes to the command, whose end is waited for and told", async (signal) => {
  const ended = join(folder, signal);
  const script = `
    import { show } from ${JSON.stringify(join(import.meta.dirname, "../../tools/command.ts"))};
    import { runStep } from ${JSON.stringify(join(import.meta.dirname, "../../tools/refusal.ts"))};
    await runStep(() => show("pulumi", ["up"]));`;
  const step = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    env: { ...process.env, PATH: [folder, process.env.PATH].join(delimiter), ENDED: ended },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const told = text(step.stderr);
  await once(step.stderr, "data");
  step.kill(signal);
  const [status] = await once(step, "close");
  expect(readFileSync(ended, "utf8")).toBe(signal);
  expect(status).toBe(2);
  expect(await told).toContain(`${signal} stopped this step; pulumi was told, and ended with 5.`);
});

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

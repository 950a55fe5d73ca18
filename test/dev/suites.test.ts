import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../support/fixtureProject.ts";

const ELSEWHERE = {
  AWS_ENDPOINT_URL: "",
  CHROMIUM: "/nowhere",
  RUNNER_EGRESS_LAB_CLUSTER: "/nowhere",
};
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };

it.each([
  ["e2e", /it needs a throw-away environment \(CONTRIBUTING\.md\): AWS_ENDPOINT_URL is ""/],
  ["e2e:review", /it needs a throw-away environment/],
  ["e2e:cluster", /no cluster for the tests at \/nowhere/],
  ["test:browser", /no Chromium at \/nowhere/],
])("npm run %s ends with 2 and one line where it can't run", (name, reason) => {
  const [, ...args] = scripts[name]?.split(" ") ?? [];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...ELSEWHERE },
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(new RegExp(`^NOT RUN: ${name}.*\n$`));
  expect(stderr).toMatch(reason);
});

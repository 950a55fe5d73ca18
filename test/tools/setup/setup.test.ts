import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fill, shell } from "../../../tools/setup/call.ts";
import { requiredChecks } from "../../../tools/setup/repositoryFiles.ts";
import { walkSteps } from "../../../tools/setup/run.ts";
import type { Part, Step } from "../../../tools/setup/step.ts";
import { egress } from "../../support/cli.ts";
import { FakeGitHub } from "../../support/fakeGitHub.ts";

const KEY = "arn:aws:kms:us-east-1:123456789012:key/0123";
const ORGANISATION = ["--repository", "o/r", "--state", "s3://bucket?region=us-east-1"];

describe("what is printed", () => {
  it.each([
    ["a word", ["a", "b=c"], "a b=c"],
    ["what the shell would read", ["a b", "it's", "$x"], "'a b' 'it'\\''s' '$x'"],
    ["a value in a word", ["x/{{KEY}}"], 'x/"$KEY"'],
    ["a value in quotes", ['{"k":"{{KEY}}"}'], `'{"k":"'"$KEY"'"}'`],
  ])("quotes %s", (_, run, line) => {
    expect(shell({ run })).toBe(line);
  });

  it("writes a request to GitHub as gh does it, numbers as numbers", () => {
    const call = { github: "PUT", path: "a/b", body: { id: "{{#REVIEWER}}", account: "{{ACCOUNT}}" } } as const;
    expect(shell(call)).toBe(`gh api --method PUT a/b --input - <<< '{"id":'"$REVIEWER"',"account":"'"$ACCOUNT"'"}'`);
    expect(fill(call, { REVIEWER: "42", ACCOUNT: "007" }).body).toEqual({ id: 42, account: "007" });
  });

  it("leaves no name of the example's in what it fills in", async () => {
    const { stdout, code } = await egress(["setup", ...ORGANISATION]);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/123456789012|example-runner-egress-state|example@|1234567|00000000-/);
    const prod = /^aws iam put-role-policy --role-name runner-egress-prod-deploy.*$/m.exec(stdout)?.[0] ?? "";
    expect(prod).toContain("arn:aws:rds:us-east-2:'\"$ACCOUNT\"':subgrp:techops-prod-db");
    expect(prod).toContain("arn:aws:kms:us-east-1:'\"$ACCOUNT\"':key/'\"$KEY\"'");
    expect(prod).not.toMatch(/staging/);
  });

  it("with the key of another account, makes no state and names that key", async () => {
    const { stdout } = await egress(["setup", ...ORGANISATION, "--stack", "prod", "--key", KEY]);
    expect(stdout).not.toMatch(/s3api|aws kms|stack init/);
    expect(stdout).toContain(KEY);
    // It is no first stack for being alone.
    expect(stdout).toMatch(/environments\/prod --input .*"reviewers":\[/);
  });

  it.each([
    ["no repository", ["--state", "s3://b?region=r"], "--repository"],
    [
      "a state without a region",
      ["--repository", "o/r", "--state", "s3://bucket"],
      "must be s3://BUCKET?region=REGION",
    ],
    ["a stack that isn't there", [...ORGANISATION, "--stack", "dev"], "there is no Pulumi.dev.yaml"],
    ["a context for no stack", [...ORGANISATION, "--context", "dev=x"], "--context dev"],
    ["an alias for the key", [...ORGANISATION, "--key", "alias/x"], "must be the ARN of a key"],
    ["two reviewers in one", [...ORGANISATION, "--reviewer", "a b"], "--reviewer a b"],
    ["both ways at once", [...ORGANISATION, "--check", "--apply"], "cannot be used with option '--apply'"],
    ["all of it at once", ["--state", "file:///x"], "--state file:///x: must be s3"],
  ])("refuses %s", async (_, args, told) => {
    const { code, stdout, stderr } = await egress(["setup", ...args]);
    expect(stderr).toContain(told);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  });
});

it("the required checks are those that every pull request gets", () => {
  expect(requiredChecks()).toEqual(["Previews", "Test"]);
});

describe("checking and making", () => {
  let github: FakeGitHub;
  let folder: string;
  let lines: string[];
  const tell = async (line: string) => lines.push(line);
  const where = () => ({ cwd: folder, github: github.origin, token: "secret" });
  const variable = (name: string, more: Partial<Part> = {}): Part => ({
    what: name,
    reads: { github: "GET", path: `repos/o/r/actions/variables/${name}` },
    picks: ({ value }: { value?: string }) => value,
    has: "v",
    makes: [{ github: "POST", path: "repos/o/r/actions/variables", body: { name, value: "v" } }],
    ...more,
  });
  const steps = (...parts: Part[]): Step[] => parts.map((part) => ({ title: part.what, why: "", parts: [part] }));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "setup-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(async () => {
    github = await FakeGitHub.start("o/r", 7);
    lines = [];
    return () => github.stop();
  });

  it("missing is made and read back, and is then there for good", async () => {
    expect(await walkSteps(steps(variable("A")), where(), false, tell)).toBe(1);
    expect(await walkSteps(steps(variable("A")), where(), true, tell)).toBe(0);
    expect(lines).toEqual(["1. A", "  missing    A", "1. A", "  made       A"]);
    expect(await walkSteps(steps(variable("A")), where(), true, tell)).toBe(0);
    expect(github.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  it("different is never overwritten, and ends it", async () => {
    await walkSteps(steps(variable("A")), where(), true, tell);
    const other = variable("A", { has: "w", changes: [{ run: ["change", "it"] }] });
    expect(await walkSteps(steps(other, variable("B")), where(), true, tell)).toBe(1);
    expect(lines.slice(-4).join("\n")).toContain("is v, not w");
    expect(lines).toContain("  To change it: change it");
    expect(lines.at(-1)).toBe("Stopped in step 1. Steps before it are done. Not begun: 2. B.");
    expect(github.settings.content.has("/repos/o/r/actions/variables/B")).toBe(false);
  });

  it("what is made and can't be read back is not done", async () => {
    const makes = [{ run: ["true"] }];
    expect(await walkSteps(steps(variable("A", { makes }), variable("B")), where(), true, tell)).toBe(1);
    expect(lines).toContain("  missing    A");
    expect(lines.at(-1)).toContain("Stopped in step 1.");
  });

  it.each([
    ["can't be asked", { reads: { run: ["false"] } }],
    ["can't be made", { makes: [{ run: ["sh", "-c", "echo no >&2; exit 3"] }] }],
  ])("2: what %s", async (_, more) => {
    expect(await walkSteps(steps(variable("A", more)), where(), true, tell)).toBe(2);
    expect(lines.join("\n")).toMatch(/unknown +A\n +(false|sh -c .*) ended with/);
  });

  it("what needs a value that isn't there yet is missing, not asked for", async () => {
    const key: Part = {
      what: "key",
      reads: { github: "GET", path: "repos/o/r/branches/none" },
      sets: "KEY",
      makes: [],
    };
    const needs: Part = { what: "needs", reads: { run: ["never", "{{KEY}}"] }, makes: [] };
    expect(await walkSteps([{ title: "t", why: "", parts: [needs, key] }], where(), false, tell)).toBe(1);
    expect(lines).toEqual(["1. t", "  missing    needs", "  missing    key"]);
  });

  it("a list has at least what it should, and a text is what it should be", async () => {
    writeFileSync(join(folder, "answer.json"), JSON.stringify({ list: [1, { a: 1, b: 2 }], off: false }));
    const part = (has: unknown): Part => ({ what: "x", reads: { run: ["cat", "answer.json"] }, has });
    expect(await walkSteps(steps(part({ list: [{ a: 1 }] }), part({ off: false })), where(), false, tell)).toBe(0);
    expect(await walkSteps(steps(part({ list: [2] }), part({ off: true })), where(), false, tell)).toBe(1);
    expect(lines.join("\n")).toContain("list lacks 2");
    expect(lines.join("\n")).toContain("off is false, not true");
  });
});

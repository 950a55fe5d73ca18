import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InvocationError } from "../../../../tools/offline/engine/invocationError.ts";
import { readProject } from "../../../../tools/offline/engine/project.ts";
import { type RunOptions, runProgram } from "../../../../tools/offline/engine/run.ts";
import { resolveStackConfig } from "../../../../tools/offline/engine/stackConfig.ts";

const project = await readProject(join(import.meta.dirname, "program"));

/** Runs one case of the program beside this test. */
function run(name: string, options: Partial<RunOptions> = {}) {
  const config = resolveStackConfig(project, "test", { case: name });
  const answer = () => ({ because: 42 });
  return runProgram({ project, stack: "test", config, dryRun: true, answer, environment: process.env, ...options });
}

const urn = (qualifiedType: string, name: string) => `urn:pulumi:test::fixture::${qualifiedType}::${name}`;

describe("a program under the engine", { timeout: 60_000 }, () => {
  it("keeps no secret and marks what a preview doesn't know", async () => {
    const { registrations, stackOutputs } = await run("values");
    expect(registrations.at(-1)?.inputs).toEqual({
      plain: "p",
      secret: "[secret]",
      unknown: "[unknown]",
      nested: [{ secret: "[secret]" }],
    });
    expect(stackOutputs).toEqual({ id: "[unknown]", secret: "[secret]" });
  });

  it("learns an id in an update, and in a preview only that of an object that is imported", async () => {
    expect((await run("ids")).stackOutputs).toEqual({ object: "[unknown]", imported: "over/there" });
    expect((await run("ids", { dryRun: false })).stackOutputs).toEqual({ object: "ns/n", imported: "over/there" });
  });

  it("shows the options that mocks hide", async () => {
    const { registrations } = await run("options");
    const parent = urn("test:index:Parent", "parent");
    const [, , first, second] = registrations;
    expect(first).toMatchObject({ parent, protect: true, urn: urn("test:index:Parent$test:index:Thing", "first") });
    expect(second).toMatchObject({
      protect: false,
      dependencies: [first?.urn],
      retainOnDelete: true,
      deleteBeforeReplace: true,
      ignoreChanges: ["a"],
      replaceOnChanges: ["b"],
      version: "1.2.3",
      aliases: [{ name: "former", parent }, "urn:pulumi:test::fixture::test:index:Thing::older", { noParent: true }],
    });
  });

  it("gets no default provider of a package that is disabled", async () => {
    const { succeeded, registrations, diagnostics } = await run("disabled");
    expect(succeeded).toBe(false);
    expect(registrations).toHaveLength(1);
    expect(JSON.stringify(diagnostics)).toContain("Default provider for 'kubernetes' disabled");
  });

  it("can't register a name twice", async () => {
    const { succeeded, diagnostics } = await run("duplicate");
    expect(succeeded).toBe(false);
    expect(JSON.stringify(diagnostics)).toContain(`Duplicate resource URN '${urn("test:index:Thing", "same")}'`);
  });

  it("gets its function calls answered or refused", async () => {
    const asked = await run("invoke");
    expect(asked.invocations).toEqual([{ token: "test:index:ask", args: { question: "why" } }]);
    expect(asked.stackOutputs).toEqual({ answer: { because: 42 } });
    const refuse = () => {
      throw new InvocationError("nobody knows");
    };
    const refused = await run("invoke", { answer: refuse });
    expect(refused.succeeded).toBe(false);
    expect(JSON.stringify(refused.diagnostics)).toContain(
      "invocation of test:index:ask returned an error: nobody knows",
    );
  });

  it("is heard on stdout, on stderr and in the engine's log, but not in what is for debugging", async () => {
    const { succeeded, diagnostics } = await run("log");
    expect(succeeded).toBe(true);
    expect(diagnostics).toEqual([
      { severity: "warning", message: "careful" },
      { severity: "info", message: "to stdout" },
      { severity: "info", message: "to stderr" },
    ]);
  });

  it("fails with a stack trace for a bug and without one for a message to the user", async () => {
    const bug = await run("throws");
    expect(bug.succeeded).toBe(false);
    expect(bug.diagnostics[0]?.message).toMatch(/a bug\n.*at .*index\.ts/s);
    const told = await run("runError");
    expect(told.succeeded).toBe(false);
    expect(told.diagnostics).toEqual([
      expect.objectContaining({ severity: "error", message: "a message for the user" }),
    ]);
  });

  it("gets the refusal of a component as one message, too, where that knows its arguments only later", async () => {
    const { succeeded, diagnostics, registrations } = await run("refusal");
    expect(succeeded).toBe(false);
    expect(diagnostics.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'error: error serializing property "metadata": The runner\'s egress policy is refused:\n' +
        '  - contract.policyName is "A": lower-case letters, digits, inner dashes and dots only\n' +
        "  - facts.databaseSubnets is []: no block of the cluster's family ipv4 to allow",
    ]);
    expect(registrations.map(({ type }) => type)).not.toContain("kubernetes:networking.k8s.io/v1:NetworkPolicy");
  });

  it("fails when its process ends early, and the exit code shows", async () => {
    const { succeeded, diagnostics } = await run("exits");
    expect(succeeded).toBe(false);
    expect(diagnostics).toEqual([{ severity: "error", message: "Program exited with non-zero exit code: 7" }]);
  });

  it("runs with the flags of Pulumi.yaml and with no other environment than it is given", async () => {
    const { stackOutputs } = await run("flags", { environment: { FIXTURE: "here" } });
    expect(stackOutputs).toEqual({ title: "fixture", environment: "here", organization: "organization" });
  });

  it("is told what the engine can't do, instead of losing it", async () => {
    const { succeeded, diagnostics } = await run("transform");
    expect(succeeded).toBe(false);
    expect(JSON.stringify(diagnostics)).toContain("does not support transforms");
  });
});

import { describe, expect, it } from "vitest";
import { EXIT_CODE_MEANINGS } from "../../../tools/exitCodes.ts";
import { egress, parseExample } from "../../support/cli.ts";
import { readDocument } from "../../support/markdown.ts";

/** Commands whose examples need nothing but files; the others have tests of their own. */
const FILE_COMMANDS = ["show", "setup", "explain", "diff", "regions", "divergences", "check", "evaluate", "review"];
const COMMANDS = [
  "show",
  "record",
  "setup",
  "explain",
  "diff",
  "regions",
  "divergences",
  "check",
  "evaluate",
  "verify",
  "review",
  "report",
];

async function examplesOf(command: string): Promise<string[]> {
  const { stdout } = await egress([command, "--help"]);
  return [...stdout.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line]) => line ?? "");
}

it("names every command, and nothing goes to stderr", async () => {
  const { code, stdout, stderr } = await egress(["--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect([...stdout.matchAll(/^ {2}([a-z]+) .*\[options\]/gm)].map(([, name]) => name)).toEqual(COMMANDS);
});

describe.each(FILE_COMMANDS)("%s --help", (command) => {
  it("has examples and the exit codes", async () => {
    const { stdout } = await egress([command, "--help"]);
    expect(await examplesOf(command)).not.toHaveLength(0);
    for (const [code, meaning] of Object.entries(EXIT_CODE_MEANINGS)) {
      expect(stdout).toContain(`\n  ${code}  ${meaning}\n`);
    }
  });

  it("has examples that run and have a result", async () => {
    for (const line of await examplesOf(command)) {
      const { args, stdin } = parseExample(line);
      expect(args[0]).toBe(command);
      const { code, stdout, stderr } = await egress(args, { stdin });
      expect(stdout, line).not.toBe("");
      // What rests on recorded facts says whose they are.
      expect(stderr.replaceAll(/^\S+: network from facts\/.*\n/gm, ""), line).toBe("");
      expect(code, line).toBeLessThan(3);
    }
  });
});

it("docs/cli.md has the same table of exit codes, and a row for every command", () => {
  const text = readDocument("docs/cli.md");
  const rows = [...text.matchAll(/^\| (\d) +\| (.*?) +\|$/gm)].map(([, code = "", meaning]) => [code, meaning]);
  expect(Object.fromEntries(rows)).toEqual(EXIT_CODE_MEANINGS);
  const named = [...text.matchAll(/^\| (`[a-z`, ]+`) +\|/gm)].flatMap(([, cell = ""]) => cell.match(/[a-z]+/g) ?? []);
  expect(named.filter((name) => COMMANDS.includes(name)).sort()).toEqual([...COMMANDS].sort());
});

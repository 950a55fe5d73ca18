import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { WriteStream } from "node:tty";
import { onTestFinished } from "vitest";
import { run } from "../../tools/cli/program.ts";
import { FIXTURE_PROJECT, ROOT } from "./fixtureProject.ts";

/** The time by which the commands of the tests go: eleven days after the fixtures' facts were recorded. */
export const NOW = new Date("2026-12-01T12:00:00Z");

/** What a command line did. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Capture extends Writable {
  text = "";
  readonly isTTY: boolean;
  /** As a terminal answers it, from TERM, NO_COLOR and the like. */
  readonly getColorDepth = WriteStream.prototype.getColorDepth;

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** Runs a command line in this process, in the fixture project, whose `docs` are the repository's. */
export async function egress(
  args: readonly string[],
  { stdin = "", isTTY = false }: { readonly stdin?: string | readonly string[]; readonly isTTY?: boolean } = {},
): Promise<Outcome> {
  const [stdout, stderr] = [new Capture(isTTY), new Capture(isTTY)];
  const chunks = typeof stdin === "string" ? [stdin] : stdin;
  const code = await run(args, {
    stdin: () => Readable.from(chunks, { objectMode: false }),
    stdout,
    stderr,
    now: () => NOW,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Runs the real program in a process of its own; `command`: another form of it, such as the installed package. */
export function egressProcess(
  args: readonly string[],
  {
    stdin = "",
    env = {},
    node = [],
    command = [process.execPath, ...node, join(ROOT, "tools", "cli", "main.ts")],
    cwd = FIXTURE_PROJECT,
  }: {
    readonly stdin?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly node?: readonly string[];
    readonly command?: readonly string[];
    readonly cwd?: string;
  } = {},
): Promise<Outcome> {
  const [file = "", ...before] = command;
  const child = spawn(file, [...before, ...args], {
    cwd,
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    const out = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        out[name] += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...out }));
    child.stdin.on("error", () => {}).end(stdin);
  });
}

/** Writes files into a folder that is removed after the test; returns where each one is. */
export function files(contents: Readonly<Record<string, unknown>>): (name?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "egress-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(
      join(folder, name),
      typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
  }
  return (name = "") => join(folder, name);
}

/** A command line of the help or of a document: `runner-egress ARGUMENT... [< FILE] [# exit code N]`. */
export interface Example {
  readonly args: readonly string[];
  readonly stdin: string;
  readonly code: number;
}

/** Reads the command line as a shell would, as far as examples need it. */
export function parseExample(line: string): Example {
  const [, command = "", code = "0"] = /^(.*?)(?:\s+# exit code (\d))?$/.exec(line) ?? [];
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
  if (words[0] !== "runner-egress") {
    throw new Error(`not an example: ${line}`);
  }
  const redirect = words.indexOf("<");
  return {
    args: words.slice(1, redirect < 0 ? undefined : redirect),
    stdin: redirect < 0 ? "" : readFileSync(join(ROOT, words[redirect + 1] ?? ""), "utf8"),
    code: Number(code),
  };
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { egressProcess, files } from "../../support/cli.ts";
import { ROOT } from "../../support/fixtureProject.ts";
import { block, policy } from "../../support/policies.ts";

const MAIN = join(ROOT, "tools", "cli", "main.ts");
const STAGING = ["--policy", "docs/examples/runner-staging.yaml"];

describe("the process", () => {
  it.each([
    [["explain", "8.8.8.8:443", ...STAGING], 0],
    [["explain", "10.1.7.7:443", ...STAGING], 1],
    [["explain", "example.com:443", ...STAGING], 2],
    [["explain", "10.1.7.7", ...STAGING], 3],
  ])("%j ends with %i, results on stdout and the rest on stderr", async (args, code) => {
    const outcome = await egressProcess(args, { env: { FORCE_COLOR: undefined } });
    expect(outcome.code).toBe(code);
    expect(outcome[code === 3 ? "stdout" : "stderr"]).toBe("");
    expect(outcome[code === 3 ? "stderr" : "stdout"]).not.toContain("\x1b");
  });

  it.each([
    [["--version"], 0],
    [["explain", "8.8.8.8:443", ...STAGING], 0],
    [["explain", "example.com:443", ...STAGING], 2],
    [["--help"], 0],
  ])("%j on a full disk ends with 2 and one line, whatever else (%i)", async (args) => {
    const full = openSync("/dev/full", "w");
    onTestFinished(() => closeSync(full));
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, stdio: ["ignore", full, "pipe"] });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(2);
    expect(stderr).toBe("stdout can't be written: ENOSPC: no space left on device, write\n");
  });

  it("a report on a full disk ends with 2 and one line", async () => {
    expect(await egressProcess(["report", ...STAGING, "--out", "/dev/full"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "--out /dev/full can't be written: ENOSPC: no space left on device, write\n",
    });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s while it waits ends with %i", async (signal, code) => {
    const child = spawn(process.execPath, [MAIN, "evaluate"], { cwd: ROOT });
    child.stdin.write(`${JSON.stringify({ id: 1, policies: [], points: [] })}\n`);
    await once(child.stdout, "data");
    child.kill(signal);
    const [ended] = await once(child, "close");
    expect(ended).toBe(code);
  });

  it("Ctrl-C in the middle of show ends with 130 and one line", async () => {
    const recorder = `import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) { if (url.endsWith("/runStack.ts")) console.log("running"); return next(url, context); } });`;
    const node = ["--import", `data:text/javascript,${encodeURIComponent(recorder)}`];
    const child = spawn(process.execPath, [...node, MAIN, "show", "--stack", "staging"]);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const [stderr, [code]] = await Promise.all([readAll(child.stderr), once(child, "close")]);
    // Where the facts come from may have been said by then.
    const said = stderr.replace(/^staging: network from .*\n/, "");
    expect({ code, said }).toEqual({ code: 130, said: "SIGINT: stopped before the end; there is no result\n" });
  });

  it("a crash is never taken for a finding", async () => {
    const crash = "data:text/javascript,setTimeout(() => { throw new Error('crash') }, 1)";
    const { code, stderr } = await egressProcess(["evaluate"], { node: ["--import", crash] });
    expect(stderr).toContain("Error: crash");
    expect(code).toBe(2);
  });

  it("under npm run, paths are relative to the user's folder", async () => {
    const at = files({ "p.json": policy([]) });
    const env = { INIT_CWD: at(), npm_lifecycle_event: "egress" };
    expect((await egressProcess(["explain", "8.8.8.8:1", "-f", "p.json"], { env })).code).toBe(1);
    // A script that runs this program in turn has its own idea of where it is.
    const other = await egressProcess(["explain", "8.8.8.8:1", "-f", "p.json"], {
      env: { ...env, npm_lifecycle_event: "ci:verify" },
    });
    expect(other).toMatchObject({ code: 3, stderr: "p.json: there is no such file or folder\n" });
  });

  it("answers line by line, before stdin has ended", async () => {
    const child = spawn(process.execPath, [MAIN, "evaluate"], { cwd: ROOT });
    const lines = child.stdout.setEncoding("utf8")[Symbol.asyncIterator]() as AsyncIterator<string>;
    for (const id of [1, 2]) {
      child.stdin.write(`${JSON.stringify({ id, policies: [], points: [] })}\n`);
      expect((await lines.next()).value).toBe(`{"id":${id},"verdicts":[]}\n`);
    }
    child.stdin.end();
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
  });

  it("goes on to its result when nobody reads any more", async () => {
    const excepts = Array.from({ length: 2000 }, (_, index) => `10.${index >> 8}.${index & 255}.0/25`);
    const at = files({
      "p.json": policy([block("10.0.0.0/8", { except: excepts })]),
      "q.json": policy([block("10.0.0.0/8")]),
    });
    const child = spawn(process.execPath, [MAIN, "diff", at("p.json"), at("q.json"), "--limit", "0"], { cwd: ROOT });
    child.stdout.once("data", () => child.stdout.destroy());
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(1);
    expect(stderr).toBe("");
  });

  it("stops reading lines when nobody reads the answers", async () => {
    const child = spawn(process.execPath, [MAIN, "evaluate"], { cwd: ROOT });
    child.stdout.once("data", () => child.stdout.destroy());
    child.stdin.on("error", () => {});
    const line = `${JSON.stringify({ id: "x".repeat(1000), policies: [], points: [] })}\n`;
    const feed = setInterval(() => child.stdin.write(line), 5);
    try {
      expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    } finally {
      clearInterval(feed);
    }
  });

  it("loads neither Pulumi nor what the command does not need", async () => {
    const recorder = `import { registerHooks } from "node:module";
      registerHooks({ resolve(name, context, next) { const found = next(name, context); console.error(found.url); return found; } });`;
    const node = ["--import", `data:text/javascript,${encodeURIComponent(recorder)}`];
    const at = files({ "p.json": policy([]) });
    const { stderr } = await egressProcess(["explain", "10.1.7.7:443", "--policy", at("p.json")], { node });
    const loaded = stderr.split("\n").filter(Boolean);
    expect(loaded.some((url) => url.endsWith("/analysis/explain.ts"))).toBe(true);
    expect(loaded.filter((url) => /@pulumi|js-yaml|cli\/commands\/(?!explain)/.test(url))).toEqual([]);
  });
});

it("package.json has the program as the script that the documents name", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(scripts.egress).toBe("node tools/cli/main.ts");
});

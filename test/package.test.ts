import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { egress, egressProcess } from "./support/cli.ts";
import { ROOT } from "./support/fixtureProject.ts";

/** `.ci/run` puts the oldest supported Node.js here; without it, only the one that runs the tests is tried. */
const NODE_22 = join(ROOT, "node_modules", ".cache", "node-22", "node_modules", "node", "bin", "node");

const folder = mkdtempSync(join(tmpdir(), "package-"));
const docs = join(ROOT, "docs", "examples");
const policy = ["--policy", join(docs, "runner-staging.yaml")];

const npm = (...args: string[]) =>
  promisify(execFile)("npm", args, {
    cwd: folder,
    // What npm tells the scripts that it runs is not meant for the npm in them.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name))),
  });

/** The installed command, run by a Node.js. */
const installed = (node: string) => ({ command: [node, join(folder, "node_modules", ".bin", "runner-egress")] });

beforeAll(async () => {
  await npm("pack", ROOT, "--silent", "--pack-destination", folder);
  writeFileSync(join(folder, "package.json"), "{}");
  await npm("install", "--offline", "--silent", ...readdirSync(folder).filter((name) => name.endsWith(".tgz")));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

it("the package brings everything and installs nothing else", () => {
  expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["runner-egress"]);
});

it("the command finds its Node.js by itself", async () => {
  const { stdout } = await promisify(execFile)(join(folder, "node_modules", ".bin", "runner-egress"), ["--version"], {
    env: { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) },
  });
  expect(stdout).toBe(`${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}\n`);
});

describe.each([
  ["this Node.js", process.execPath],
  ["the oldest supported Node.js", NODE_22],
])("the installed command on %s", (_, node) => {
  it.skipIf(!existsSync(node)).each([
    [["explain", "10.1.7.7:443/tcp", "8.8.8.8:443", ...policy], 1],
    [["explain", "-", "--policy", join(docs, "runner-2026-05.yaml")], 2],
    [["diff", join(docs, "runner-2026-05.yaml"), join(docs, "runner-staging.yaml")], 1],
    [["check", join(docs, "assertions.yaml"), ...policy, "--cluster-family-only"], 0],
    [["evaluate"], 3],
    [["review", join(docs, "preview-staging.jsonl"), "--output", "markdown"], 0],
  ] as const)("answers %j as the sources do", async (args, code) => {
    const stdin = "example.com:443\n";
    const outcome = await egressProcess(args, { ...installed(node), stdin });
    expect(outcome).toEqual(await egress(args, { stdin }));
    expect(outcome.code).toBe(code);
  });

  it.skipIf(!existsSync(node)).each([
    [["show"], "show runs the Pulumi program, which is not in the package; in the repository: npm start\n"],
    [
      ["record", "--stack", "staging"],
      "record runs the Pulumi program, which is not in the package; in the repository: npm run record\n",
    ],
  ])("refuses %j, which needs the repository", async (args, stderr) => {
    expect(await egressProcess(args, installed(node))).toEqual({ code: 3, stdout: "", stderr });
  });

  it.skipIf(!existsSync(node))("reads a stack of the project in which it runs", async () => {
    const args = ["explain", "10.1.7.7:443", "--stack", "staging"];
    expect(await egressProcess(args, installed(node))).toEqual(await egress(args));
  });

  it.skipIf(!existsSync(node))("writes the report that the sources write", async () => {
    const [own, theirs] = [join(folder, "own.html"), join(folder, "theirs.html")];
    const report = (out: string) => ["report", ...policy, "--out", out];
    expect((await egressProcess(report(theirs), installed(node))).code).toBe(0);
    expect((await egress(report(own))).code).toBe(0);
    expect(readFileSync(theirs, "utf8")).toBe(readFileSync(own, "utf8"));
  });

  it.skipIf(!existsSync(node))("plans a verification as far as the cluster", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        "current-context": "c",
        contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
        clusters: [{ name: "c", cluster: { server: "http://127.0.0.1:1" } }],
      }),
    );
    const args = ["verify", ...policy, "--dry-run"];
    const outcome = await egressProcess(args, { ...installed(node), env: { KUBECONFIG: kubeconfig } });
    expect(outcome).toEqual({ code: 2, stdout: "", stderr: "could not run: connect ECONNREFUSED 127.0.0.1:1\n" });
  });
});

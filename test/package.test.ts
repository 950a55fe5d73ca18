import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApiServer } from "./support/apiServer.ts";
import { egress, egressProcess } from "./support/cli.ts";
import { ROOT } from "./support/fixtureProject.ts";
import { fencedBlocks, readDocument } from "./support/markdown.ts";

/** `.ci/run` puts the oldest supported Node.js here; without it, only the one that runs the tests is tried. */
const NODE_22 = join(ROOT, "node_modules", ".cache", "node-22", "node_modules", "node", "bin", "node");

const folder = mkdtempSync(join(tmpdir(), "package-"));
const docs = join(ROOT, "docs", "examples");
const policy = ["--policy", join(docs, "runner-staging.yaml")];

/** What npm tells the scripts that it runs is not meant for the npm in them, and no registry is asked. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name))),
  npm_config_offline: "true",
};
const run = promisify(execFile);
const shell = (command: string, cwd = folder, env: NodeJS.ProcessEnv = {}) =>
  run("bash", ["-eo", "pipefail", "-c", command], { cwd, env: { ...environment, ...env } });

/** The installed command, run by a Node.js. */
const installed = (node: string) => ({ command: [node, join(folder, "node_modules", ".bin", "runner-egress")] });

beforeAll(async () => {
  await shell(`npm pack --pack-destination ${folder}`, ROOT);
  writeFileSync(join(folder, "package.json"), "{}");
  await shell("npm install --save-dev ./runner-egress-0.1.0.tgz");
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

it("the package brings everything and installs nothing else", () => {
  expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["runner-egress"]);
});

it("the command finds its Node.js by itself", async () => {
  const { stdout } = await run(join(folder, "node_modules", ".bin", "runner-egress"), ["--version"], {
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

describe("docs/your-own-policies.md", () => {
  const document = "docs/your-own-policies.md";
  const [assertions = "", workflow = ""] = fencedBlocks(document, "yaml").map(({ text }) => text);
  const bin = join(folder, "node_modules", ".bin");
  const PATH = [bin, join(folder, "stubs"), dirname(process.execPath), process.env.PATH].join(delimiter);

  beforeAll(async () => {
    writeFileSync(join(folder, "egress.yaml"), assertions);
    mkdirSync(join(folder, "policies"));
    copyFileSync(join(docs, "runner-staging.yaml"), join(folder, "policies", "runner.yaml"));
    mkdirSync(join(folder, "stubs"));
    writeFileSync(join(folder, "stubs", "kubectl"), `#!/bin/sh\ncat ${join(docs, "runner-staging.yaml")}\n`, {
      mode: 0o755,
    });
  });

  it("has commands that check a folder, what kubectl prints and a cluster", async () => {
    const cluster = await startApiServer(({ url = "" }) => [200, liveAnswer(url)]);
    const config = JSON.stringify(cluster.kubeconfig).replaceAll('"c"', '"lab"');
    writeFileSync(join(folder, "kubeconfig"), config);
    const lines = fencedBlocks(document, "sh").flatMap(({ text }) => text.trim().split("\n"));
    expect(lines).toHaveLength(3);
    try {
      for (const line of lines) {
        const { stdout } = await shell(line, folder, { PATH, KUBECONFIG: join(folder, "kubeconfig") });
        expect(stdout, line).toContain("4 checks: 4 holds");
      }
    } finally {
      cluster.close();
    }
  });

  it("has a workflow whose steps do what they say", async () => {
    const { jobs } = load(workflow) as { jobs: { egress: { steps: { uses?: string; run?: string }[] } } };
    const pinned = globSync(".github/{workflows,actions}/**/*.yml", { cwd: ROOT }).map(readDocument).join();
    for (const { uses } of jobs.egress.steps) {
      expect(uses === undefined || pinned.includes(uses), uses).toBe(true);
    }
    const git = "git -c user.name=t -c user.email=t@example.com -c commit.gpgsign=false";
    const ignored = "printf 'node_modules\\nstubs\\n*.html\\nkubeconfig\\n' > .gitignore";
    const base = `${ignored}; git init -q .; git add -A; ${git} commit -qm base; git update-ref refs/remotes/origin/main HEAD`;
    await shell(base, folder, { PATH });
    copyFileSync(join(docs, "runner-2026-05.yaml"), join(folder, "policies", "runner.yaml"));
    const env = { PATH, GITHUB_BASE_REF: "main", GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    const codes: unknown[] = [];
    for (const step of jobs.egress.steps.flatMap((each) => each.run ?? [])) {
      // Beside the clone, as in a workflow; here that is a folder of all tests.
      const command = step.replaceAll("../base", join(folder, "base"));
      codes.push(
        await shell(command, folder, env).then(
          () => 0,
          ({ code }) => code,
        ),
      );
    }
    // The policy of May allows more, and its IPv6 internet is closed: the second assertion fails, and the rest runs.
    expect(codes).toEqual([0, 1, 0]);
    expect(readFileSync(join(folder, "egress.xml"), "utf8")).toContain('tests="2" failures="1"');
    expect(readFileSync(join(folder, "summary.md"), "utf8")).toContain("| **gained** | 10.0.0.0");
  });
});

/** The cluster of the example policy, with a Service and a pod. */
function liveAnswer(url: string): unknown {
  const place = url.replace(/^\/prefix/, "").replace(/\?.*/, "");
  const metadata = { name: "kubernetes", namespace: "default" };
  const items: Readonly<Record<string, readonly unknown[]>> = {
    "/apis/networking.k8s.io/v1/networkpolicies": [load(readFileSync(join(docs, "runner-staging.yaml"), "utf8"))],
    "/api/v1/namespaces": [{ metadata: { name: "default" } }],
    "/api/v1/pods": [{ metadata: { ...metadata, name: "p" }, spec: {}, status: { podIP: "10.1.9.9" } }],
    "/api/v1/services": [{ metadata, spec: { clusterIP: "172.20.0.1", ports: [{ port: 443 }] } }],
  };
  return place === "/apis" ? { kind: "APIGroupDiscoveryList", items: [] } : { items: items[place] };
}

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { FIXTURE_PROJECT, ROOT } from "../../test/support/fixtureProject.ts";
import { layout } from "../../tools/layout.ts";
import { exceptPolicy, randomNumbers, timesOf } from "./support.ts";

const SETS = 5000;
/** From source, and what a user installs: the same, compiled by `npm run prepack`. */
const SOURCE = join(ROOT, "tools", "cli", "main.ts");
const PACKED = join(ROOT, "dist", "cli", "main.cjs");

const POLICY = ["--policy", "docs/examples/runner-staging.yaml"];
const PREVIEWS = ["staging", "prod"].map((stack) => `docs/examples/preview-${stack}.jsonl`);

/** A process: what it runs, and what it may take at most. */
type Row = readonly [name: string, args: readonly string[], bar?: string, stdin?: string];

/** The command line as whole processes, against `node -e 0`. */
export async function measureCommands(): Promise<string> {
  execFileSync("npm", ["run", "--silent", "prepack"], { cwd: ROOT });
  const folder = mkdtempSync(join(tmpdir(), "egress-bench-"));
  try {
    return await measureRows(rowsIn(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rowsIn(folder: string): Row[] {
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const large = [exceptPolicy(10018), exceptPolicy(10018, 5000)].map((policy, index) =>
    file(`${index}.yaml`, dump(policy)),
  );
  const wide = ["staging", "prod"].map((stack) => file(`${stack}.jsonl`, previewEvents(stack)));
  const sets = randomSets();
  return [
    ["node -e 0", ["-e", "0"]],
    ["show, which is npm start", [SOURCE, "show"]],
    ["explain", [SOURCE, "explain", "10.1.7.7:443/tcp", ...POLICY], "<= 0.25 s"],
    ["explain, packed", [PACKED, "explain", "10.1.7.7:443/tcp", ...POLICY], "<= 2.5 x"],
    ["diff, 10,018 excepts", [SOURCE, "diff", ...large], "<= 1 s"],
    ["diff, 10,018 excepts, packed", [PACKED, "diff", ...large], "<= 0.3 s"],
    ["review, two stacks", [SOURCE, "review", ...PREVIEWS, "-o", "markdown"], "<= 0.5 s"],
    ["review, 1,018 excepts", [SOURCE, "review", ...wide, "-o", "markdown", "--ip-family", "ipv4"], "<= 0.5 s"],
    ...["kubernetes", "vpc-cni"].map(
      (semantics): Row => [
        `evaluate, ${SETS} sets, ${semantics}`,
        [SOURCE, "evaluate", "--semantics", semantics],
        `<= ${SETS / 1000} s`,
        sets,
      ],
    ),
  ];
}

async function measureRows(rows: readonly Row[]): Promise<string> {
  const times = await timesOf(
    5,
    rows.map((row) => () => runRow(row)),
  );
  const empty = times[0]?.best ?? Number.NaN;
  const cells = rows.map(([name, , bar = ""], index) => {
    const { best = Number.NaN, median = Number.NaN } = times[index] ?? {};
    return [name, best.toFixed(2), median.toFixed(2), `${(best / empty).toFixed(1)} x`, bar];
  });
  return layout([["process", "best s", "median s", "ratio", "bar"], ...cells], "  ");
}

function runRow([name, args, , stdin = ""]: Row): Promise<void> {
  const child = spawn(process.execPath, args, { cwd: FIXTURE_PROJECT, stdio: ["pipe", "ignore", "ignore"] });
  child.stdin?.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 || code === 1 ? resolve() : reject(new Error(`${name} ended with ${code}`)),
    );
  });
}

/** The engine's events of a preview that updates a wide policy. */
function previewEvents(stack: string): string {
  const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
  const urn = `urn:pulumi:${stack}::bench::${type}::policy`;
  const state = (inputs: object) => ({ type, urn, inputs, outputs: inputs });
  const policies = { old: state(exceptPolicy(1018)), new: state(exceptPolicy(1018, 500)) };
  const metadata = { op: "update", urn, type, ...policies };
  const events = [{ resourcePreEvent: { metadata } }, { summaryEvent: { result: "succeeded" } }];
  return events.map((event, sequence) => JSON.stringify({ sequence, ...event })).join("\n");
}

/** Sets of up to three policies with a few blocks and `except`s each, and twenty points, as JSON lines. */
function randomSets(): string {
  const next = randomNumbers(7);
  const address = () => `10.${next() % 4}.${next() % 256}.${next() % 256}`;
  const block = () => {
    const second = next() % 4;
    return {
      cidr: `10.${second}.0.0/16`,
      except: [`10.${second}.${next() % 256}.0/24`, `10.${second}.${next() % 16}.${next() % 256}/32`],
    };
  };
  const rule = () => ({ to: [{ ipBlock: block() }, { ipBlock: block() }], ports: [{ port: 1 + (next() % 9) }] });
  const policy = () => ({ spec: { podSelector: {}, policyTypes: ["Egress"], egress: [rule(), rule()] } });
  const point = () => ({ ip: address(), protocol: "TCP", port: next() % 10 });
  const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);
  return times(SETS, () => ({ policies: times(1 + (next() % 3), policy), points: times(20, point) }))
    .map((set, id) => `${JSON.stringify({ id, ...set })}\n`)
    .join("");
}

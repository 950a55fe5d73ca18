import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { FIXTURE_PROJECT, ROOT } from "../../test/support/fixtureProject.ts";
import { layout } from "../../tools/layout.ts";
import type { Benchmark } from "./index.ts";
import { exceptPolicy, randomNumbers } from "./support/policies.ts";
import { timesOf } from "./support/times.ts";

const ROUNDS = 5;
const SETS = 5000;

/** A whole process: what it is given, and the most seconds, or times `node -e 0`, that it may take. */
interface Row {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly bar?: number;
  readonly ratioBar?: number;
}

export const benchmark: Benchmark = {
  description: "the command line as whole processes, against node -e 0",
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), "egress-bench-"));
    try {
      return await measureIn(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function measureIn(folder: string): Promise<string> {
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const large = [exceptPolicy(10018), exceptPolicy(10018, 5000)];
  const yaml = large.map((policy, index) => file(`${index}.yaml`, dump(policy)));
  const json = large.map((policy, index) => file(`${index}.json`, JSON.stringify(policy)));
  const cli = join(ROOT, "tools", "cli", "main.ts");
  // What a user installs: the same program, compiled by `npm run prepack`.
  const packed = join(ROOT, "dist", "cli", "main.cjs");
  execFileSync("npm", ["run", "--silent", "prepack"], { cwd: ROOT });
  const wide = [exceptPolicy(1018), exceptPolicy(1018, 500)];
  const previews = ["staging", "prod"].map((stack) => file(`${stack}.jsonl`, previewEvents(stack, wide)));
  const sets = randomSets();
  const rows: Row[] = [
    { name: "node -e 0", args: ["-e", "0"] },
    { name: "--help", args: [cli, "--help"] },
    { name: "show, which is npm start", args: [cli, "show"] },
    {
      name: "explain, seed's policy",
      args: [cli, "explain", "10.1.7.7:443/tcp", "--policy", "docs/examples/runner-staging.yaml"],
      bar: 0.25,
    },
    {
      name: "explain, packed",
      args: [packed, "explain", "10.1.7.7:443/tcp", "--policy", "docs/examples/runner-staging.yaml"],
      ratioBar: 2.5,
    },
    { name: "diff, 10,018 excepts, YAML", args: [cli, "diff", ...yaml], bar: 1 },
    { name: "diff, 10,018 excepts, YAML, packed", args: [packed, "diff", ...yaml], bar: 0.3 },
    { name: "diff, 10,018 excepts, JSON", args: [cli, "diff", ...json] },
    {
      name: "review, two stacks",
      args: [
        cli,
        "review",
        "docs/examples/preview-staging.jsonl",
        "docs/examples/preview-prod.jsonl",
        "-o",
        "markdown",
      ],
      bar: 0.5,
    },
    {
      name: "review, two stacks, 1,018 excepts",
      args: [cli, "review", ...previews, "-o", "markdown", "--ip-family", "ipv4"],
      bar: 0.5,
    },
    ...(["kubernetes", "vpc-cni"] as const).map((semantics) => ({
      name: `evaluate, ${SETS} sets, ${semantics}`,
      args: [cli, "evaluate", "--semantics", semantics],
      stdin: sets,
      bar: SETS / 1000,
    })),
  ];
  const seconds = new Map<Row, number[]>(rows.map((row) => [row, []]));
  // In turns, so that whatever else the machine does meets all of them; the first round fills the compile cache.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const row of rows) {
      const time = await runSeconds(row);
      if (round > 0) {
        seconds.get(row)?.push(time);
      }
    }
  }
  const empty = timesOf(seconds.get(rows[0] as Row) ?? []).best;
  const cells = rows.map((row) => {
    const { best, median } = timesOf(seconds.get(row) ?? []);
    const rate = row.stdin === undefined ? "" : `${Math.round(SETS / best).toLocaleString("en-US")} sets/s`;
    return [
      row.name,
      best.toFixed(2),
      median.toFixed(2),
      `${(best / empty).toFixed(1)} x`,
      row.bar !== undefined ? `<= ${row.bar} s` : row.ratioBar !== undefined ? `<= ${row.ratioBar} x` : "",
      rate,
    ];
  });
  return layout([["process", "best s", "median s", "ratio", "bar", ""], ...cells], "  ");
}

function runSeconds({ args, stdin = "" }: Row): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { cwd: FIXTURE_PROJECT, stdio: ["pipe", "ignore", "inherit"] });
  child.stdin?.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 || code === 1
        ? resolve((performance.now() - start) / 1000)
        : reject(new Error(`${args.join(" ")} ended with ${code}`)),
    );
  });
}

/** The engine's events of a preview that updates a policy from the one object to the other. */
function previewEvents(stack: string, [before, after]: readonly object[]): string {
  const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
  const urn = `urn:pulumi:${stack}::bench::${type}::policy`;
  const state = (inputs: unknown) => ({ type, urn, inputs, outputs: inputs });
  const metadata = { op: "update", urn, type, old: state(before), new: state(after) };
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

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Project, readProject } from "../../tools/offline/engine/project.ts";
import { layout } from "../../tools/offline/report/layout.ts";
import { messages } from "../../tools/offline/report/stackReport.ts";
import { runStack } from "../../tools/offline/runStack.ts";
import type { Benchmark } from "./index.ts";

const ROUNDS = 3;

/** One way to get the result, and how long it takes. */
interface Contestant {
  readonly name: string;
  /** The group whose first member is the measure of the others. */
  readonly group: string;
  /** The most seconds that it may take, where that is agreed. */
  readonly bar?: number;
  run(): Promise<void>;
}

export const benchmark: Benchmark = {
  description: "npm start, and the program's own part of a preview, against ts-node",
  async measure() {
    const contestants = contestantsOf(await readProject("."));
    const seconds = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
    // In turns, so that whatever else the machine does meets all of them.
    for (let round = 0; round < ROUNDS; round++) {
      for (const contestant of contestants) {
        const start = performance.now();
        await contestant.run();
        seconds.get(contestant)?.push((performance.now() - start) / 1000);
      }
    }
    const best = (contestant: Contestant) => Math.min(...(seconds.get(contestant) ?? []));
    const rows = contestants.map((contestant) => {
      const { name, group, bar } = contestant;
      const measure = contestants.find((other) => other.group === group) ?? contestant;
      const times = [...(seconds.get(contestant) ?? [])].sort((a, b) => a - b);
      const cells = [best(contestant), times[Math.floor(times.length / 2)] ?? Number.NaN].map((time) =>
        time.toFixed(2),
      );
      const ratio = `${(best(contestant) / best(measure)).toFixed(1)} x`;
      return [group, name, ...cells, ratio, bar === undefined ? "" : `<= ${bar.toFixed(1)}`];
    });
    return layout([["", "", "best s", "median s", "ratio", "bar s"], ...rows], "  ");
  },
};

function contestantsOf(project: Project): Contestant[] {
  const both = ["staging", "prod"];
  const tsNode = { ...project, typescript: true };
  // The SDK says so only in other module modes than this project's (@pulumi/pulumi 3.270), so ts-node is told itself.
  const transpileOnly = {
    TS_NODE_TRANSPILE_ONLY: "true",
    TS_NODE_COMPILER_OPTIONS: JSON.stringify({ rootDir: project.directory }),
  };
  const uncached = { NODE_DISABLE_COMPILE_CACHE: "1" };
  const program = (name: string, ran: Project, environment: Record<string, string>, bar?: number): Contestant => ({
    group: "one program",
    name,
    ...(bar !== undefined && { bar }),
    run: () => runOffline(ran, ["staging"], environment),
  });
  return [
    { group: "both stacks", name: "npm start", bar: 2, run: npmStart },
    { group: "both stacks", name: "ts-node, transpile only", run: () => runOffline(tsNode, both, transpileOnly) },
    { group: "both stacks", name: "ts-node", run: () => runOffline(tsNode, both, {}) },
    program("type stripping, as it is", project, {}, 1.2),
    program("type stripping, nothing compiled yet", project, uncached),
    program("ts-node, transpile only", tsNode, transpileOnly),
    program("ts-node, Pulumi's default", tsNode, {}),
  ];
}

async function npmStart(): Promise<void> {
  await promisify(execFile)("npm", ["start", "--silent"]);
}

/** Runs the program as a preview does: its own process, with lookups that take no time. */
async function runOffline(project: Project, stacks: readonly string[], environment: Record<string, string>) {
  const runs = await Promise.all(stacks.map((stack) => runStack({ project, stack, environment })));
  for (const { succeeded, diagnostics } of runs) {
    if (!succeeded) {
      throw new Error(`a run failed: ${messages(diagnostics, "error").join("\n")}`);
    }
  }
}

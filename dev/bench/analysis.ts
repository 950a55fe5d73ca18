import { execFileSync } from "node:child_process";
import { Bench } from "tinybench";
import {
  compile,
  diff,
  type EgressAnalysis,
  type Point,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
  verdict,
} from "../../analysis/index.ts";
import { layout } from "../../tools/layout.ts";
import type { Benchmark } from "./index.ts";
import { exceptPolicy, randomNumbers, seedPolicies } from "./support/policies.ts";
import { measureMilliseconds } from "./support/times.ts";

const SEMANTICS: readonly Semantics[] = [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily: "ipv4" }];

/** Points asked in one iteration, so that the clock's own time does not count. */
const POINTS = 100_000;

/** Counts of `except`s that are compared, and the most milliseconds for compile + diff of two such policies. */
const SIZES = [
  { count: 1018, bar: 20 },
  { count: 10018, bar: 300 },
] as const;

export const benchmark: Benchmark = {
  description: "the analysis: verdicts a second, compile and diff of large policies, memory",
  async measure() {
    return [await verdictRows(), diffRows(), memoryRow()].join("\n\n");
  },
};

async function verdictRows(): Promise<string> {
  const bench = new Bench({ time: 1000, warmupTime: 300 });
  for (const semantics of SEMANTICS) {
    const analysis = compile(seedPolicies(), { semantics, source: SELECTED_BY_EVERY_POLICY });
    for (const family of ["ipv4", "ipv6"] as const) {
      const points = randomPoints(family);
      bench.add(`${semantics.name}, ${family}`, () => askAll(analysis, points));
    }
  }
  await bench.run();
  const rows = bench.tasks.map(({ name, result }) => {
    const milliseconds = "latency" in result ? result.latency.p50 : Number.NaN;
    return [
      name,
      ((POINTS / milliseconds) * 1000).toLocaleString("en-US", { maximumFractionDigits: 0 }),
      ">= 5,000,000",
    ];
  });
  return layout([["point verdicts on the seed's policy", "a second", "bar"], ...rows], "  ");
}

function askAll(analysis: EgressAnalysis, points: readonly Point[]): number {
  let allowed = 0;
  for (const point of points) {
    allowed += verdict(analysis, point) === "allow" ? 1 : 0;
  }
  return allowed;
}

function randomPoints(family: Point["address"]["family"]): Point[] {
  const next = randomNumbers(20260601);
  const protocols = ["TCP", "UDP", "SCTP"] as const;
  return Array.from({ length: POINTS }, () => {
    const value =
      family === "ipv4"
        ? BigInt(next())
        : (BigInt(next()) << 96n) | (BigInt(next()) << 64n) | (BigInt(next()) << 32n) | BigInt(next());
    return { address: { family, value }, protocol: protocols[next() % 3] ?? "TCP", port: next() % 65536 };
  });
}

function diffRows(): string {
  const rows = SEMANTICS.flatMap((semantics) => {
    const measured = SIZES.map(({ count, bar }) => {
      const inputs = [exceptPolicy(count), exceptPolicy(count, count >> 1)].map((input) =>
        parseNetworkPolicies([input]),
      );
      const times = measureMilliseconds(11, 5, () => {
        const [before, after] = inputs.map((policies) =>
          compile(policies, { semantics, source: SELECTED_BY_EVERY_POLICY }),
        );
        diff(before as EgressAnalysis, after as EgressAnalysis);
      });
      return { count, bar, ...times };
    });
    return measured.map(({ count, bar, best, median }, index) => {
      const previous = measured[index - 1];
      // n log n would be 12.8 from 1,018 to 10,018.
      const growth = previous === undefined ? "" : `${(median / previous.median).toFixed(1)} x`;
      return [semantics.name, count.toLocaleString("en-US"), best.toFixed(1), median.toFixed(1), growth, `<= ${bar}`];
    });
  });
  return layout(
    [["compile + diff of two policies", "excepts", "best ms", "median ms", "growth", "bar ms"], ...rows],
    "  ",
  );
}

/** The most memory of a process of its own that compiles and compares two policies. */
function memoryRow(): string {
  const { count } = SIZES[1];
  const code = `
    import { bareDiff, compile, parseNetworkPolicies, SELECTED_BY_EVERY_POLICY } from ${JSON.stringify(new URL("../../analysis/index.ts", import.meta.url))};
    import { exceptPolicy } from ${JSON.stringify(new URL("./support/policies.ts", import.meta.url))};
    const [before, after] = [exceptPolicy(${count}), exceptPolicy(${count}, 5000)].map((input) =>
      compile(parseNetworkPolicies([input]), { semantics: { name: "vpc-cni", ipFamily: "ipv4" }, source: SELECTED_BY_EVERY_POLICY }));
    bareDiff(before, after);
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const megabytes = Number(
    execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" }),
  );
  return layout(
    [
      ["memory at 10,018 excepts", "MB", "bar"],
      ["process, compile + diff", megabytes.toFixed(0), "<= 300"],
    ],
    "  ",
  );
}

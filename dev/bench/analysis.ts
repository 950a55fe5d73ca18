import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AddressFamily,
  compile,
  diff,
  type EgressAnalysis,
  type NetworkPolicy,
  type Point,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
  verdict,
} from "../../analysis/index.ts";
import { ROOT } from "../../test/support/fixtureProject.ts";
import { parseYaml } from "../../tools/cli/input/yaml.ts";
import { layout } from "../../tools/layout.ts";
import { exceptPolicy, randomNumbers, timesOf } from "./support.ts";

const SEMANTICS: readonly Semantics[] = [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily: "ipv4" }];
const FAMILIES: readonly AddressFamily[] = ["ipv4", "ipv6"];
const POINTS = 1_000_000;
/** Counts of `except`s that are compared. n log n would be 12.8 from the one to the other. */
const SIZES = [1018, 10018];

/** Verdicts a second, and how long it takes to compile and compare two large policies. */
export async function measureAnalysis(): Promise<string> {
  return `${await verdictRows()}\n\n${await diffRows()}`;
}

/** On KeeperHub's own policy for staging, of June 2026. */
async function verdictRows(): Promise<string> {
  const file = join(ROOT, "docs", "examples", "runner-staging.yaml");
  const policies = parseNetworkPolicies(parseYaml(readFileSync(file, "utf8"), file));
  const rows = SEMANTICS.flatMap((semantics) => FAMILIES.map((family) => ({ semantics, family })));
  const times = await timesOf(
    5,
    rows.map(({ semantics, family }) => {
      const analysis = compiled(policies, semantics);
      const points = randomPoints(family);
      return () => points.reduce((allowed, point) => allowed + (verdict(analysis, point) === "allow" ? 1 : 0), 0);
    }),
  );
  const cells = rows.map(({ semantics, family }, index) => [
    `${semantics.name}, ${family}`,
    Math.round(POINTS / (times[index]?.best ?? Number.NaN)).toLocaleString("en-US"),
    ">= 8,000,000",
  ]);
  return layout([["point verdicts", "a second", "bar"], ...cells], "  ");
}

function compiled(policies: readonly NetworkPolicy[], semantics: Semantics): EgressAnalysis {
  return compile(policies, { semantics, source: SELECTED_BY_EVERY_POLICY });
}

function randomPoints(family: AddressFamily): Point[] {
  const next = randomNumbers(20260601);
  const protocols = ["TCP", "UDP", "SCTP"] as const;
  return Array.from({ length: POINTS }, () => {
    const words = Array.from({ length: family === "ipv4" ? 1 : 4 }, () => BigInt(next()));
    const value = words.reduce((all, word) => (all << 32n) | word, 0n);
    return { address: { family, value }, protocol: protocols[next() % 3] ?? "TCP", port: next() % 65536 };
  });
}

async function diffRows(): Promise<string> {
  const rows = SEMANTICS.flatMap((semantics) => SIZES.map((count) => ({ semantics, count })));
  const times = await timesOf(
    11,
    rows.map(({ semantics, count }) => {
      const [before = [], after = []] = [exceptPolicy(count), exceptPolicy(count, count >> 1)].map((policy) =>
        parseNetworkPolicies([policy]),
      );
      return () => diff(compiled(before, semantics), compiled(after, semantics));
    }),
  );
  const cells = rows.map(({ semantics, count }, index) => {
    const { best = Number.NaN, median = Number.NaN } = times[index] ?? {};
    const growth = index % 2 === 0 ? "" : `${(median / (times[index - 1]?.median ?? Number.NaN)).toFixed(1)} x`;
    return [
      semantics.name,
      count.toLocaleString("en-US"),
      (best * 1000).toFixed(1),
      (median * 1000).toFixed(1),
      growth,
      index % 2 === 0 ? "" : "<= 20",
    ];
  });
  return layout(
    [["compile + diff of two policies", "excepts", "best ms", "median ms", "growth", "bar"], ...cells],
    "  ",
  );
}

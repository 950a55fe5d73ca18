import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { currentContext, whatIsMissing } from "../../test/e2e/support/environment.ts";
import { Project, type Stack } from "../../test/e2e/support/stack.ts";
import { createWorld } from "../../test/e2e/support/world.ts";
import { layout } from "../../tools/layout.ts";
import type { Benchmark } from "./index.ts";
import { timesOf } from "./support/times.ts";

const ROUNDS = 7;
/** The most seconds that the pack may add. */
const BAR = 0.6;
const WORLD = { name: "bench-pack", prefix: "10.1" };

/** A preview, and how long it took each time. */
interface Contestant {
  readonly name: string;
  readonly flags: readonly string[];
  /** A cache of compiled code that is made anew for each run. */
  readonly cold: boolean;
  readonly seconds: number[];
}

export const benchmark: Benchmark = {
  description: "a preview on the real engine, with the policy pack and without",
  async measure() {
    const missing = await whatIsMissing();
    if (missing !== undefined) {
      return `NOT RUN: ${missing}`;
    }
    process.env.E2E_CONTEXT = await currentContext();
    const project = await Project.copy();
    try {
      const { stack } = await createWorld(project, WORLD);
      return await measureWith(stack);
    } finally {
      await project.remove();
    }
  },
};

async function measureWith(stack: Stack): Promise<string> {
  // Advice only: the shipped config is for another namespace, and a preview that fails ends early.
  const pack = ["--policy-pack", "policy-pack"];
  const contestants: Contestant[] = [
    { name: "preview", flags: [], cold: false, seconds: [] },
    { name: "with the pack", flags: pack, cold: false, seconds: [] },
    { name: "preview, nothing compiled", flags: [], cold: true, seconds: [] },
    { name: "with the pack, nothing compiled", flags: pack, cold: true, seconds: [] },
  ];
  // One round more, which fills the caches and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { flags, cold, seconds } of contestants) {
      const cache = cold ? await mkdtemp(join(tmpdir(), "compile-cache-")) : undefined;
      const run = cache === undefined ? stack : stack.with({ NODE_COMPILE_CACHE: cache });
      const start = performance.now();
      await run.preview(...flags);
      if (round > 0) {
        seconds.push((performance.now() - start) / 1000);
      }
      if (cache !== undefined) {
        await rm(cache, { recursive: true });
      }
    }
  }
  const rows = contestants.map(({ name, seconds }, index) => {
    const { best, median } = timesOf(seconds);
    const without = timesOf((contestants[index - (index % 2)] as Contestant).seconds);
    const added =
      index % 2 === 0 ? ["", "", ""] : [`+${(best - without.best).toFixed(2)}`, ratio(best, without.best), bar(index)];
    return [name, best.toFixed(2), median.toFixed(2), ...added];
  });
  return layout([["", "best s", "median s", "added s", "ratio", "bar s"], ...rows], "  ");
}

function ratio(time: number, without: number): string {
  return `${(time / without).toFixed(2)} x`;
}

function bar(index: number): string {
  return index === 1 ? `<= ${BAR.toFixed(1)}` : "";
}

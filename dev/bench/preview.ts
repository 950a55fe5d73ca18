import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { currentContext, whatIsMissing } from "../../test/e2e/support/environment.ts";
import { Project } from "../../test/e2e/support/stack.ts";
import { createWorld } from "../../test/e2e/support/world.ts";
import { layout } from "../../tools/layout.ts";
import { timesOf } from "./support.ts";

const WORLD = { name: "bench", prefix: "10.1" };

/** A preview on the real engine: what the program adds to that of an empty one, and the policy pack to that. */
export async function measurePreview(): Promise<string> {
  const missing = await whatIsMissing();
  if (missing !== undefined) {
    return `  NOT RUN: ${missing}`;
  }
  process.env.E2E_CONTEXT = await currentContext();
  const [project, empty] = [await Project.copy(), await Project.copy()];
  try {
    await writeFile(join(empty.directory, "index.ts"), "export {};\n");
    const { stack } = await createWorld(project, WORLD);
    const nothing = await empty.stack(WORLD.name, { "runner-egress:vpc": {}, "runner-egress:cluster": {} });
    const previews = [
      () => nothing.preview(),
      () => stack.preview(),
      () => stack.preview("--policy-pack", "policy-pack"),
    ];
    for (const preview of previews) {
      const { status, stdout } = await preview();
      if (status !== 0) {
        throw new Error(stdout);
      }
    }
    const times = await timesOf(7, previews);
    const names = ["of an empty program", "of the program", "with the policy pack"];
    const bars = ["", "<= 1.0", "<= 0.6"];
    const rows = times.map(({ best, median }, index) => {
      const before = times[index - 1]?.best;
      const added =
        before === undefined ? ["", ""] : [`+${(best - before).toFixed(2)}`, `${(best / before).toFixed(2)} x`];
      return [names[index] ?? "", best.toFixed(2), median.toFixed(2), ...added, bars[index] ?? ""];
    });
    return layout([["preview", "best s", "median s", "added s", "ratio", "bar"], ...rows], "  ");
  } finally {
    await Promise.all([project.remove(), empty.remove()]);
  }
}

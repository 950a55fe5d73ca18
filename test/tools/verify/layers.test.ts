import { globSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../support/fixtureProject.ts";
import { readDocument } from "../../support/markdown.ts";

/** The files that touch the world: the API server, the clock, chance, the engine, and the script as an asset. */
const IMPURE = ["cluster.ts", "probe.ts", "probing.ts", "run.ts", "takeSnapshot.ts", "verify.ts"];

it("verify/ judges in files that do no I/O", () => {
  const files = globSync("**/*.ts", { cwd: join(ROOT, "tools", "verify") }).filter((file) => !IMPURE.includes(file));
  const wrong = files.filter((file) =>
    /from "(node:|@pulumi|.*kube\/(apiServer|kubeconfig))|from ".*\/(cluster|probing|takeSnapshot|run)\.ts"|\bDate\b|Math\.random|performance\./.test(
      readDocument(`tools/verify/${file}`).replaceAll(/import type [^;]*;/g, ""),
    ),
  );
  expect(files.length).toBeGreaterThan(18);
  expect(wrong).toEqual([]);
});

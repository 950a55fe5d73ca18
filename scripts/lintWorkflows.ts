/**
 * Holds the workflows to actionlint and zizmor: `npm run lint:workflows`. Both come from package registries (Go modules and
 * PyPI), in the versions below, into `node_modules/.cache`. Without Go or Python it says so and passes, but not with `CI` set.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture, show } from "./ci/command.ts";
import { runStep } from "./ci/refusal.ts";

const ACTIONLINT = "1.7.12";
const ZIZMOR = "1.32.0";

const CACHE = join(import.meta.dirname, "..", "node_modules", ".cache", "workflow-lint");

interface Linter {
  readonly name: string;
  readonly needs: string;
  readonly path: string;
  readonly install: readonly (readonly [command: string, args: readonly string[], env?: Record<string, string>])[];
  readonly args: readonly string[];
}

const actionlintFolder = join(CACHE, `actionlint-${ACTIONLINT}`);
const zizmorFolder = join(CACHE, `zizmor-${ZIZMOR}`);

const LINTERS: readonly Linter[] = [
  {
    name: "actionlint",
    needs: "go",
    path: join(actionlintFolder, "actionlint"),
    install: [
      ["go", ["install", `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT}`], { GOBIN: actionlintFolder }],
    ],
    // Found by chance on one machine and not on the next, these would change the result; no workflow has scripts to check.
    args: ["-color", "-shellcheck=", "-pyflakes="],
  },
  {
    name: "zizmor",
    needs: "python3",
    path: join(zizmorFolder, "bin", "zizmor"),
    install: [
      ["python3", ["-m", "venv", zizmorFolder]],
      [join(zizmorFolder, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", `zizmor==${ZIZMOR}`]],
    ],
    args: ["--offline", "--persona=pedantic", "--no-progress", ".github"],
  },
];

await runStep(async () => {
  let worst = 0;
  for (const linter of LINTERS) {
    if (await install(linter)) {
      process.stdout.write(`=== ${linter.name}\n`);
      worst = Math.max(worst, await show(linter.path, linter.args));
    } else {
      process.stderr.write(`!!! NOT RUN: ${linter.name}, which could not be installed; it needs ${linter.needs}\n`);
      worst = Math.max(worst, process.env.CI ? 1 : 0);
    }
  }
  return worst === 0 ? 0 : 1;
});

async function install({ path, install }: Linter): Promise<boolean> {
  for (const [command, args, env] of existsSync(path) ? [] : install) {
    const { status } = await capture(command, args, env).catch(() => ({ status: 127 }));
    if (status !== 0) {
      return false;
    }
  }
  return true;
}

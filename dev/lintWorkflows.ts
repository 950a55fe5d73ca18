/**
 * Holds the workflows to actionlint and zizmor: `npm run lint:workflows`. Both come from package registries (Go modules and
 * PyPI), in the versions below, into `node_modules/.cache`. Without Go or Python it says so and ends with 2.
 */
import { show } from "../tools/command.ts";
import { CLEAN, FINDING, INCONCLUSIVE } from "../tools/exitCodes.ts";
import { runStep } from "../tools/refusal.ts";
import { goTool, isInstalled, pythonTool } from "./tool.ts";

/** GitHub's form for an action of the workflow's own repository and commit, which zizmor asks for and actionlint 1.7 does not know. */
const SELF_REPOSITORY = '^specifying action "\\$/\\.github/actions/';

const LINTERS = [
  {
    tool: goTool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "1.7.12"),
    // Found by chance on one machine and not on the next, these would change the result; no workflow has scripts to check.
    args: ["-color", "-shellcheck=", "-pyflakes=", "-ignore", SELF_REPOSITORY],
  },
  {
    tool: pythonTool("zizmor", "zizmor", "1.32.0"),
    args: ["--offline", "--persona=pedantic", "--no-progress", ".github"],
  },
];

await runStep(async () => {
  let isClean = true;
  let isComplete = true;
  for (const { tool, args } of LINTERS) {
    if (await isInstalled(tool)) {
      process.stdout.write(`=== ${tool.name}\n`);
      isClean = (await show(tool.path, args)) === 0 && isClean;
    } else {
      process.stderr.write(
        `NOT RUN: ${tool.name}: it could not be installed, which needs ${tool.needs} and its registry\n`,
      );
      isComplete = false;
    }
  }
  return isClean ? (isComplete ? CLEAN : INCONCLUSIVE) : FINDING;
});

/** Measures the README's figures: `npm run bench -- [analysis] [commands] [preview]`, all of them by default. */
import { USAGE_ERROR } from "../../tools/exitCodes.ts";
import { measureAnalysis } from "./analysis.ts";
import { measureCommands } from "./commands.ts";
import { measurePreview } from "./preview.ts";

const BENCHMARKS: Readonly<Record<string, () => string | Promise<string>>> = {
  analysis: measureAnalysis,
  commands: measureCommands,
  preview: measurePreview,
};

const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : Object.keys(BENCHMARKS)) {
  const measure = BENCHMARKS[name];
  if (measure === undefined) {
    console.error(`benchmark ${JSON.stringify(name)}: there is ${Object.keys(BENCHMARKS).join(", ")}`);
    process.exit(USAGE_ERROR);
  }
  console.log(`${name}\n\n${await measure()}\n`);
}

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";

/** One file of this folder beside this one is one benchmark, of the file's name. */
export interface Benchmark {
  /** What is measured, one line for `--help`. */
  readonly description: string;
  /** Measures and returns the result as text for a terminal. */
  measure(): Promise<string>;
}

/** The benchmarks by name; each module exports one as `benchmark`. */
async function benchmarks(): Promise<Map<string, Benchmark>> {
  const files = (await readdir(import.meta.dirname))
    .filter((file) => file.endsWith(".ts") && file !== "index.ts")
    .sort();
  const modules = files.map(async (file): Promise<[string, Benchmark]> => {
    const { benchmark } = (await import(join(import.meta.dirname, file))) as { benchmark: Benchmark };
    return [file.slice(0, -".ts".length), benchmark];
  });
  return new Map(await Promise.all(modules));
}

const known = await benchmarks();
const list = [...known].map(([name, { description }]) => `  ${name.padEnd(16)}${description}`).join("\n");
const command = new Command("npm run bench --")
  .description("Runs the benchmarks. A quiet machine gives better numbers; the ratios hold on any.")
  .argument("[name...]", "the benchmarks to run (default: all)", (name: string, names: string[] = []) => {
    if (!known.has(name)) {
      throw new InvalidArgumentError(`There are ${[...known.keys()].join(", ")}.`);
    }
    return [...names, name];
  })
  .addHelpText("after", `\nBenchmarks:\n${list}`)
  .parse();

const chosen = command.args.length > 0 ? command.args : [...known.keys()];
for (const name of chosen) {
  console.log(`${name}: ${known.get(name)?.description}\n`);
  console.log(`${await known.get(name)?.measure()}\n`);
}

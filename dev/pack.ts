/**
 * Compiles the command line into `dist/`, which is what `npm pack` puts into the tarball. Node.js strips no types under
 * `node_modules`, and somebody with a folder of YAML needs none of the libraries that the Pulumi program depends on, which
 * is why those are the dependencies of `program/package.json`.
 */
import { copyFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { pageParts } from "../tools/report/pageParts.ts";

const ROOT = join(import.meta.dirname, "..");
const OUT = join(ROOT, "dist", "cli");

/** What runs the Pulumi program has no place where its libraries are not installed. */
const notHere = (name: string, script: string) => `
  import { Option } from "commander";
  import { UsageError } from "../errors.ts";
  export const command = {
    description: "Runs the Pulumi program, which is not in the package.",
    options: [new Option("--stack <name...>"), new Option("-o, --output <format>")],
    examples: [],
    run() {
      throw new UsageError("${name} runs the Pulumi program, which is not in the package; in the repository: ${script}");
    },
  };`;

/** Modules that the package has in another form, by path. */
const REPLACED: Readonly<Record<string, string>> = {
  "tools/cli/commands/show.ts": notHere("show", "npm start"),
  "tools/cli/commands/record.ts": notHere("record", "npm run record"),
  "tools/cli/commands/setup.ts": notHere("setup", "npm run egress -- setup"),
  "tools/report/pageParts.ts": `export const pageParts = async () => (${JSON.stringify(await pageParts())});`,
};

const replacements: Plugin = {
  name: "replacements",
  setup({ onLoad, onResolve }) {
    // Commander would start subcommands that are programs of their own; there are none, and the module takes 8 ms to load.
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes("/commander/") ? { path: "unused", namespace: "unused" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({
      contents: "export default {}; export const spawn = undefined;",
    }));
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = REPLACED[relative(ROOT, path)];
      return contents === undefined ? undefined : { contents };
    });
  },
};

/** The entry loads the rest only once the compile cache is on, so it has to stay a file of its own. */
const split: Plugin = {
  name: "split",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/process\.ts$/ }, () => ({ path: "./process.cjs", external: true }));
  },
};

// CommonJS, because the import of a built-in module reads all its members, which loads half of Node.js: 20 ms.
const common: BuildOptions = {
  absWorkingDir: ROOT,
  outdir: OUT,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  minify: true,
  format: "cjs",
  platform: "node",
  target: "node22",
  charset: "utf8",
  logLevel: "warning",
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "importMetaUrl" },
  banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
};

rmSync(join(ROOT, "dist"), { recursive: true, force: true });
await build({ ...common, entryPoints: ["tools/cli/main.ts"], plugins: [split] });
await build({ ...common, entryPoints: ["tools/cli/process.ts"], plugins: [replacements] });
copyFileSync(join(ROOT, "tools", "verify", "probe.sh"), join(OUT, "probe.sh"));

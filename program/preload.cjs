// Runs before what imports Pulumi's SDK (the program by Pulumi.yaml, the policy pack by PulumiPolicy.yaml, `show`), and
// halves the time in which that starts. Nothing depends on it.
const { enableCompileCache, registerHooks } = require("node:module");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

// Compiled code, and TypeScript with its types stripped, is kept from one run to the next: beside the dependencies, unless
// NODE_COMPILE_CACHE says where.
enableCompileCache?.(
  process.env.NODE_COMPILE_CACHE ?? join(__dirname, "..", "node_modules", ".cache", "runner-egress"),
);

// What @pulumi/pulumi always loads and nothing here uses: a compiler for programs in TypeScript, which Node.js runs by
// itself, and the reader of npm trees that goes with serialized functions (SDK 3.270, 2026-11).
const UNUSED = new Set(["typescript", "ts-node", "@npmcli/arborist"]);
const nothing = { url: pathToFileURL(join(__dirname, "nothing.cjs")).href, format: "commonjs", shortCircuit: true };

registerHooks?.({
  resolve: (specifier, context, next) =>
    UNUSED.has(specifier) && context.parentURL?.includes("/node_modules/@pulumi/pulumi/")
      ? nothing
      : next(specifier, context),
});

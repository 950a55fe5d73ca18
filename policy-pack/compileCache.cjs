// Node.js 22.8 and later keep compiled code, and TypeScript with its types stripped, from one run to the next: beside the
// dependencies, unless NODE_COMPILE_CACHE says where.
const { enableCompileCache } = require("node:module");
const { join } = require("node:path");

enableCompileCache?.(
  process.env.NODE_COMPILE_CACHE ?? join(__dirname, "..", "node_modules", ".cache", "runner-egress"),
);

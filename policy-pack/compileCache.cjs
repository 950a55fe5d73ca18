// Node.js 22.8 and later keep compiled code, and TypeScript with its types stripped, between runs.
require("node:module").enableCompileCache?.();

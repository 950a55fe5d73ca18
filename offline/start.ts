import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Before everything else is loaded: it halves the time until the result.
enableCompileCache(join(import.meta.dirname, "..", "node_modules", ".cache", "runner-egress"));
const { main } = await import("./startCommand.ts");
process.exitCode = await main(process.argv.slice(2));

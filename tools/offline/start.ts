import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Before the rest is loaded. In the folder that Pulumi.yaml names for the program itself.
enableCompileCache(join(import.meta.dirname, "..", "..", "node_modules", ".cache", "compile"));
const { main } = await import("./startCommand.ts");
process.exitCode = await main(process.argv.slice(2));

import { enableCompileCache } from "node:module";
import { COMPILE_CACHE } from "./compileCache.ts";

// Before the rest is loaded.
enableCompileCache(COMPILE_CACHE);
const { main } = await import("./startCommand.ts");
process.exitCode = await main(process.argv.slice(2));

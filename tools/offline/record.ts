import { main } from "./recordCommand.ts";

process.exitCode = await main(process.argv.slice(2));

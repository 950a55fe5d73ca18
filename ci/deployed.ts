/**
 * Goes to the commit that a stack is deployed from, for the drift check: `npm run ci:deployed -- prod`. What waits for its
 * approval is not deployed, and would be reported as drift. Changes the working tree, and installs that commit's dependencies where they are others.
 * Where nothing is deployed yet, it stays.
 */
import { parseArgs } from "node:util";
import { capture, show } from "../tools/command.ts";
import { Refusal, runStep, stackArgument } from "../tools/refusal.ts";
import { checkedOutCommit, deployedCommit } from "./steps/commits.ts";

await runStep(async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const stack = stackArgument(positionals, "npm run ci:deployed -- prod");
  const commit = await deployedCommit(stack);
  const here = await checkedOutCommit();
  process.stdout.write(
    `${stack}: ${commit === undefined ? "nothing is deployed yet" : `deployed is commit ${commit}`}\n`,
  );
  if (commit === undefined || commit === here) {
    return 0;
  }
  const lock = await capture("git", ["diff", "--quiet", here, commit, "--", "package-lock.json"]);
  await must("git", ["checkout", "--quiet", commit]);
  if (lock.status !== 0) {
    await must("npm", ["ci"]);
  }
  return 0;
});

async function must(command: string, args: readonly string[]): Promise<void> {
  const status = await show(command, args);
  if (status !== 0) {
    throw new Refusal(`The deployed commit can't be checked out: ${command} ${args.join(" ")} ended with ${status}.`);
  }
}

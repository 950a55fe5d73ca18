/**
 * Deploys what was previewed, and nothing else:
 * `npm run ci:deploy -- prod [--previews previews] [--after staging] [-- COMMAND...]`.
 *
 * Refuses another commit, and a plan whose facts or policy are no longer the approved ones. With `--after`, that stack
 * has to be deployed from the same commit first. The command after `--` has to succeed for the stack to count as deployed;
 * `npm run ci:verify -- STACK` is meant for it.
 */
import { parseArgs } from "node:util";
import { approvalOf, differencesFrom } from "./steps/approval.ts";
import { show } from "./steps/command.ts";
import { checkedOutCommit } from "./steps/commit.ts";
import { DEFAULT_FOLDER, fileNames, load, loadApproval, save } from "./steps/files.ts";
import { previewStack, stackArguments } from "./steps/previewStack.ts";
import { Refusal, runStep, stackArgument } from "./steps/refusal.ts";

await runStep(async () => {
  const [own, verification] = splitAtDashes(process.argv.slice(2));
  const { positionals, values } = parseArgs({
    args: own,
    allowPositionals: true,
    options: { previews: { type: "string", default: DEFAULT_FOLDER }, after: { type: "string" } },
  });
  const stack = stackArgument(positionals, "npm run ci:deploy -- staging");
  const folder = values.previews;
  const approved = loadApproval(folder, stack);
  const commit = await checkedOutCommit();
  if (approved.commit !== commit) {
    throw new Refusal(`${stack} was not deployed:`, [`approved was commit ${approved.commit}, this is ${commit}`]);
  }
  if (values.after !== undefined) {
    const first = load<{ commit: string }>(fileNames.deployed(folder, values.after));
    if (first?.commit !== commit) {
      const state = first === undefined ? "was not deployed and verified" : `was deployed from ${first.commit}`;
      throw new Refusal(`${stack} was not deployed:`, [`${values.after} comes first, and it ${state}`]);
    }
  }

  const { status, plan } = await previewStack(stack);
  const now = approvalOf(plan, commit);
  const differences = now === undefined ? [] : differencesFrom(approved, now);
  if (differences.length > 0) {
    throw new Refusal(
      `${stack} was not deployed: it is not what was approved. Preview and approve it again.`,
      differences,
    );
  }
  if (status !== 0 || now === undefined) {
    const findings = (plan.findings ?? []).map(({ policy, message }) => `${policy}: ${message}`);
    throw new Refusal(`${stack} was not deployed: its preview fails now.`, [...plan.errors, ...findings]);
  }

  const up = await show("pulumi", ["up", "--yes", ...stackArguments(stack)]);
  if (up !== 0) {
    throw new Refusal(`pulumi up of ${stack} ended with ${up}.`);
  }
  const [command, ...args] = verification;
  if (command !== undefined) {
    const verified = await show(command, args);
    if (verified !== 0) {
      throw new Refusal(`${stack} is deployed, but ${command} ${args.join(" ")} ended with ${verified}.`);
    }
  }
  save(fileNames.deployed(folder, stack), { stack, commit });
  return 0;
});

function splitAtDashes(args: readonly string[]): [string[], string[]] {
  const at = args.indexOf("--");
  return at < 0 ? [[...args], []] : [args.slice(0, at), args.slice(at + 1)];
}

/**
 * Deploys what was previewed, and nothing else:
 * `npm run ci:deploy -- prod [--previews previews] [--after staging] [--rollback-from COMMIT] [-- COMMAND...]`.
 *
 * Refuses another commit, a plan whose facts or policy are no longer the approved ones, and a stack that has changed since
 * the preview: what was approved is a change of what was live then. A commit that is older than the deployed one is refused
 * unless `--rollback-from` names the deployed one. With `--after`, that stack has to be deployed from the same commit first,
 * and in a workflow people have to approve the deployment. The command after `--` has to succeed for the stack to count as deployed;
 * `npm run ci:verify -- STACK` is meant for it.
 */
import { parseArgs } from "node:util";
import type { Acknowledgement } from "../program/config/stackConfig.ts";
import { readProject } from "../program/project.ts";
import { readConfigFile } from "../program/stackFiles.ts";
import { show } from "../tools/command.ts";
import { FINDING, INCONCLUSIVE } from "../tools/exitCodes.ts";
import { hasReviewers, repositoryOf } from "../tools/github.ts";
import { Refusal, refused, runStep, stackArgument } from "../tools/refusal.ts";
import { guardrailRun, unguarded } from "../tools/review/index.ts";
import { differencesFrom, plannedUpdate } from "./steps/approval.ts";
import { movedSince, readBefore, takesBack } from "./steps/before.ts";
import { checkedOutCommit } from "./steps/commits.ts";
import { DEFAULT_FOLDER, fileNames, load, loadApproval, save } from "./steps/files.ts";
import { previewStack, stackArguments } from "./steps/previewStack.ts";

const UNREVIEWED: Acknowledgement = "deployment-not-reviewed";

await runStep(async () => {
  const [own, verification] = splitAtDashes(process.argv.slice(2));
  const { positionals, values } = parseArgs({
    args: own,
    allowPositionals: true,
    options: {
      previews: { type: "string", default: DEFAULT_FOLDER },
      after: { type: "string" },
      "rollback-from": { type: "string" },
    },
  });
  const stack = stackArgument(positionals, "npm run ci:deploy -- staging");
  const folder = values.previews;
  const approved = loadApproval(folder, stack);
  const commit = await checkedOutCommit();
  if (approved.commit !== commit) {
    throw refused(`${stack} was not deployed:`, [`approved was commit ${approved.commit}, this is ${commit}`]);
  }
  if (values.after !== undefined) {
    const first = load<{ commit: string }>(fileNames.deployed(folder, values.after));
    if (first?.commit !== commit) {
      const state = first === undefined ? "was not deployed and verified" : `was deployed from ${first.commit}`;
      throw refused(`${stack} was not deployed:`, [`${values.after} comes first, and it ${state}`]);
    }
  }

  if (values.after !== undefined) {
    await requireReviewers(stack);
  }

  const { status, plan } = await previewStack(stack);
  const now = plannedUpdate(plan, commit);
  const before = now === undefined ? undefined : await readBefore(stack, now.cluster, now.policy);
  const taken = before && (await takesBack(commit, before.commit, values["rollback-from"]));
  const differences =
    now === undefined || before === undefined
      ? []
      : [...(taken === undefined ? [] : [taken]), ...differencesFrom(approved, now), ...movedSince(approved, before)];
  if (differences.length > 0) {
    throw refused(`${stack} was not deployed: it is not what was approved. Preview and approve it again.`, differences);
  }
  const gap = unguarded(guardrailRun(plan));
  if (status !== 0 || now === undefined || gap !== undefined) {
    const findings = (plan.findings ?? []).map(({ policy, message }) => `${policy}: ${message}`);
    const reasons = [...plan.errors, ...findings, ...(gap === undefined ? [] : [`the guardrails are ${gap}`])];
    throw new Refusal(`${stack} was not deployed: its preview fails now.`, reasons);
  }

  const up = await show("pulumi", ["up", "--yes", ...stackArguments(stack)]);
  if (up !== 0) {
    throw new Refusal(`pulumi up of ${stack} ended with ${up}.`);
  }
  const [command, ...args] = verification;
  if (command !== undefined) {
    const verified = await show(command, args);
    if (verified !== 0) {
      const summary = `${stack} is deployed, but ${command} ${args.join(" ")} ended with ${verified}.`;
      throw new Refusal(summary, [], verified === FINDING ? FINDING : INCONCLUSIVE);
    }
  }
  save(fileNames.deployed(folder, stack), { stack, commit });
  return 0;
});

/**
 * Outside of a workflow whoever runs this has decided. In one, an environment without reviewers lets everybody deploy who may
 * merge; GitHub has no such rule for private repositories below its Enterprise plan, and does not say so.
 */
async function requireReviewers(stack: string): Promise<void> {
  if (process.env.GITHUB_ACTIONS !== "true") {
    return;
  }
  const { config } = await readConfigFile(await readProject(), stack);
  const reason = config.acknowledge.get(UNREVIEWED);
  if (!(await hasReviewers(repositoryOf(process.env), stack)) && reason === undefined) {
    throw refused(`${stack} was not deployed:`, [
      `the GitHub environment ${stack} has no required reviewers, so nobody has approved it`,
      `add them, or accept it with runner-egress:acknowledge.${UNREVIEWED}: "<why>" in Pulumi.${stack}.yaml`,
    ]);
  }
  if (reason !== undefined) {
    process.stdout.write(`${stack}: deployed without required reviewers. Acknowledged: ${reason}\n`);
  }
}

function splitAtDashes(args: readonly string[]): [string[], string[]] {
  const at = args.indexOf("--");
  return at < 0 ? [[...args], []] : [args.slice(0, at), args.slice(at + 1)];
}

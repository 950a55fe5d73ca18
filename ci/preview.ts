/**
 * Previews one stack with the policy pack and writes what it found for the steps after it:
 * `npm run ci:preview -- staging [--out previews]`. Without a preview that succeeds and that every guardrail judged there
 * is nothing to approve: exit status 1 for a violation, 2 where it can't be told. The events are written all the same, so
 * that the comment can say why.
 */
import { appendFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { capture } from "../tools/command.ts";
import { FINDING, INCONCLUSIVE } from "../tools/exitCodes.ts";
import { Refusal, runStep, stackArgument } from "../tools/refusal.ts";
import { renderMarkdown, renderText, reviewStack, unguarded } from "../tools/review/index.ts";
import { type Approval, plannedUpdate } from "./steps/approval.ts";
import { readBefore } from "./steps/before.ts";
import { checkedOutCommit } from "./steps/commits.ts";
import { DEFAULT_FOLDER, fileNames, save } from "./steps/files.ts";
import { previewStack } from "./steps/previewStack.ts";

await runStep(async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string", default: DEFAULT_FOLDER } },
  });
  const stack = stackArgument(positionals, "npm run ci:preview -- staging");
  const commit = await checkedOutCommit();
  // An earlier one must not stand for a preview that fails now.
  rmSync(fileNames.approval(values.out, stack), { force: true });
  const { status, events, plan } = await previewStack(stack);
  save(fileNames.events(values.out, stack), events);
  const review = reviewStack(plan);
  const reviews = [review];
  process.stdout.write(`${renderText(reviews)}\n`);
  if (process.env.GITHUB_STEP_SUMMARY) {
    appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${renderMarkdown(reviews)}\n`);
  }
  const report = ["tools/cli/main.ts", "report", `${stack}=${fileNames.events(values.out, stack)}`];
  await capture(process.execPath, [...report, "--out", fileNames.report(values.out, stack)]);
  const gap = unguarded(review.guardrails);
  if (status !== 0 || gap !== undefined) {
    const reasons = [
      ...(gap === undefined ? [] : [`the guardrails are ${gap}, so nothing says that the plan is safe`]),
      ...(status === 0 ? [] : [`pulumi preview ended with ${status}`]),
    ];
    const isViolated = review.findings?.some(({ severity }) => severity === "mandatory");
    throw new Refusal(`${stack} can't be deployed from this preview:`, reasons, isViolated ? FINDING : INCONCLUSIVE);
  }
  const planned = plannedUpdate(plan, commit);
  if (planned === undefined) {
    throw new Refusal(`The preview of ${stack} does not say which policy it would make from which facts.`);
  }
  const before = await readBefore(stack, planned.cluster, planned.policy);
  save(fileNames.approval(values.out, stack), { ...planned, before } satisfies Approval);
  return 0;
});

/**
 * Previews one stack with the policy pack and writes what it found for the steps after it:
 * `npm run ci:preview -- staging [--out previews]`. Fails where the preview fails; the events are written all the same,
 * so that the comment can say why.
 */
import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { renderMarkdown, renderText, reviewStack } from "../tools/review/index.ts";
import { approvalOf } from "./steps/approval.ts";
import { checkedOutCommit } from "./steps/commit.ts";
import { DEFAULT_FOLDER, fileNames, save } from "./steps/files.ts";
import { previewStack } from "./steps/previewStack.ts";
import { Refusal, runStep, stackArgument } from "./steps/refusal.ts";

await runStep(async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string", default: DEFAULT_FOLDER } },
  });
  const stack = stackArgument(positionals, "npm run ci:preview -- staging");
  const commit = await checkedOutCommit();
  const { status, events, plan } = await previewStack(stack);
  save(fileNames.events(values.out, stack), events);
  const reviews = [reviewStack(plan)];
  process.stdout.write(`${renderText(reviews)}\n`);
  if (process.env.GITHUB_STEP_SUMMARY) {
    appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${renderMarkdown(reviews)}\n`);
  }
  if (status !== 0) {
    return 1;
  }
  const approval = approvalOf(plan, commit);
  if (approval === undefined) {
    throw new Refusal(`The preview of ${stack} does not say which policy it would make from which facts.`);
  }
  save(fileNames.approval(values.out, stack), approval);
  return 0;
});

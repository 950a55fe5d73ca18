/**
 * Posts what the other steps found, over its own earlier post:
 * `npm run ci:comment -- pull-request staging prod [--from previews]` for the pull request of `PULL_REQUEST`, and
 * `npm run ci:comment -- drift staging prod [--from drift]`, which opens or updates one issue and closes it when all is well.
 * `--print` only prints the text. The comment is written whatever it says; the exit status tells whether each stack has a
 * preview that could be deployed. In a workflow, `GITHUB_TOKEN` has to be given; the rest is there.
 */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { CLEAN } from "../tools/exitCodes.ts";
import { artifacts, changedFiles, closeIssue, repositoryOf, upsertComment, upsertIssue } from "../tools/github.ts";
import { misused, Refusal, runStep } from "../tools/refusal.ts";
import { commentMarker } from "../tools/review/index.ts";
import { judging } from "../tools/setup/repositoryFiles.ts";
import { DEFAULT_FOLDER, fileNames } from "./steps/files.ts";
import { DRIFT_KEY, driftText, reviewText, type Text } from "./steps/texts.ts";

const TITLE = "The runners' egress policy is not what was deployed";

await runStep(async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { from: { type: "string" }, print: { type: "boolean", default: false } },
  });
  const [kind, ...stacks] = positionals;
  if ((kind !== "pull-request" && kind !== "drift") || stacks.length === 0) {
    throw misused("Say what to post and for which stacks: npm run ci:comment -- pull-request staging prod");
  }
  const folder = values.from ?? (kind === "drift" ? "drift" : DEFAULT_FOLDER);
  if (kind === "drift") {
    await tellDrift(driftText(folder, stacks, didJobsSucceed()), values.print);
    return CLEAN;
  }
  if (process.env.FROM_FORK === "true") {
    throw new Refusal("This pull request comes from a fork. Its code meets no role, so it has no preview:", [
      "someone who may push here pushes its commits to a branch of this repository and opens a pull request from there (docs/promotion.md)",
    ]);
  }
  await tellReview(folder, stacks, values.print);
  const missing = stacks.filter((stack) => !existsSync(fileNames.approval(folder, stack)));
  if (missing.length > 0) {
    throw new Refusal(`No preview that could be deployed: ${missing.join(", ")}.`);
  }
  if (!didJobsSucceed()) {
    throw new Refusal("A job of the previews failed before it could say why; its log says more.");
  }
  return CLEAN;
});

/** Whether the jobs before succeeded: a job that failed early leaves what an earlier attempt of it handed on. */
function didJobsSucceed(): boolean {
  return (process.env.JOBS ?? "success") === "success";
}

async function tellReview(folder: string, stacks: readonly string[], isPrinted: boolean): Promise<void> {
  if (isPrinted) {
    process.stdout.write(`${reviewText(folder, stacks).body}\n`);
    return;
  }
  const repository = repositoryOf(process.env);
  const number = pullRequestNumber(process.env.PULL_REQUEST);
  const changed = await changedFiles(repository, number);
  const found = await artifacts(repository, process.env);
  const reports = stacks.flatMap((stack): [string, string][] => {
    const url = found.get(basename(fileNames.report(folder, stack)));
    return url === undefined ? [] : [[stack, url]];
  });
  const isStale = !didJobsSucceed() && stacks.every((stack) => existsSync(fileNames.approval(folder, stack)));
  const notes = { touched: judging(changed), reports: new Map(reports), isStale };
  const { marker, body } = reviewText(folder, stacks, notes);
  await upsertComment(repository, number, marker, body);
}

async function tellDrift(text: Text | undefined, isPrinted: boolean): Promise<void> {
  if (isPrinted) {
    process.stdout.write(text === undefined ? "" : `${text.body}\n`);
    return;
  }
  const repository = repositoryOf(process.env);
  await (text === undefined
    ? closeIssue(repository, commentMarker(DRIFT_KEY))
    : upsertIssue(repository, TITLE, text.marker, text.body));
}

function pullRequestNumber(value = ""): number {
  if (!/^[1-9]\d*$/.test(value)) {
    throw misused(`PULL_REQUEST is ${JSON.stringify(value)}; it has to be the number of the pull request.`);
  }
  return Number(value);
}

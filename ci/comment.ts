/**
 * Posts what the other steps found, over its own earlier post:
 * `npm run ci:comment -- pull-request staging prod [--from previews]` for the pull request of `PULL_REQUEST`, and
 * `npm run ci:comment -- drift staging prod [--from drift]`, which opens or updates one issue and closes it when all is well.
 * `--print` only prints the text. In a workflow, `GITHUB_TOKEN` has to be given; the rest is there.
 */
import { parseArgs } from "node:util";
import { commentMarker } from "../tools/review/index.ts";
import { DEFAULT_FOLDER } from "./steps/files.ts";
import { closeIssue, repositoryOf, upsertComment, upsertIssue } from "./steps/github.ts";
import { misused, runStep } from "./steps/refusal.ts";
import { DRIFT_KEY, driftText, reviewText } from "./steps/texts.ts";

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
  const text = kind === "drift" ? driftText(folder, stacks) : reviewText(folder, stacks);
  if (values.print) {
    process.stdout.write(text === undefined ? "" : `${text.body}\n`);
    return 0;
  }
  const repository = repositoryOf(process.env);
  if (text === undefined) {
    await closeIssue(repository, commentMarker(DRIFT_KEY));
  } else if (kind === "drift") {
    await upsertIssue(repository, TITLE, text.marker, text.body);
  } else {
    await upsertComment(repository, pullRequestNumber(process.env.PULL_REQUEST), text.marker, text.body);
  }
  return 0;
});

function pullRequestNumber(value = ""): number {
  if (!/^[1-9]\d*$/.test(value)) {
    throw misused(`PULL_REQUEST is ${JSON.stringify(value)}; it has to be the number of the pull request.`);
  }
  return Number(value);
}

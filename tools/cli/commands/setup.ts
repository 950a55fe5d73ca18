import { Option } from "commander";
import { type Project, readProject, stacksOf } from "../../../program/project.ts";
import { readConfigFile } from "../../../program/stackFiles.ts";
import type { ExitCode } from "../../exitCodes.ts";
import { CLEAN } from "../../exitCodes.ts";
import { setupScript, walkSteps } from "../../setup/run.ts";
import type { SetupStack } from "../../setup/step.ts";
import { setupSteps } from "../../setup/steps.ts";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { repeatable } from "../options.ts";
import { print, type Terminal } from "../terminal.ts";
import { chosenStacks } from "./chosenStacks.ts";

interface SetupFlags {
  readonly stack?: readonly string[];
  readonly repository?: string;
  readonly state?: string;
  readonly key?: string;
  readonly reviewer?: readonly string[];
  /** `STACK=CONTEXT` each. */
  readonly context?: readonly string[];
  readonly check?: true;
  readonly apply?: true;
}

/** Prints, checks or makes what a fresh organisation needs. */
export const command = {
  description:
    "Prints, as a shell script and in order, what the workflows need once: the state with its key, the roles of access/ " +
    "filled in from each stack's config, access to the clusters, environments with their rules, branch protection, " +
    "variables. Needs no network.\n\n" +
    "--check asks for each part and changes nothing; --apply makes what is missing, reads it back, and stops at the first " +
    "part that fails or is there and different. Both run aws, kubectl and pulumi with your own credentials, and ask GitHub " +
    "with GITHUB_TOKEN, that of an administrator of the repository.",
  options: [
    repeatable("--stack <name>", "only this one (default: every stack that has a Pulumi.STACK.yaml)"),
    new Option("--repository <owner/name>", "the repository on GitHub").env("GITHUB_REPOSITORY"),
    new Option("--state <url>", "s3://BUCKET?region=REGION, which may be there already").env("PULUMI_BACKEND_URL"),
    new Option("--key <arn>", "the state's key, where it and the bucket are another account's and there already"),
    repeatable("--reviewer <name>", "USER or ORGANISATION/TEAM who approves (default: that of .github/CODEOWNERS)"),
    repeatable(
      "--context <stack=name>",
      "kubeconfig context of a stack's cluster (default: as aws eks update-kubeconfig names it)",
    ),
    new Option("--check", "say what is missing or different").conflicts("apply"),
    new Option("--apply", "make what is missing"),
  ],
  examples: ["setup --repository example/runner-egress --state 's3://example-runner-egress-state?region=us-east-1'"],
  run: runSetup,
} satisfies CommandDefinition;

async function runSetup(terminal: Terminal, flags: SetupFlags): Promise<ExitCode> {
  const { repository = "", state = "", key, reviewer } = flags;
  const project = await readProject();
  const stacks = await chosenStacks(project, flags.stack);
  const contexts = new Map(
    (flags.context ?? []).map((text) => [text.split("=", 1)[0] ?? "", text.replace(/^[^=]*=/, "")]),
  );
  const strays = [...contexts.keys()].filter((name) => !stacks.includes(name));
  const [, bucket = "", region = ""] = /^s3:\/\/([a-z0-9.-]+)\?(?:.*&)?region=([a-z0-9-]+)/.exec(state) ?? [];
  requireForms([
    ["--repository", repository, /^[\w.-]+\/[\w.-]+$/, "OWNER/NAME on GitHub"],
    ["--state", bucket === "" ? state : "s3", /^s3$/, "s3://BUCKET?region=REGION"],
    [
      "--key",
      key ?? "arn:aws:kms:r:000000000000:key/k",
      /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/,
      "the ARN of a key, not of an alias",
    ],
    ...(reviewer ?? []).map(
      (name): Form => ["--reviewer", name, /^@?[\w-]+(\/[\w.-]+)?$/, "a user, or ORGANISATION/TEAM"],
    ),
    ...strays.map((name): Form => ["--context", name, /^$/, `STACK=CONTEXT with one of ${stacks.join(", ")}`]),
  ]);
  const steps = setupSteps({
    repository,
    bucket,
    region,
    key,
    stacks: await Promise.all(stacks.map((name) => setupStack(project, name, contexts.get(name)))),
    ...(reviewer && { reviewers: reviewer.map((name) => name.replace("@", "")) }),
  });
  if (!flags.check && !flags.apply) {
    await print(terminal, setupScript(steps));
    return CLEAN;
  }
  const { GITHUB_TOKEN: token, GITHUB_API_URL: github = "https://api.github.com" } = process.env;
  if (!token) {
    throw new UsageError("GITHUB_TOKEN is not set; a repository's administrator gets one with gh auth token");
  }
  const where = { cwd: project.directory, github, token };
  return walkSteps(steps, where, flags.apply === true, (line) => print(terminal, `${line}\n`));
}

/** An option, its value, what it has to look like, and that in words. */
type Form = readonly [option: string, value: string, form: RegExp, words: string];

/** @throws {UsageError} with every option that does not look as it has to. */
function requireForms(forms: readonly Form[]): void {
  const wrong = forms.filter(([, value, form]) => !form.test(value));
  if (wrong.length > 0) {
    throw new UsageError(wrong.map(([option, value, , words]) => `${option} ${value}: must be ${words}`).join("\n"));
  }
}

async function setupStack(project: Project, name: string, context: string | undefined): Promise<SetupStack> {
  const { config } = await readConfigFile(project, name);
  const { cluster } = config;
  if (!("eks" in cluster)) {
    throw new UsageError(
      `Pulumi.${name}.yaml: runner-egress:cluster.eks is not set; set-up is for clusters of Amazon EKS`,
    );
  }
  const [first] = await stacksOf(project);
  return { name, config, cluster: cluster.eks, context: context ?? cluster.context, isFirst: name === first };
}

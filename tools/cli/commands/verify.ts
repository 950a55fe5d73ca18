import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { Option } from "commander";
import { policyId } from "../../../analysis/index.ts";
import { readProject } from "../../../program/project.ts";
import type { ExitCode } from "../../exitCodes.ts";
import { PLAN_REPORTS } from "../../verify/report.ts";
import { REPORTS, runVerify, type VerifyOptions } from "../../verify/run.ts";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { loadFile } from "../input/objects.ts";
import { loadPolicies } from "../input/question.ts";
import { numeric, POLICY_OPTIONS, type PolicyFlags, semanticsOption } from "../options.ts";
import { note, print, type Terminal } from "../terminal.ts";

type VerifyFlags = Pick<PolicyFlags, "policy" | "stack" | "namespace"> &
  Omit<VerifyOptions, "plan" | "report"> & {
    readonly targets?: string;
    readonly dryRun?: true;
    readonly output?: string;
  };

/** Proves on a cluster that a policy is enforced. An interruption deletes what was created before the command ends. */
export const command = {
  description:
    "Tries what the policy allows and what it must deny from a pod that it selects and, for comparison, from one that " +
    "nothing selects. It creates two Jobs and deletes them; it changes nothing else (docs/verify.md).",
  options: [
    ...POLICY_OPTIONS,
    semanticsOption("that of the cluster's enforcer"),
    new Option("--namespace <name>", "namespace of a policy that does not name its own"),
    new Option("--context <name>", "kubeconfig context of the cluster (default: the current one)"),
    new Option(
      "--targets <file>",
      "hosts that really listen (default with --stack NAME: verify.NAME.yaml, if it is there)",
    ),
    new Option("--control-namespace <name>", "where the control runs (default: the policy's namespace)"),
    new Option(
      "--image <reference>",
      "an image with sh, dig and /agnhost (default: the targets file's, else Kubernetes' agnhost)",
    ),
    new Option("--image-pull-policy <policy>").choices(["Always", "IfNotPresent", "Never"]),
    seconds("--converge", "how long a new pod may stay open (default: 90)"),
    seconds("--hold", "how long to watch after that (default: 10)"),
    seconds("--attempt", "how long one attempt waits for an answer (default: 2)"),
    seconds("--start", "how long a pod may take to start (default: 90)"),
    seconds("--ttl", "how long finished Jobs stay if this command can't delete them (default: 60)"),
    new Option("--dry-run", "look and plan, but create nothing"),
    new Option(
      "-o, --output <format>",
      "text, json, junit or markdown; with --dry-run table, json or yaml, which is the manifests",
    ).choices([...new Set([...Object.keys(REPORTS), ...Object.keys(PLAN_REPORTS)])]),
  ],
  examples: [
    "verify --stack staging --context staging",
    "verify --policy docs/examples/runner-staging.yaml --targets docs/examples/verify-targets.yaml --dry-run",
    "verify --policy docs/examples/runner-staging.yaml --dry-run --output yaml",
  ],
  run,
} satisfies CommandDefinition;

function seconds(name: string, description: string): Option {
  return numeric(`${name} <seconds>`, description, /^[1-9]\d{0,3}$/, "a whole number of seconds, 1 to 9999");
}

async function run(terminal: Terminal, flags: VerifyFlags): Promise<ExitCode> {
  const { targets, dryRun, output, policy: _, stack, namespace, ...options } = flags;
  const { policies } = await loadPolicies(flags, terminal);
  const [policy, ...others] = policies;
  if (policy === undefined || others.length > 0) {
    const names = policies.map(policyId).join(", ") || "none";
    throw new UsageError(`verify proves one policy, the program's; --policy has ${names}`);
  }
  const file = targets ?? (await stackTargets(stack, terminal));
  const content = file === undefined ? undefined : await loadTargets(file);
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    note(terminal, `${signal}: cleaning up`);
    interruption.abort();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const written: string[] = [];
    const io = {
      write: (text: string) => written.push(text),
      note: (line: string) => note(terminal, line),
      signal: interruption.signal,
    };
    const code = await runVerify(policy, content, { ...options, ...formats(dryRun, output) }, io);
    await print(terminal, written.join(""));
    return code;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

async function loadTargets(file: string): Promise<unknown> {
  const [targets, ...others] = await loadFile(file);
  if (targets === undefined || others.length > 0) {
    throw new UsageError(`${file}: a targets file is one YAML document (docs/verify.md)`);
  }
  return targets;
}

/** A stack's own targets file, beside its `Pulumi.NAME.yaml`. */
async function stackTargets(stack: string | undefined, terminal: Terminal): Promise<string | undefined> {
  if (stack === undefined) {
    return undefined;
  }
  const { directory } = await readProject();
  const file = join(directory, `verify.${stack}.yaml`);
  if (!existsSync(file)) {
    return undefined;
  }
  note(terminal, `targets from ${relative(process.cwd(), file)}`);
  return file;
}

function formats(isDryRun: true | undefined, output: string | undefined): Pick<VerifyOptions, "plan" | "report"> {
  const [known, when] = isDryRun ? [PLAN_REPORTS, "with --dry-run"] : [REPORTS, "without --dry-run"];
  if (output !== undefined && !Object.hasOwn(known, output)) {
    throw new UsageError(`--output ${output}: ${when} it is ${Object.keys(known).join(", ")}`);
  }
  return isDryRun
    ? { plan: (output ?? "table") as keyof typeof PLAN_REPORTS }
    : { report: (output ?? "text") as keyof typeof REPORTS };
}

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { policyId, type Semantics } from "../../../analysis/index.ts";
import { readProject } from "../../../program/project.ts";
import type { ExitCode } from "../../exitCodes.ts";
import type { PlanFormat } from "../../verify/report/plan.ts";
import { type ReportFormat, runVerify, type VerifyOptions } from "../../verify/run.ts";
import { loadFile } from "../input/objects.ts";
import { loadPolicies } from "../input/question.ts";
import type { PolicyFlags } from "../options.ts";
import { note, print, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";

/** The flags of `verify`. */
export type VerifyFlags = PolicyFlags & {
  readonly context?: string;
  readonly targets?: string;
  readonly controlNamespace?: string;
  readonly semantics?: Semantics["name"];
  readonly image?: string;
  readonly imagePullPolicy?: NonNullable<VerifyOptions["imagePullPolicy"]>;
  readonly converge?: number;
  readonly hold?: number;
  readonly attempt?: number;
  readonly start?: number;
  readonly ttl?: number;
  readonly dryRun?: true;
  readonly output?: ReportFormat | PlanFormat;
};

const PLAN_FORMATS: readonly string[] = ["table", "json", "yaml"] satisfies PlanFormat[];
const REPORT_FORMATS: readonly string[] = ["text", "json", "junit", "markdown"] satisfies ReportFormat[];

/** Proves on a cluster that a policy is enforced. An interruption deletes what was created before the command ends. */
export async function verifyCommand(flags: VerifyFlags, terminal: Terminal): Promise<ExitCode> {
  const { policies } = await loadPolicies(flags, terminal);
  const [policy, ...others] = policies;
  if (policy === undefined || others.length > 0) {
    const names = policies.map(policyId).join(", ") || "none";
    throw new UsageError(`verify proves one policy, the program's; --policy has ${names}`);
  }
  const file = flags.targets ?? (await stackTargets(flags, terminal));
  const options: VerifyOptions = {
    policy,
    ...defined({
      context: flags.context,
      targets: file === undefined ? undefined : await loadTargets(file),
      controlNamespace: flags.controlNamespace,
      semantics: flags.semantics,
      image: flags.image,
      imagePullPolicy: flags.imagePullPolicy,
    }),
    timing: defined({
      converge: flags.converge,
      hold: flags.hold,
      attempt: flags.attempt,
      start: flags.start,
      ttl: flags.ttl,
    }),
    ...formats(flags),
  };
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
    const code = await runVerify(options, io);
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
async function stackTargets({ stack }: VerifyFlags, terminal: Terminal): Promise<string | undefined> {
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

function formats({ dryRun, output }: VerifyFlags): Pick<VerifyOptions, "dryRun" | "output"> {
  const known = dryRun === true ? PLAN_FORMATS : REPORT_FORMATS;
  if (output !== undefined && !known.includes(output)) {
    const when = dryRun === true ? "with --dry-run" : "without --dry-run";
    throw new UsageError(`--output ${output}: ${when} it is ${known.join(", ")}`);
  }
  return dryRun === true
    ? { dryRun: (output ?? "table") as PlanFormat }
    : { output: (output ?? "text") as ReportFormat };
}

/** Leaves out what was not said, so that defaults apply. */
function defined<T extends object>(values: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}

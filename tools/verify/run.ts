import { lookup } from "node:dns/promises";
import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import type { Semantics } from "../../analysis/semantics.ts";
import { reasonOf } from "../../kube/clusterError.ts";
import { accessFrom, KubeconfigError, readKubeconfig } from "../../kube/kubeconfig.ts";
import { CLEAN, type ExitCode, USAGE_ERROR } from "../exitCodes.ts";
import { Cluster } from "./cluster.ts";
import { DEFAULT_TIMING, PROBE_IMAGE, type Timing } from "./probe.ts";
import { jsonReport } from "./report/json.ts";
import { junitReport } from "./report/junit.ts";
import { markdownReport } from "./report/markdown.ts";
import { type PlanFormat, planReport } from "./report/plan.ts";
import { textReport } from "./report/text.ts";
import { EXIT_CODES, type VerifyResult } from "./result.ts";
import { NO_NAMED_TARGETS, readNamedTargets } from "./targetsFile.ts";
import { prepare, type VerifyInput, verify } from "./verify.ts";

/** How a result is written. */
export type ReportFormat = "text" | "json" | "junit" | "markdown";

const REPORTS: Readonly<Record<ReportFormat, (result: VerifyResult) => string>> = {
  text: textReport,
  json: jsonReport,
  junit: junitReport,
  markdown: markdownReport,
};

/** What `egress verify` is asked for. */
export interface VerifyOptions {
  /** The program's policy. */
  readonly policy: NetworkPolicy;
  /** Kubeconfig context. Default: the current one. */
  readonly context?: string;
  /** Hosts that really listen: the content of a targets file, parsed. */
  readonly targets?: unknown;
  readonly controlNamespace?: string;
  readonly semantics?: Semantics["name"];
  /** Default: that of the targets file, else {@link PROBE_IMAGE}. */
  readonly image?: string;
  readonly imagePullPolicy?: VerifyInput["imagePullPolicy"];
  readonly timing?: Partial<Timing>;
  /** Only plan. */
  readonly dryRun?: PlanFormat;
  readonly output?: ReportFormat;
}

/** Where a run writes, and how it is told to stop. */
export interface VerifyIo {
  /** Results. */
  readonly write: (text: string) => void;
  /** Progress and failures, one line each. */
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * `egress verify`: proves on a cluster that a policy is enforced, and writes a report.
 *
 * @returns the exit code; one of a run that could not start or was told to stop is `INCONCLUSIVE`, one with a kubeconfig that
 *   can't be used `USAGE_ERROR`.
 * @throws {ProblemsError} for a targets file that can't be used.
 */
export async function runVerify(options: VerifyOptions, { write, note, signal }: VerifyIo): Promise<ExitCode> {
  const { context, dryRun, output = "text" } = options;
  const named = options.targets === undefined ? NO_NAMED_TARGETS : await readNamedTargets(options.targets, resolveHost);
  const input: VerifyInput = {
    policy: options.policy,
    named,
    image: options.image ?? named.image ?? PROBE_IMAGE,
    imagePullPolicy: options.imagePullPolicy ?? "IfNotPresent",
    timing: { ...DEFAULT_TIMING, ...options.timing },
    ...(options.controlNamespace !== undefined && { controlNamespace: options.controlNamespace }),
    ...(options.semantics !== undefined && { semantics: options.semantics }),
  };
  try {
    const cluster = new Cluster(await accessFrom(await readKubeconfig(), context));
    if (dryRun !== undefined) {
      const prepared = await prepare(cluster, input);
      write(planReport(prepared, dryRun));
      return prepared.jobs === undefined ? EXIT_CODES["could not run"] : CLEAN;
    }
    const result = await verify(cluster, input, { progress: note, signal });
    write(REPORTS[output](result));
    return EXIT_CODES[result.status];
  } catch (error) {
    note(signal.aborted ? "stopped before the end; nothing is proved" : `could not run: ${reasonOf(error)}`);
    return error instanceof KubeconfigError ? USAGE_ERROR : EXIT_CODES["could not run"];
  }
}

async function resolveHost(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

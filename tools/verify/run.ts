import { lookup } from "node:dns/promises";
import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { reasonOf } from "../../kube/clusterError.ts";
import { accessFrom, KubeconfigError, readKubeconfig } from "../../kube/kubeconfig.ts";
import { CLEAN, type ExitCode, USAGE_ERROR } from "../exitCodes.ts";
import { Cluster } from "./cluster.ts";
import { jsonReport, junitReport, markdownReport, PLAN_REPORTS, textReport } from "./report.ts";
import { EXIT_CODES } from "./result.ts";
import { NO_NAMED_TARGETS, readNamedTargets } from "./targetsFile.ts";
import { prepare, type RunOptions, verify } from "./verify.ts";

/** How a result is written. */
export const REPORTS = { text: textReport, json: jsonReport, junit: junitReport, markdown: markdownReport };

/** How a run is made and what becomes of its result; {@link RunOptions} with the choice of a cluster and a form. */
export interface VerifyOptions extends RunOptions {
  /** Kubeconfig context. Default: the current one. */
  readonly context?: string;
  /** Only plan, and write the plan so. */
  readonly plan?: keyof typeof PLAN_REPORTS;
  /** Default: `text`. */
  readonly report?: keyof typeof REPORTS;
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
 * @param targets hosts that really listen: the content of a targets file, parsed; `undefined`: there is none
 * @returns the exit code; one of a run that could not start or was told to stop is `INCONCLUSIVE`, one with a kubeconfig that
 *   can't be used `USAGE_ERROR`.
 * @throws {ProblemsError} for a targets file that can't be used.
 */
export async function runVerify(
  policy: NetworkPolicy,
  targets: unknown,
  { context, plan, report = "text", ...options }: VerifyOptions,
  { write, note, signal }: VerifyIo,
): Promise<ExitCode> {
  const named = targets === undefined ? NO_NAMED_TARGETS : await readNamedTargets(targets, resolveHost);
  const input = { ...options, policy, named };
  try {
    const cluster = new Cluster(await accessFrom(await readKubeconfig(), context));
    if (plan !== undefined) {
      const prepared = await prepare(cluster, input);
      write(PLAN_REPORTS[plan](prepared));
      return prepared.jobs === undefined ? EXIT_CODES["could not run"] : CLEAN;
    }
    const result = await verify(cluster, input, { progress: note, signal });
    write(REPORTS[report](result));
    return EXIT_CODES[result.status];
  } catch (error) {
    note(signal.aborted ? "stopped before the end; nothing is proved" : `could not run: ${reasonOf(error)}`);
    return error instanceof KubeconfigError ? USAGE_ERROR : EXIT_CODES["could not run"];
  }
}

async function resolveHost(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

import { awsAnswers } from "./awsAnswers.ts";
import { type LiveObject, serveClusterApi } from "./clusterApi.ts";
import type { Answer } from "./engine/monitor.ts";
import type { Project } from "./engine/project.ts";
import { type Run, runProgram } from "./engine/run.ts";
import { type ConfigValues, readStackConfig } from "./engine/stackConfig.ts";
import type { PropertyMap } from "./engine/values.ts";
import type { RecordedFacts } from "./recordedFacts.ts";
import { readRecordedFacts, recordedFactsPath, requireSameRegion } from "./recordedFactsFile.ts";

/** A stack and the world that its program meets. */
export interface OfflineStack {
  readonly project: Project;
  readonly stack: string;
  /** Default: `Pulumi.STACK.yaml`. */
  readonly config?: ConfigValues;
  /** Default: `facts/STACK.json`. */
  readonly facts?: RecordedFacts;
  /** Policies on the cluster. Default: none. */
  readonly live?: readonly LiveObject[];
  /** Outputs of the stack's last update. Default: there was none. */
  readonly deployed?: PropertyMap;
  /** Default: true, as in a preview. */
  readonly dryRun?: boolean;
  /** What the program finds in its environment on top. Default: nothing. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Stands before the recorded facts: `undefined` leaves the answer to them. */
  readonly answer?: (...args: Parameters<Answer>) => PropertyMap | undefined;
}

/**
 * Runs the program for one stack, with AWS and the cluster as recorded. What the environment says of AWS, Kubernetes,
 * Pulumi and proxies does not reach it.
 */
export async function runStack(options: OfflineStack): Promise<Run> {
  const { project, stack, live = [], deployed = {}, dryRun = true } = options;
  const config = options.config ?? (await readStackConfig(project, stack));
  const facts = options.facts ?? (await readRecordedFacts(recordedFactsPath(project, stack)));
  requireSameRegion(facts, config, stack);
  const recorded = awsAnswers(facts);
  const cluster = await serveClusterApi(live, contextOf(project, config));
  try {
    return await runProgram({
      project,
      stack,
      config,
      dryRun,
      environment: {
        ...neutralEnvironment(),
        ...cluster.environment,
        ...options.environment,
      },
      answer: (invocation) =>
        options.answer?.(invocation) ??
        (invocation.token === "pulumi:pulumi:readStackOutputs" ? { outputs: deployed } : recorded(invocation)),
    });
  } finally {
    await cluster.close();
  }
}

/** The kubeconfig context through which the stack reaches its cluster, if it does. */
function contextOf(project: Project, config: ConfigValues): string | undefined {
  try {
    const { context } = JSON.parse(config[`${project.name}:cluster`] ?? "{}") as { context?: unknown };
    return typeof context === "string" ? context : undefined;
  } catch {
    // The program itself says what is wrong with its config.
    return undefined;
  }
}

function neutralEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS_|KUBE|PULUMI_)|_PROXY$/i.test(name)),
  );
}

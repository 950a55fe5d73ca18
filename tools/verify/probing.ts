import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { type JobManifest, ROLE_LABEL } from "./manifests.ts";
import type { PodObject } from "./objects.ts";
import { openSeconds, type ProbeLog, readProbeLog } from "./outcomes.ts";
import { gatesOf, jobDeadline, type Role, type Timing } from "./probe.ts";
import type { Target } from "./targets.ts";

/** How often the cluster is asked. */
const POLL_MILLISECONDS = 700;

/** How long the clean-up waits for the pods to be gone; the TTL is there for what takes longer. */
const CLEANUP_SECONDS = 30;

/** What the two probes wrote. */
export interface Probed {
  readonly runner: ProbeLog;
  readonly control: ProbeLog;
  /** Why they did not finish, if they did not. */
  readonly failure?: string;
}

interface ProbeRun {
  readonly cluster: Cluster;
  readonly jobs: readonly [runner: JobManifest, control: JobManifest];
  readonly targets: readonly Target[];
  readonly timing: Timing;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
  /** Called once, when the policy has taken hold of the runner's pod and the pod is still there. */
  readonly onConverged: (runnerIp: string) => Promise<void>;
}

/**
 * Creates both Jobs, follows their logs until the runner has finished and the control has completed one more round, and
 * deletes them whatever happens.
 *
 * @throws {ClusterError} when the server refuses something; the signal's reason when it is raised.
 */
export async function probe(run: ProbeRun): Promise<Probed> {
  try {
    for (const job of [...run.jobs].reverse()) {
      await run.cluster.createJob(job);
    }
    return await follow(run);
  } finally {
    run.progress("deleting the Jobs");
    await cleanUp(run);
  }
}

interface Watched {
  readonly log: ProbeLog;
  readonly pod: PodObject | undefined;
  readonly problem: string | undefined;
}

async function follow(run: ProbeRun): Promise<Probed> {
  const { targets, timing, progress, signal } = run;
  const [runnerJob, controlJob] = run.jobs;
  const started = performance.now();
  let told = "";
  let roundsAtEnd: number | undefined;
  let hasConverged = false;
  for (;;) {
    const [runner, control] = await Promise.all([watch(run, runnerJob), watch(run, controlJob)]);
    const probed = { runner: runner.log, control: control.log };
    const runnerIp = runner.pod?.status?.podIP;
    if (runner.log.gatesDone && !runner.log.isDone && !hasConverged && runnerIp !== undefined) {
      hasConverged = true;
      await run.onConverged(runnerIp);
    }
    const elapsed = (performance.now() - started) / 1000;
    const news = describeProgress(runner.log, control.log, targets);
    if (news !== told) {
      progress(news);
      told = news;
    }
    if (runner.log.isDone) {
      roundsAtEnd ??= control.log.rounds;
      if (control.log.isDone || control.log.rounds > roundsAtEnd) {
        return probed;
      }
    }
    const idle = [runner, control].find(({ log }) => log.rounds === 0 && log.gates.length === 0);
    const failure =
      runner.problem ??
      (control.log.isDone ? undefined : control.problem) ??
      (elapsed > timing.start && idle !== undefined
        ? `no probe of the ${idle === runner ? "runner" : "control"} has started within ${timing.start} s`
        : elapsed > jobDeadline(timing, targets.length)
          ? "the probes have not finished in time"
          : undefined);
    if (failure !== undefined) {
      return { ...probed, failure };
    }
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}

async function watch({ cluster }: ProbeRun, { metadata }: JobManifest): Promise<Watched> {
  const { namespace, name, labels } = metadata;
  const pod = await cluster.podOf(namespace, name);
  const text =
    pod === undefined || pod.status?.phase === "Pending" ? "" : await cluster.podLog(namespace, pod.metadata.name);
  const log = readProbeLog(text);
  return { log, pod, problem: podProblem(labels[ROLE_LABEL] as Role, pod, log) };
}

/** Why a pod will write nothing more, though it has not finished. */
function podProblem(role: Role, pod: PodObject | undefined, { isDone, strange }: ProbeLog): string | undefined {
  const state = pod?.status?.containerStatuses?.[0]?.state;
  const { reason, message } = state?.waiting ?? {};
  if (
    reason !== undefined &&
    /^(ErrImage|ImagePullBackOff|InvalidImageName|CreateContainer|RunContainer)/.test(reason)
  ) {
    return `the pod of the ${role} can't start: ${reason}${message === undefined ? "" : `, ${message}`}`;
  }
  const ended = pod?.status?.phase === "Failed" || pod?.status?.phase === "Succeeded";
  if (ended && !isDone) {
    const { reason: how = "no reason given", exitCode } = state?.terminated ?? {};
    const last = strange.at(-1);
    return `the pod of the ${role} ended early: ${how}${exitCode === undefined ? "" : `, exit code ${exitCode}`}${
      last === undefined ? "" : `, saying "${last}"`
    }`;
  }
  return undefined;
}

function describeProgress(runner: ProbeLog, control: ProbeLog, targets: readonly Target[]): string {
  if (runner.rounds === 0 && runner.gates.length === 0) {
    return control.rounds === 0 ? "waiting for the pods" : "the control probes; waiting for the runner's pod";
  }
  const gates = gatesOf(targets);
  const closed = gates.filter(({ id }) => openSeconds(runner, id) !== undefined);
  if (!runner.gatesDone) {
    return `the runner's pod is up; ${closed.length} of ${gates.length} forbidden targets have fallen silent`;
  }
  return runner.isDone
    ? "the runner has finished; one more round of the control"
    : `watching, round ${runner.rounds + 1}`;
}

async function cleanUp({ cluster, jobs, progress }: ProbeRun): Promise<void> {
  const deadline = performance.now() + CLEANUP_SECONDS * 1000;
  await Promise.all(
    jobs.map(async ({ metadata: { namespace, name } }) => {
      try {
        await cluster.deleteJob(namespace, name);
        while (await cluster.hasJob(namespace, name)) {
          if (performance.now() > deadline) {
            progress(`Job ${namespace}/${name} is still there; the cluster removes it after its time`);
            return;
          }
          await sleep(300);
        }
      } catch (error) {
        progress(`Job ${namespace}/${name} was not deleted (${(error as Error).message}); the cluster does it later`);
      }
    }),
  );
}

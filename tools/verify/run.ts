import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { parseAddress } from "../../analysis/address.ts";
import { compile } from "../../analysis/compile.ts";
import { type NetworkPolicy, policyId, type Source } from "../../analysis/networkPolicy.ts";
import type { Semantics } from "../../analysis/semantics.ts";
import { reasonOf } from "../../kube/clusterError.ts";
import { accessFrom, KubeconfigError, readKubeconfig } from "../../kube/kubeconfig.ts";
import { CLEAN, type ExitCode, USAGE_ERROR } from "../exitCodes.ts";
import { Cluster } from "./cluster.ts";
import { type JobManifest, jobManifests, labelsFor, type NodeClass, ROLE_LABEL } from "./manifests.ts";
import type { PolicyEndpointObject } from "./objects.ts";
import { readProbeLog } from "./outcomes.ts";
import { planTargets } from "./plan.ts";
import { judgeAccess, rightsFor } from "./preflight/access.ts";
import { agentVersion, isVpcCni } from "./preflight/enforcer.ts";
import { type Finding, worstLevel } from "./preflight/finding.ts";
import { judgeProbeEndpoint } from "./preflight/policyEndpoints.ts";
import { judgePlan, preflight } from "./preflight/preflight.ts";
import { runnerPods } from "./preflight/runnerPods.ts";
import { DEFAULT_TIMING, PROBE_IMAGE, type Timing } from "./probe.ts";
import { type Probed, probe } from "./probing.ts";
import { jsonReport, junitReport, markdownReport, PLAN_REPORTS, textReport } from "./report.ts";
import { conclude, EXIT_CODES, judgeTargets, type VerifyResult } from "./result.ts";
import type { Snapshot } from "./snapshot.ts";
import { takeSnapshot } from "./takeSnapshot.ts";
import type { Plan } from "./targets.ts";
import { type NamedTargets, NO_NAMED_TARGETS, readNamedTargets } from "./targetsFile.ts";

/** How a result is written. */
export const REPORTS = { text: textReport, json: jsonReport, junit: junitReport, markdown: markdownReport };

/** How a run is made and what becomes of its result, with times in seconds; {@link DEFAULT_TIMING} has their defaults. */
export interface VerifyOptions extends Partial<Timing> {
  /** Kubeconfig context. Default: the current one. */
  readonly context?: string;
  /** Default: how the cluster's own enforcer reads policies. */
  readonly semantics?: Semantics["name"];
  /** Default: the policy's namespace. */
  readonly controlNamespace?: string;
  /** Default: that of the targets file, else {@link PROBE_IMAGE}. */
  readonly image?: string;
  /** Default: `IfNotPresent`. */
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /** Only plan, and write the plan so. */
  readonly plan?: keyof typeof PLAN_REPORTS;
  /** Default: `text`. */
  readonly report?: keyof typeof REPORTS;
}

/** What a run is about besides its options: the policy that the cluster should enforce, and hosts that listen. */
interface VerifyInput extends VerifyOptions {
  readonly policy: NetworkPolicy;
  readonly named: NamedTargets;
}

/** Where a run writes, and how it is told to stop. */
interface VerifyIo {
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
  options: VerifyOptions,
  { write, note, signal }: VerifyIo,
): Promise<ExitCode> {
  const { context, plan, report = "text" } = options;
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

/** Everything that is known before anything is created. */
export interface Prepared {
  readonly findings: readonly Finding[];
  readonly plan: Plan;
  readonly semantics: Semantics;
  /** Missing where a finding stops the run. */
  readonly jobs?: readonly [runner: JobManifest, control: JobManifest];
  readonly run: string;
}

/** The control carries the run's own labels and none of the runner's. */
const CONTROL_LABELS = { "app.kubernetes.io/name": "egress-verify", [ROLE_LABEL]: "control" };

/**
 * Looks at the cluster and plans, without writing anything.
 *
 * @throws {ClusterError} or a connection error when the server does not answer.
 */
async function prepare(cluster: Cluster, input: VerifyInput): Promise<Prepared> {
  const { policy, named } = input;
  const controlNamespace = input.controlNamespace ?? policy.namespace;
  // So that runs at the same time do not share a name.
  const run = randomBytes(4).toString("hex");
  const rights = rightsFor(policy, controlNamespace);
  const access = judgeAccess(
    await Promise.all(rights.map(async (right) => ({ ...right, isAllowed: await cluster.isAllowed(right) }))),
  );
  if (worstLevel(access) === "stop") {
    const plan = { targets: [], uncovered: [] };
    return { findings: access, plan, semantics: { name: input.semantics ?? "kubernetes" } as Semantics, run };
  }
  const snapshot = await takeSnapshot(cluster, policy, controlNamespace);
  const semantics = semanticsOf(snapshot, input.semantics);
  const { inventory } = snapshot;
  const source: Source = { namespace: policy.namespace, labels: labelsFor(policy.podSelector) };
  const enforced = compile([policy], { semantics, source, inventory });
  const specified = compile([policy], { semantics: { name: "kubernetes" }, source, inventory });
  const plan = planTargets({ enforced, specified, snapshot, named: named.targets });
  const findings = [
    ...access,
    ...preflight({ program: policy, semantics, snapshot, controlNamespace, controlLabels: CONTROL_LABELS }),
    ...judgePlan(plan, named.targets),
  ];
  const jobs = jobManifests({
    run,
    namespace: policy.namespace,
    controlNamespace,
    runnerLabels: source.labels,
    targets: plan.targets,
    timing: { ...DEFAULT_TIMING, ...input },
    image: input.image ?? named.image ?? PROBE_IMAGE,
    imagePullPolicy: input.imagePullPolicy ?? "IfNotPresent",
    nodeClass: nodeClassOf(policy, snapshot),
  });
  return { findings, plan, semantics, run, ...(worstLevel(findings) !== "stop" && { jobs }) };
}

/**
 * Prepares, probes and judges.
 *
 * @throws what {@link prepare} throws, and the signal's reason when it is raised; the Jobs are deleted all the same.
 */
async function verify(
  cluster: Cluster,
  input: VerifyInput,
  { progress, signal }: { readonly progress: (text: string) => void; readonly signal: AbortSignal },
): Promise<VerifyResult> {
  const started = performance.now();
  progress("looking at the cluster");
  const { findings, plan, semantics, jobs, run } = await prepare(cluster, input);
  const common = { policy: policyId(input.policy), semantics: semantics.name, uncovered: plan.uncovered };
  const seconds = () => Math.round((performance.now() - started) / 100) / 10;
  if (jobs === undefined) {
    return conclude({ ...common, findings, targets: [], seconds: seconds() });
  }
  progress(`run ${run}: ${plan.targets.length} targets, each from a runner and from a control`);
  const late: Finding[] = [];
  const onConverged = async (runnerIp: string) => {
    late.push(...(await judgeRunning(cluster, input.policy, semantics, runnerIp)));
  };
  const timing = { ...DEFAULT_TIMING, ...input };
  const attempt = probe({ cluster, jobs, targets: plan.targets, timing, progress, signal, onConverged });
  const probed = await attempt.catch((error: Error): Probed => {
    // A server that refuses a Job (a quota, an admission rule) is a run that could not be made, not a crash.
    if (signal.aborted) {
      throw error;
    }
    return { runner: readProbeLog(""), control: readProbeLog(""), failure: error.message };
  });
  const isControlHeld = findings.some(({ check, level }) => check === "control" && level !== "ok");
  const hasAttempts = [probed.runner, probed.control].every(({ attempts }) => attempts.length > 0);
  const targets = hasAttempts ? judgeTargets(plan, { ...probed, isControlHeld }, input.named.accepted) : [];
  const failure = probed.failure === undefined ? {} : { failure: probed.failure };
  return conclude({ ...common, ...failure, run, findings: [...findings, ...late], targets, seconds: seconds() });
}

/** Whether the controller gave the probing pod to the agent; asked while the pod is there. */
async function judgeRunning(
  cluster: Cluster,
  policy: NetworkPolicy,
  semantics: Semantics,
  runnerIp: string,
): Promise<Finding[]> {
  if (semantics.name !== "vpc-cni") {
    return [];
  }
  const endpoints = await cluster.list<PolicyEndpointObject>("policyendpoints", policy.namespace);
  return endpoints === undefined ? [] : judgeProbeEndpoint(policy, endpoints, runnerIp);
}

function semanticsOf({ enforcer, apiServer, inventory }: Snapshot, chosen: Semantics["name"] | undefined): Semantics {
  if (chosen === "kubernetes" || (chosen === undefined && !isVpcCni(enforcer))) {
    return { name: "kubernetes" };
  }
  const service = parseAddress(apiServer.service?.spec.clusterIP ?? "") ?? inventory.pods[0]?.addresses[0];
  const version = agentVersion(enforcer);
  return {
    name: "vpc-cni",
    ipFamily: service?.family ?? "ipv4",
    ...(version !== undefined && { agentVersion: version }),
  };
}

/** Where the newest live runner may run, so that both probes run on the same kind of node. */
function nodeClassOf(policy: NetworkPolicy, { pods }: Snapshot): NodeClass {
  const [newest] = runnerPods(policy, pods).sort((a, b) =>
    (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? 1 : -1,
  );
  return { nodeSelector: newest?.spec.nodeSelector ?? {}, tolerations: newest?.spec.tolerations ?? [] };
}

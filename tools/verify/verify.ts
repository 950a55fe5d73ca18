import { randomInt } from "node:crypto";
import { parseAddress } from "../../analysis/address.ts";
import { compile } from "../../analysis/compile.ts";
import { type NetworkPolicy, policyId, type Source } from "../../analysis/networkPolicy.ts";
import type { Semantics } from "../../analysis/semantics.ts";
import type { Cluster } from "./cluster.ts";
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
import { conclude, judgeTargets, type VerifyResult } from "./result.ts";
import type { Snapshot } from "./snapshot.ts";
import { takeSnapshot } from "./takeSnapshot.ts";
import type { Plan } from "./targets.ts";
import type { NamedTargets } from "./targetsFile.ts";

/** How a run is made, with times in seconds; {@link DEFAULT_TIMING} has their defaults. */
export interface RunOptions extends Partial<Timing> {
  /** Default: how the cluster's own enforcer reads policies. */
  readonly semantics?: Semantics["name"];
  /** Default: the policy's namespace. */
  readonly controlNamespace?: string;
  /** Default: that of the targets file, else {@link PROBE_IMAGE}. */
  readonly image?: string;
  /** Default: `IfNotPresent`. */
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
}

/** What a run is about. */
export interface VerifyInput extends RunOptions {
  /** The program's policy: what the cluster should enforce. */
  readonly policy: NetworkPolicy;
  readonly named: NamedTargets;
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
export async function prepare(cluster: Cluster, input: VerifyInput): Promise<Prepared> {
  const { policy, named } = input;
  const controlNamespace = input.controlNamespace ?? policy.namespace;
  const run = newRun();
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
export async function verify(
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
  const { targets: tried } = plan;
  const probed = await tryProbe({
    cluster,
    jobs,
    targets: tried,
    timing: { ...DEFAULT_TIMING, ...input },
    progress,
    signal,
    onConverged,
  });
  const isControlHeld = findings.some(({ check, level }) => check === "control" && level !== "ok");
  const targets = hasAttempts(probed) ? judgeTargets(plan, { ...probed, isControlHeld }, input.named.accepted) : [];
  const failure = probed.failure === undefined ? {} : { failure: probed.failure };
  return conclude({ ...common, ...failure, run, findings: [...findings, ...late], targets, seconds: seconds() });
}

/** A server that refuses a Job (a quota, an admission rule) is a run that could not be made, not a crash. */
async function tryProbe(run: Parameters<typeof probe>[0]): Promise<Probed> {
  try {
    return await probe(run);
  } catch (error) {
    if (run.signal.aborted) {
      throw error;
    }
    const nothing = readProbeLog("");
    return { runner: nothing, control: nothing, failure: (error as Error).message };
  }
}

function hasAttempts({ runner, control }: Probed): boolean {
  return runner.attempts.length > 0 && control.attempts.length > 0;
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

const RUN_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Eight random letters and digits, so that runs at the same time do not share a name. */
function newRun(): string {
  return Array.from({ length: 8 }, () => RUN_LETTERS[randomInt(RUN_LETTERS.length)]).join("");
}

import type { LabelSelector, Labels } from "../../analysis/labelSelector.ts";
import type { Toleration } from "./objects.ts";
import { jobDeadline, probeCommand, type Role, type Timing } from "./probe.ts";
import type { Target } from "./targets.ts";

/** Marks everything that a run creates; its value is the run. */
export const RUN_LABEL = "runner-egress/verify-run";

/** Says whether a pod plays the runner or the control. */
export const ROLE_LABEL = "runner-egress/verify-role";

/** A pod whose condition of this type never comes is never ready, so no Service sends it traffic. */
const NEVER_READY = "runner-egress/never-ready";

/** What the pods of a run have in common with the runner's. */
export interface NodeClass {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

export interface ManifestInput {
  /** Letters and digits, unique for each run. */
  readonly run: string;
  /** Where the runner's pods are. */
  readonly namespace: string;
  readonly controlNamespace: string;
  /** What the policy selects. */
  readonly runnerLabels: Labels;
  readonly targets: readonly Target[];
  readonly timing: Timing;
  readonly image: string;
  readonly imagePullPolicy: "Always" | "IfNotPresent" | "Never";
  readonly nodeClass: NodeClass;
}

/** A Job as it is sent to the server. */
export interface JobManifest {
  readonly apiVersion: "batch/v1";
  readonly kind: "Job";
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Labels };
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * Name of a run's Job. The AWS agent takes what precedes the last dash of a pod's name for the pod's identity, which is
 * this name for a Job's pods: it must differ between the two Jobs of a run and between runs, and have at most 57
 * characters (aws-network-policy-agent #671).
 */
export function jobName(role: Role, run: string): string {
  return `egress-verify-${role}-${run}`;
}

/** The two Jobs of a run, the runner first. Nothing else is ever created. */
export function jobManifests(input: ManifestInput): readonly [runner: JobManifest, control: JobManifest] {
  return [jobManifest("runner", input), jobManifest("control", input)];
}

function jobManifest(role: Role, input: ManifestInput): JobManifest {
  const { run, namespace, controlNamespace, runnerLabels, targets, timing, image, imagePullPolicy, nodeClass } = input;
  const labels = { "app.kubernetes.io/name": "egress-verify", [RUN_LABEL]: run, [ROLE_LABEL]: role };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobName(role, run), namespace: role === "runner" ? namespace : controlNamespace, labels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: jobDeadline(timing, targets.length),
      ttlSecondsAfterFinished: timing.ttl,
      template: {
        metadata: { labels: role === "runner" ? { ...labels, ...runnerLabels } : labels },
        spec: {
          restartPolicy: "Never",
          readinessGates: [{ conditionType: NEVER_READY }],
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          nodeSelector: nodeClass.nodeSelector,
          tolerations: nodeClass.tolerations,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "probe",
              image,
              imagePullPolicy,
              command: probeCommand(role, targets, timing),
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
              resources: {
                requests: { cpu: "50m", memory: "64Mi" },
                limits: { memory: "384Mi" },
              },
            },
          ],
        },
      },
    },
  };
}

/** Labels that a selector matches, the least of them: what a pod must carry to be taken for a runner. */
export function labelsFor({ requirements }: LabelSelector): Labels {
  return Object.fromEntries(
    requirements.flatMap(({ key, operator, values }) =>
      operator === "In" ? [[key, values[0] as string]] : operator === "Exists" ? [[key, "true"]] : [],
    ),
  );
}

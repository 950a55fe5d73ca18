import { readFileSync } from "node:fs";
import { formatAddress } from "../../analysis/address.ts";
import type { Target } from "./targets.ts";

/**
 * The image that probes: Kubernetes' own test image, which has a shell, `dig`, and `agnhost connect`, which tells a timeout
 * from a refusal (test/images/agnhost of kubernetes/kubernetes). Version 2.53, by digest.
 */
export const PROBE_IMAGE =
  "registry.k8s.io/e2e-test-images/agnhost:2.53@sha256:99c6b4bb4a1e1df3f0b3752168c89358794d02258ebebc26bf21c29399011a85";

/** Who probes: a pod that the policy selects, or one that nothing selects. */
export type Role = "runner" | "control";

/** Times of a run, in seconds. */
export interface Timing {
  /** How long a new pod may stay open before its policy counts as not enforced. */
  readonly converge: number;
  /** How long everything is watched after that. */
  readonly hold: number;
  /** How long one attempt waits for an answer. */
  readonly attempt: number;
  /** How long a pod may take to start, the pull of the image included. */
  readonly start: number;
  /** How long a finished Job stays in case the client did not come back to delete it. */
  readonly ttl: number;
}

export const DEFAULT_TIMING: Timing = { converge: 90, hold: 10, attempt: 2, start: 90, ttl: 60 };

/** Any answer to this question will do, "no such name" included. */
const DNS_QUESTION = "kubernetes.default.svc.cluster.local.";

/** Longer than the client needs to notice that the runner has finished and to see one more round of the control. */
const CONTROL_SLACK = 45;

/** Attempts that run at once, each with up to 33 MB (agnhost 2.53, 2026-11); the script has the same number. */
const AT_ONCE = 8;

const SCRIPT = readFileSync(new URL("./probe.sh", import.meta.url), "utf8");

/**
 * What the runner waits for before it looks at everything: the first few targets that must be denied. A policy takes hold
 * of a pod as a whole, so more of them would cost memory and tell nothing new.
 */
export function gatesOf(targets: readonly Target[]): Target[] {
  return targets.filter(({ expected }) => expected === "deny").slice(0, AT_ONCE);
}

/** The command of a probing container; targets are arguments, never part of the script's text. */
export function probeCommand(role: Role, targets: readonly Target[], timing: Timing): string[] {
  const gates = new Set(gatesOf(targets));
  const hold = role === "runner" ? timing.hold : timing.converge + timing.hold + CONTROL_SLACK;
  return [
    "/bin/sh",
    "-c",
    SCRIPT,
    "egress-probe",
    role,
    String(timing.converge),
    String(hold),
    String(timing.attempt),
    DNS_QUESTION,
    ...targets.map((target) => {
      const { id, kind, point } = target;
      return [id, kind, formatAddress(point.address), point.port, ...(gates.has(target) ? ["gate"] : [])].join(" ");
    }),
  ];
}

/** The longest that a Job of a run may take, in seconds: after that the cluster itself ends it. */
export function jobDeadline(timing: Timing, targets: number): number {
  return timing.start + timing.converge + timing.hold + CONTROL_SLACK + 2 * roundSeconds(timing, targets);
}

/** A round in which nothing answers. */
function roundSeconds({ attempt }: Timing, targets: number): number {
  return Math.ceil(targets / AT_ONCE) * (attempt + 1) + 1;
}

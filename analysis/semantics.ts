import type { Address, AddressFamily } from "./address.ts";
import { POLICY_PROTOCOLS, PROTOCOLS, type Protocol } from "./protocol.ts";

/** What the Kubernetes API reference says that a NetworkPolicy means. */
export interface KubernetesSemantics {
  readonly name: "kubernetes";
  /**
   * Whether an `ipBlock` also matches the addresses of pods, which the reference leaves to the network plugin. Default:
   * true, as the upstream end-to-end tests and the VPC CNI have it. It matters only with an inventory.
   */
  readonly ipBlockMatchesPods?: boolean;
}

/** What the AWS network policy agent of the VPC CNI enforces on an EKS node (docs/semantics.md). */
export interface VpcCniSemantics {
  readonly name: "vpc-cni";
  /** The cluster's family; the agent enforces no other. */
  readonly ipFamily: AddressFamily;
  /** The primary address of the pod's node, which the agent always allows. Without it that opening has no place. */
  readonly nodeIp?: Address;
  /** Version of aws-network-policy-agent, such as `1.2.3`. Default: the newest known, {@link NEWEST_AGENT}. */
  readonly agentVersion?: string;
}

/** How policies are read: as specified, or as enforced. */
export type Semantics = KubernetesSemantics | VpcCniSemantics;

/** The agent revision whose rule compiler the model follows: commit c8619c0 of 2026-08-21, to become 1.4.2. */
export const NEWEST_AGENT = "1.4.2";

/** The last agent that opens all ports of every block narrower than a rule for the whole internet. */
const LAST_LEAKING_AGENT = [1, 2, 3] as const;

/** The last agent that tells blocks apart by their text (NPA#609, fixed by PR #608 in 1.4.2). */
const LAST_TEXTUAL_AGENT = [1, 4, 1] as const;

/** The protocols that have a verdict under some semantics. */
export function protocolsOf(semantics: Semantics): readonly Protocol[] {
  return semantics.name === "kubernetes" ? POLICY_PROTOCOLS : PROTOCOLS;
}

/**
 * Whether an agent copies the ports of `/0` rules into every narrower block, even an excepted one (1.2.3 and earlier).
 *
 * @throws {RangeError} if the version is not MAJOR.MINOR.PATCH.
 */
export function leaksEveryPort(agentVersion = NEWEST_AGENT): boolean {
  return isAtMost(agentVersion, LAST_LEAKING_AGENT);
}

/**
 * Whether an agent takes two ways of writing one block for two blocks (1.4.1 and earlier): both are written to the same
 * map key, and which one comes last is random.
 *
 * @throws {RangeError} as {@link leaksEveryPort} does.
 */
export function tellsBlocksByText(agentVersion = NEWEST_AGENT): boolean {
  return isAtMost(agentVersion, LAST_TEXTUAL_AGENT);
}

function isAtMost(agentVersion: string, last: readonly [number, number, number]): boolean {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+].+)?$/.exec(agentVersion);
  if (match === null) {
    throw new RangeError(`"${agentVersion}" is not an agent version, which is MAJOR.MINOR.PATCH such as 1.3.7`);
  }
  const parts = match.slice(1).map(Number);
  const at = last.findIndex((limit, index) => parts[index] !== limit);
  return at < 0 || (parts[at] as number) < (last[at] as number);
}

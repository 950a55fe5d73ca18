/**
 * The network policy agent that each release of the VPC CNI carries (`charts/aws-vpc-cni/values.yaml` of
 * aws/amazon-vpc-cni-k8s at each tag, read 2026-08-20). A newer CNI may carry an older agent: 1.22.0 does.
 */
const AGENTS: Readonly<Record<string, string>> = {
  "1.14.0": "1.0.1",
  "1.16.0": "1.0.7",
  "1.18.0": "1.1.0",
  "1.19.0": "1.1.5",
  "1.19.3": "1.2.0",
  "1.19.4": "1.2.1",
  "1.19.5": "1.2.1",
  "1.19.6": "1.2.2",
  "1.20.0": "1.2.3",
  "1.20.1": "1.2.4",
  "1.20.2": "1.2.6",
  "1.20.3": "1.2.6",
  "1.20.4": "1.2.7",
  "1.20.5": "1.2.7",
  "1.21.0": "1.3.0",
  "1.21.1": "1.3.1",
  "1.21.2": "1.3.5",
  "1.22.0": "1.3.1",
  "1.22.1": "1.3.5",
  "1.22.2": "1.3.5",
  "1.22.3": "1.3.7",
  "1.22.4": "1.4.0",
  "1.23.0": "1.4.1",
};

const NEWEST_CNI = "1.23.0";

/**
 * The first agent that keeps the ports of a narrow rule apart from those of `0.0.0.0/0`. Older ones open every port of
 * the database's subnets (aws-network-policy-agent #180, fixed by pull request 344).
 */
export const OLDEST_AGENT = "1.2.4";

/** An agent version as far as the table tells it. */
export interface Agent {
  /** The version, or the least that it can be where the CNI is newer than the table. */
  readonly version: string;
  readonly isExact: boolean;
}

/**
 * The agent inside a version of the add-on such as `v1.21.1-eksbuild.1`. `undefined` for text that is no version and for
 * a release that is missing from the table and not newer than all of it: its agent could be any.
 */
export function agentOf(addOnVersion: string): Agent | undefined {
  const cni = /^v?(\d+\.\d+\.\d+)(?:-|$)/.exec(addOnVersion)?.[1];
  if (cni === undefined) {
    return undefined;
  }
  const listed = AGENTS[cni];
  if (listed !== undefined) {
    return { version: listed, isExact: true };
  }
  const newest = AGENTS[NEWEST_CNI];
  const isNewer = cni.localeCompare(NEWEST_CNI, "en", { numeric: true }) > 0;
  return newest !== undefined && isNewer ? { version: newest, isExact: false } : undefined;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type NetworkPolicy, parseNetworkPolicies } from "../../../analysis/index.ts";
import { parseYaml } from "../../../tools/cli/input/yaml.ts";

/** A policy of the size that a list of unwanted networks has: the internet without `count` blocks of 128 addresses. */
export function exceptPolicy(count: number, leaveOut?: number): object {
  const excepts = Array.from(
    { length: count },
    (_, index) => `${11 + (index >> 15)}.${(index >> 7) & 255}.${(index & 127) * 2}.0/25`,
  );
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "excepts", namespace: "keeperhub" },
    spec: {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: excepts.filter((_, index) => index !== leaveOut) } }] }],
    },
  };
}

/** KeeperHub's own policy for staging, of June 2026. */
export function seedPolicies(): NetworkPolicy[] {
  const file = join(import.meta.dirname, "..", "..", "..", "docs", "examples", "runner-staging.yaml");
  return parseNetworkPolicies(parseYaml(readFileSync(file, "utf8"), file));
}

/** Pseudo-random 32-bit numbers, the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    // xorshift32 (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

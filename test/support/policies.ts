import {
  type CompileOptions,
  compile,
  type EgressAnalysis,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
} from "../../analysis/index.ts";

/** A NetworkPolicy object around egress rules, as it would come from YAML. */
export function policy(egress: unknown, more: { metadata?: object; spec?: object } = {}): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "runner", namespace: "keeperhub", ...more.metadata },
    spec: { podSelector: { matchLabels: { app: "workflow-runner" } }, policyTypes: ["Egress"], egress, ...more.spec },
  };
}

/** A rule for one block. */
export function block(cidr: string, options: { except?: string[]; ports?: unknown[] } = {}): object {
  const { except, ports } = options;
  return { to: [{ ipBlock: { cidr, ...(except ? { except } : {}) } }], ...(ports ? { ports } : {}) };
}

export const KUBERNETES: Semantics = { name: "kubernetes" };

/** Parses and compiles rules of one policy, or whole policies. */
export function analyse(input: readonly object[], options: Partial<CompileOptions> = {}): EgressAnalysis {
  return compile(parseNetworkPolicies(input), { semantics: KUBERNETES, source: SELECTED_BY_EVERY_POLICY, ...options });
}

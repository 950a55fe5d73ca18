import type { EgressPolicySpec } from "../../../runner/networkPolicy.ts";
import { mustRun, type Outcome, run } from "./command.ts";

/** The NetworkPolicy's name in every case; cases differ by their namespace. */
export const POLICY_NAME = "workflow-runner-block-imds";

/** A NetworkPolicy on the cluster. */
export interface LivePolicy {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields: readonly { readonly manager: string }[];
  };
  readonly spec: EgressPolicySpec;
}

/** kubectl with the suite's cluster. */
export function kubectl(args: readonly string[], input?: string): Promise<Outcome> {
  return run("kubectl", args, input === undefined ? {} : { input });
}

/** Makes a namespace, unless an earlier suite has made it already. */
export async function createNamespace(name: string): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(namespace) });
}

/** Removes every policy of a namespace, for the next suite. */
export async function clearNamespace(name: string): Promise<void> {
  await mustRun("kubectl", ["-n", name, "delete", "networkpolicies", "--all"]);
}

/** The live policy of a namespace; `undefined` where there is none. */
export async function livePolicy(namespace: string): Promise<LivePolicy | undefined> {
  const args = ["-n", namespace, "get", "networkpolicy", POLICY_NAME, "--ignore-not-found", "--show-managed-fields"];
  const text = await mustRun("kubectl", [...args, "-o", "json"]);
  return text === "" ? undefined : (JSON.parse(text) as LivePolicy);
}

/** The live policy of a namespace that has one. */
export async function requirePolicy(namespace: string): Promise<LivePolicy> {
  const policy = await livePolicy(namespace);
  if (policy === undefined) {
    throw new Error(`namespace ${namespace} has no policy ${POLICY_NAME}`);
  }
  return policy;
}

/** Changes the live policy by hand with a JSON patch. */
export async function patchPolicy(namespace: string, operations: readonly object[]): Promise<void> {
  const patch = JSON.stringify(operations);
  await mustRun("kubectl", ["-n", namespace, "patch", "networkpolicy", POLICY_NAME, "--type", "json", "-p", patch]);
}

/** Changes the live policy in an editor that replaces one text by another, as a person would with `kubectl edit`. */
export async function editPolicy(namespace: string, before: string, after: string): Promise<void> {
  const env = { KUBE_EDITOR: `sed -i 's/${before}/${after}/'` };
  await mustRun("kubectl", ["-n", namespace, "edit", "networkpolicy", POLICY_NAME], { env });
}

/** The policy that the clusters had before June 2026: everything but 169.254.0.0/16. */
export function earlierManifest(namespace: string): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: POLICY_NAME, namespace, labels: { app: "workflow-runner" } },
    spec: {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } }] }],
    },
  });
}

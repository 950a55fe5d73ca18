import { formatSelector, type NetworkPolicy, type Source } from "../../../analysis/index.ts";
import type { PodFlags } from "../options.ts";
import { UsageError } from "../usageError.ts";

/** The pod whose egress is judged. */
export interface Sender {
  /** `undefined`: any pod that all `policies` select. */
  readonly source: Source | undefined;
  readonly namespace: string;
  /** For people: `any pod with app=web in namespace shop`. */
  readonly text: string;
}

/**
 * Finds the pod: the one that was described, or else one that the policies select, if they all select the same pods. It is
 * never guessed: policies for different pods need a description.
 *
 * @throws {UsageError} that says what is missing.
 */
export function senderOf(policies: readonly NetworkPolicy[], flags: PodFlags): Sender {
  const namespace = flags.namespace ?? onlyNamespace(policies);
  if (flags.podLabel !== undefined) {
    const labels = Object.fromEntries(flags.podLabel);
    const text = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return { source: { namespace, labels }, namespace, text: `a pod with ${text.join(",")} in namespace ${namespace}` };
  }
  const selectors = new Map<string, string>();
  for (const { podSelector, namespace: home, name } of policies) {
    if (home === namespace) {
      const text = formatSelector(podSelector) || "every pod";
      selectors.set(text, [selectors.get(text) ?? [], name].flat().join(", "));
    }
  }
  const [only, ...others] = selectors.keys();
  if (only === undefined) {
    throw new UsageError(
      `no policy is in namespace ${namespace}; say which pod is meant with --pod-label KEY=VALUE, or another namespace`,
    );
  }
  if (others.length > 0) {
    const list = [...selectors].map(([text, names]) => `  - ${text} (${names})`).sort();
    throw new UsageError(
      `the policies of namespace ${namespace} select different pods:\n${list.join("\n")}\nSay which pod is meant with --pod-label KEY=VALUE, once for each of its labels.`,
    );
  }
  const pods = only === "every pod" ? "any pod" : `any pod with ${only}`;
  return { source: undefined, namespace, text: `${pods} in namespace ${namespace}` };
}

/** The policies that may concern the pod; with a described pod, `compile` decides. */
export function policiesFor(sender: Sender, policies: readonly NetworkPolicy[]): readonly NetworkPolicy[] {
  return sender.source === undefined ? policies.filter(({ namespace }) => namespace === sender.namespace) : policies;
}

function onlyNamespace(policies: readonly NetworkPolicy[]): string {
  const [only, ...others] = [...new Set(policies.map(({ namespace }) => namespace))].sort();
  if (only === undefined) {
    throw new UsageError("there is no NetworkPolicy; with none, a pod may reach everything");
  }
  if (others.length > 0) {
    throw new UsageError(
      `the policies are in several namespaces: ${[only, ...others].join(", ")}; say which with --namespace NAME`,
    );
  }
  return only;
}

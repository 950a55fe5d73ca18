import {
  type AddressFamily,
  formatSelector,
  type NetworkPolicy,
  parseAddress,
  type Source,
} from "../../../analysis/index.ts";
import { InconclusiveError, UsageError } from "../errors.ts";
import type { PodFlags } from "../options.ts";
import { findObject, type LoadedObject } from "./objects.ts";

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
  const own = policies.filter((policy) => policy.namespace === namespace);
  const selectors = Map.groupBy(own, ({ podSelector }) => formatSelector(podSelector) || "every pod");
  const [only, ...others] = selectors.keys();
  if (only === undefined) {
    throw new UsageError(
      `no policy is in namespace ${namespace}; say which pod is meant with --pod-label KEY=VALUE, or another namespace`,
    );
  }
  if (others.length > 0) {
    const list = [...selectors].map(([text, all]) => `  - ${text} (${all.map(({ name }) => name).join(", ")})`).sort();
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

/** A pod of a cluster or of an inventory as the sender, and where it runs. */
export interface NamedPod {
  readonly sender: Sender;
  /** The address of its node in a family; `undefined`: it has none, or is not scheduled yet. */
  readonly nodeIp: (family: AddressFamily) => string | undefined;
}

/**
 * Finds the pod that `--pod NAMESPACE/NAME` names.
 *
 * @param objects Of the cluster or of the inventory; `undefined`: neither was given.
 * @throws {UsageError} if there is no such pod.
 * @throws {InconclusiveError} for a pod to which no policy applies.
 */
export function namedPod(text: string, objects: readonly LoadedObject[] | undefined): NamedPod {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(`--pod ${text}: a pod is NAMESPACE/NAME`);
  }
  if (objects === undefined) {
    throw new UsageError("--pod names a pod of the cluster; add --context NAME or --inventory FILE");
  }
  const pod = findObject(objects, "Pod", namespace, name);
  if (pod === undefined) {
    throw new UsageError(`--pod ${text}: there is no such pod`);
  }
  const { metadata, spec, status } = pod as {
    readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
    readonly spec?: { readonly hostNetwork?: boolean };
    readonly status?: { readonly hostIP?: string; readonly hostIPs?: readonly { readonly ip: string }[] };
  };
  if (spec?.hostNetwork === true) {
    throw new InconclusiveError([`pod ${text} uses its node's network, to which no NetworkPolicy applies`]);
  }
  const labels = metadata.labels ?? {};
  const shown = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const nodes = [...(status?.hostIPs ?? []).map(({ ip }) => ip), status?.hostIP ?? ""];
  return {
    sender: {
      source: { namespace, labels },
      namespace,
      text: `pod ${text}${shown.length === 0 ? "" : ` (${shown.sort().join(", ")})`}`,
    },
    nodeIp: (family) => nodes.find((node) => parseAddress(node)?.family === family),
  };
}

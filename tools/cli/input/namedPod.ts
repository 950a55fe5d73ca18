import { type AddressFamily, parseAddress } from "../../../analysis/index.ts";
import { InconclusiveError } from "../inconclusive.ts";
import { UsageError } from "../usageError.ts";
import { findObject, type LoadedObject } from "./objects.ts";
import type { Sender } from "./sender.ts";

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

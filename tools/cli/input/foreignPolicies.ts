import {
  areDisjoint,
  type LabelSelector,
  type NetworkPolicy,
  parseLabelSelector,
  selects,
} from "../../../analysis/index.ts";
import { InconclusiveError } from "../errors.ts";
import type { LoadedObject } from "./objects.ts";
import type { Sender } from "./sender.ts";

/** A policy of another kind that restricts egress too, such as a Cilium, Calico, admin or AWS policy; it is not analysed. */
export interface ForeignPolicy {
  /** Where it is and what it is: `p.yaml document 2: cilium.io/v2 CiliumNetworkPolicy`. */
  readonly text: string;
  /** `undefined`: it is not bound to one namespace, or does not say to which. */
  readonly namespace: string | undefined;
  /** The pods of its namespace that it is about; `undefined`: that is written in a language of its own. */
  readonly podSelector: LabelSelector | undefined;
}

/** Kinds of a namespace, and the member of `spec` that selects pods, where it is a label selector. */
const NAMESPACED: readonly { readonly type: RegExp; readonly selector?: string }[] = [
  { type: /^networking\.k8s\.aws\/\w+ ApplicationNetworkPolicy$/, selector: "podSelector" },
  { type: /^cilium\.io\/\w+ CiliumNetworkPolicy$/, selector: "endpointSelector" },
  { type: /(^|\.)projectcalico\.org\/\w+ NetworkPolicy$/ },
];

/** Whether objects of a kind restrict traffic, NetworkPolicies of Kubernetes among them. */
export function isPolicyKind(kind: string): boolean {
  return /network.*policy$/i.test(kind);
}

/** The object as a foreign policy; `undefined` for a NetworkPolicy of Kubernetes, and for what is no policy. */
export function asForeignPolicy(
  { object, path }: LoadedObject,
  namespace: string | undefined,
): ForeignPolicy | undefined {
  const { kind, apiVersion, metadata, spec } = object as { [key: string]: unknown };
  const type = `${String(apiVersion)} ${String(kind)}`;
  // Other API groups with a NetworkPolicy than Calico's are old versions of the one meant.
  if (!isPolicyKind(String(kind)) || (kind === "NetworkPolicy" && !/projectcalico\.org\//.test(type))) {
    return undefined;
  }
  const text = `${path}: ${type}`;
  const known = NAMESPACED.find((each) => each.type.test(type));
  if (known === undefined) {
    return { text, namespace: undefined, podSelector: undefined };
  }
  const own = (metadata as { namespace?: unknown } | null | undefined)?.namespace;
  const selector = known.selector && (spec as Readonly<Record<string, unknown>> | null | undefined)?.[known.selector];
  return {
    text,
    namespace: typeof own === "string" && own !== "" ? own : namespace,
    podSelector: readSelector(selector),
  };
}

/** Cilium may write where a label comes from, and has labels that pods do not. */
function readSelector(input: unknown): LabelSelector | undefined {
  const plain = JSON.stringify(input ?? null).replace(/"(?:k8s|any):/g, '"');
  const selector = parseLabelSelector(JSON.parse(plain));
  const isOwn = selector?.requirements.some(({ key }) => /^io\.(kubernetes|cilium)\./.test(key));
  return typeof input !== "object" || isOwn === true ? undefined : selector;
}

/**
 * Next to a foreign policy that may select the pod no verdict holds.
 *
 * @param sender The pod; `undefined`: it may be any.
 * @throws {InconclusiveError} that names each of them.
 */
export function refuseForeign(
  { foreign, policies }: { readonly foreign: readonly ForeignPolicy[]; readonly policies: readonly NetworkPolicy[] },
  sender: Sender | undefined,
): void {
  const own = policies.filter(({ namespace }) => namespace === sender?.namespace).map(({ podSelector }) => podSelector);
  const maySelect = ({ namespace, podSelector }: ForeignPolicy): boolean => {
    if (sender === undefined || namespace === undefined) {
      return true;
    }
    if (namespace !== sender.namespace || podSelector === undefined) {
      return namespace === sender.namespace;
    }
    return sender.source === undefined
      ? !own.some((selected) => areDisjoint(selected, podSelector))
      : selects(podSelector, sender.source.labels);
  };
  const selecting = foreign.filter(maySelect);
  if (selecting.length > 0) {
    throw new InconclusiveError(
      selecting.map(({ text }) => `${text} restricts egress too and is not analysed, so no verdict holds`),
    );
  }
}

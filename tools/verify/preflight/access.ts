import { NAMESPACE_NAME_LABEL } from "../../../analysis/inventory.ts";
import type { NetworkPolicy, SelectorPeer } from "../../../analysis/networkPolicy.ts";
import { checked, type Finding } from "./finding.ts";

/** One thing that a run does to the cluster's API. */
export interface Right {
  readonly verb: "create" | "get" | "list" | "delete";
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  /** `undefined`: in all namespaces, or of a kind that has none. */
  readonly namespace?: string;
  /** The only object that is read. */
  readonly name?: string;
  /** What it is for. */
  readonly purpose: string;
}

/** Group of the AWS controller's kinds. */
export const AWS_GROUP = "networking.k8s.aws";

/**
 * The namespaces in which a policy's peers can be: those that its selectors name. `undefined` where one of them asks for
 * other labels, so that any namespace could match.
 */
export function peerNamespaces(policy: NetworkPolicy): string[] | undefined {
  const peers = policy.egress.flatMap(({ to }) => (to ?? []).filter((peer) => peer.kind === "pods"));
  const named = peers.map((peer) => namedNamespaces(peer, policy.namespace));
  return named.includes(undefined)
    ? undefined
    : [...new Set([policy.namespace, ...named.flatMap((names) => names ?? [])])].sort();
}

function namedNamespaces({ namespaceSelector }: SelectorPeer, own: string): readonly string[] | undefined {
  if (namespaceSelector === undefined) {
    return [own];
  }
  const byName = namespaceSelector.requirements.find(
    ({ key, operator }) => key === NAMESPACE_NAME_LABEL && operator === "In",
  );
  return namespaceSelector.requirements.length === 1 ? byName?.values : undefined;
}

/** Everything that a run does, by the policy's namespace, the control's, and those of the policy's peers. */
export function rightsFor(policy: NetworkPolicy, controlNamespace: string): Right[] {
  const { namespace } = policy;
  const peers = peerNamespaces(policy);
  const jobNamespaces = [...new Set([namespace, controlNamespace])];
  const peerNamespace = (at: string | undefined): Right[] => {
    const purpose = "to find live pods and Services behind the policy's peers";
    const kinds = at !== undefined && jobNamespaces.includes(at) ? ["services"] : ["pods", "services"];
    return kinds.map((kind) => right("list", kind, purpose, at));
  };
  return [
    ...jobNamespaces.flatMap((at) => [
      right("create", "jobs.batch", "to start the probes", at),
      right("get", "jobs.batch", "to see how a probe ended", at),
      right("delete", "jobs.batch", "to leave nothing behind", at),
      right("list", "pods", "to follow the probes and see the runners", at),
      right("get", "pods/log", "to read the results", at),
      right("list", "networkpolicies.networking.k8s.io", "to compare the live policy and see which others apply", at),
    ]),
    ...(peers ?? [undefined]).flatMap(peerNamespace),
    peers === undefined
      ? right("list", "namespaces", "to match the labels that the policy asks for")
      : right("get", "namespaces", "to see whether cluster-wide policies choose it", undefined, namespace),
    right("list", `policyendpoints.${AWS_GROUP}`, "to see what the controller made of the policy", namespace),
    right("list", `applicationnetworkpolicies.${AWS_GROUP}`, "to see which other policies apply", namespace),
    right("list", `clusternetworkpolicies.${AWS_GROUP}`, "to see which other policies apply"),
    right("get", "configmaps", "to see whether network policy is on", "kube-system", "amazon-vpc-cni"),
    right("get", "daemonsets.apps", "to see the agent's version and switch", "kube-system", "aws-node"),
    right("get", "services", "to try the API server, which always listens", "default", "kubernetes"),
    right(
      "get",
      "endpointslices.discovery.k8s.io",
      "to try the API server's hosts, which always listen",
      "default",
      "kubernetes",
    ),
  ];
}

/** @param kind as {@link formatRight} writes it: `pods/log`, `jobs.batch` */
function right(verb: Right["verb"], kind: string, purpose: string, namespace?: string, name?: string): Right {
  const [, resource = "", subresource, group = ""] = /^(\w+)(?:\/(\w+))?(?:\.(.+))?$/.exec(kind) ?? [];
  return {
    verb,
    group,
    resource,
    ...(subresource !== undefined && { subresource }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    purpose,
  };
}

/** `list pods in kube-system`, as a person says it. */
export function formatRight({ verb, group, resource, subresource, namespace, name }: Right): string {
  const kind = `${resource}${subresource === undefined ? "" : `/${subresource}`}${group === "" ? "" : `.${group}`}`;
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  return `${verb} ${kind}${name === undefined ? "" : ` "${name}"`}${where}`;
}

/** Says which rights are missing; everything has to be there before anything is written. */
export function judgeAccess(rights: readonly (Right & { readonly isAllowed: boolean })[]): Finding[] {
  const missing = rights.filter(({ isAllowed }) => !isAllowed);
  const found = missing.map((right) => ({
    level: "stop" as const,
    text: `you may not ${formatRight(right)}, ${right.purpose}`,
    remedy: "grant it; access/kubernetes-verify.yaml has all that is needed",
  }));
  return checked("access", found, `all ${rights.length} rights are there`);
}

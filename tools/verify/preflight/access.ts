import { NAMESPACE_NAME_LABEL } from "../../../analysis/inventory.ts";
import type { NetworkPolicy, SelectorPeer } from "../../../analysis/networkPolicy.ts";
import type { Finding } from "./finding.ts";

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
  const reading = "to find live pods and Services behind the policy's peers";
  const jobNamespaces = [...new Set([namespace, controlNamespace])];
  return [
    ...jobNamespaces.flatMap((at): Right[] => [
      { verb: "create", group: "batch", resource: "jobs", namespace: at, purpose: "to start the probes" },
      { verb: "get", group: "batch", resource: "jobs", namespace: at, purpose: "to see how a probe ended" },
      { verb: "delete", group: "batch", resource: "jobs", namespace: at, purpose: "to leave nothing behind" },
      { verb: "list", group: "", resource: "pods", namespace: at, purpose: "to follow the probes and see the runners" },
      { verb: "get", group: "", resource: "pods", subresource: "log", namespace: at, purpose: "to read the results" },
      {
        verb: "list",
        group: "networking.k8s.io",
        resource: "networkpolicies",
        namespace: at,
        purpose: "to compare the live policy and see which others apply",
      },
    ]),
    ...(peers ?? [undefined]).flatMap((at): Right[] =>
      ["pods", "services"]
        .filter((resource) => at === undefined || resource === "services" || !jobNamespaces.includes(at))
        .map((resource) => ({
          verb: "list",
          group: "",
          resource,
          ...(at !== undefined && { namespace: at }),
          purpose: reading,
        })),
    ),
    peers === undefined
      ? { verb: "list", group: "", resource: "namespaces", purpose: "to match the labels that the policy asks for" }
      : {
          verb: "get",
          group: "",
          resource: "namespaces",
          name: namespace,
          purpose: "to see whether cluster-wide policies choose it",
        },
    {
      verb: "list",
      group: AWS_GROUP,
      resource: "policyendpoints",
      namespace,
      purpose: "to see what the controller made of the policy",
    },
    {
      verb: "list",
      group: AWS_GROUP,
      resource: "applicationnetworkpolicies",
      namespace,
      purpose: "to see which other policies apply",
    },
    {
      verb: "list",
      group: AWS_GROUP,
      resource: "clusternetworkpolicies",
      purpose: "to see which other policies apply",
    },
    {
      verb: "get",
      group: "",
      resource: "configmaps",
      namespace: "kube-system",
      name: "amazon-vpc-cni",
      purpose: "to see whether network policy is on",
    },
    {
      verb: "get",
      group: "apps",
      resource: "daemonsets",
      namespace: "kube-system",
      name: "aws-node",
      purpose: "to see the agent's version and switch",
    },
    {
      verb: "get",
      group: "",
      resource: "services",
      namespace: "default",
      name: "kubernetes",
      purpose: "to try the API server, which always listens",
    },
    {
      verb: "get",
      group: "discovery.k8s.io",
      resource: "endpointslices",
      namespace: "default",
      name: "kubernetes",
      purpose: "to try the API server's hosts, which always listen",
    },
  ];
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
  return missing.length === 0
    ? [{ check: "access", level: "ok", text: `all ${rights.length} rights are there` }]
    : missing.map((right) => ({
        check: "access",
        level: "stop",
        text: `you may not ${formatRight(right)}, ${right.purpose}`,
        remedy: "grant it; access/kubernetes-verify.yaml has all that is needed",
      }));
}

import { compile } from "../../../analysis/compile.ts";
import { formatSelector } from "../../../analysis/labelSelector.ts";
import { type NetworkPolicy, SELECTED_BY_EVERY_POLICY } from "../../../analysis/networkPolicy.ts";
import { parseLabelSelector } from "../../../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { changeInWords } from "../../../analysis/reach/words.ts";
import type { VpcCniSemantics } from "../../../analysis/semantics.ts";
import type { PolicyEndpointObject } from "../objects.ts";
import type { Snapshot } from "../snapshot.ts";
import { checked, contradiction, doubt, type Finding, type Found, note } from "./finding.ts";
import { readPolicy } from "./readPolicy.ts";

/** The objects in which the AWS controller keeps what it made of one policy. */
function endpointsOf(policy: NetworkPolicy, all: readonly PolicyEndpointObject[]): PolicyEndpointObject[] {
  return all.filter(
    ({ spec: { policyRef } }) => policyRef.name === policy.name && policyRef.namespace === policy.namespace,
  );
}

/**
 * Whether the controller's PolicyEndpoints say what it should have made of the policy: same pods, same addresses. They
 * are what the agent reads, and some updates of a policy do not reach them (aws-network-policy-agent #643,
 * amazon-network-policy-controller-k8s #260).
 */
export function judgePolicyEndpoints(
  policy: NetworkPolicy,
  semantics: VpcCniSemantics,
  { inventory, policyEndpoints }: Pick<Snapshot, "inventory" | "policyEndpoints">,
): Finding[] {
  const own = endpointsOf(policy, policyEndpoints ?? []);
  const found =
    policyEndpoints === undefined
      ? [note("this cluster has no PolicyEndpoints to compare")]
      : own.length === 0
        ? [stale(`the controller has made no PolicyEndpoint of ${policy.name}, so no agent knows of it`)]
        : [...own.flatMap((endpoint) => judgePods(policy, endpoint)), ...judgeRules(policy, own, semantics, inventory)];
  return checked("policy endpoints", found, `${own.length} PolicyEndpoints are in step with the policy`);
}

const stale = (text: string): Found =>
  contradiction(text, "replace the policy (delete and create) so that the controller starts afresh, and see its logs");

function judgePods(policy: NetworkPolicy, { metadata, spec }: PolicyEndpointObject): Found[] {
  const [wanted, selector] = [formatSelector(policy.podSelector), parseLabelSelector(spec.podSelector)];
  const has = selector === undefined ? "an unreadable selector" : formatSelector(selector);
  return [
    ...(has === wanted ? [] : [stale(`PolicyEndpoint ${metadata.name} selects ${has}, the policy ${wanted}`)]),
    ...((spec.podIsolation ?? []).includes("Egress")
      ? []
      : [stale(`PolicyEndpoint ${metadata.name} does not isolate egress`)]),
  ];
}

function judgeRules(
  policy: NetworkPolicy,
  own: readonly PolicyEndpointObject[],
  semantics: VpcCniSemantics,
  inventory: Snapshot["inventory"],
): Found[] {
  const resolved = readPolicy(asPolicy(policy, own));
  if (resolved instanceof ProblemsError) {
    return [stale(`the PolicyEndpoints can't be analysed: ${resolved.message}`)];
  }
  // Resolved rules have no labels any more, so those of the policy count for both; without an inventory they open nothing.
  const byLabel = policy.egress.flatMap(({ to, ports }) => {
    const pods = (to ?? []).filter(({ kind }) => kind === "pods");
    return pods.length === 0 ? [] : [{ to: pods, ports }];
  });
  const options = { semantics, source: SELECTED_BY_EVERY_POLICY } as const;
  const is = compile([{ ...resolved, egress: [...resolved.egress, ...byLabel] }], options);
  const should = compile([policy], { ...options, inventory });
  return changeInWords(should, is).map((text) => stale(`the PolicyEndpoints are not in step: ${text}`));
}

/** Whether the controller has given a pod of the run to the agent. */
export function judgeProbeEndpoint(
  policy: NetworkPolicy,
  endpoints: readonly PolicyEndpointObject[],
  podIp: string,
): Finding[] {
  const isKnown = endpointsOf(policy, endpoints).some(({ spec }) =>
    (spec.podSelectorEndpoints ?? []).some((endpoint) => endpoint.podIP === podIp),
  );
  const missing = doubt(
    `the PolicyEndpoints do not name the probing pod (${podIp}), so no agent was told to enforce the policy on it`,
    "see the controller's logs; it may lag behind (amazon-network-policy-controller-k8s #179)",
  );
  return isKnown ? [] : [{ check: "policy endpoints", ...missing }];
}

/** The resolved rules, written as the policy that they are. */
function asPolicy({ name, namespace }: NetworkPolicy, endpoints: readonly PolicyEndpointObject[]) {
  const egress = endpoints.flatMap(({ spec }) =>
    (spec.egress ?? []).map(({ cidr, except, ports }) => ({
      to: [{ ipBlock: { cidr: withPrefix(cidr), ...(except && { except }) } }],
      ...(ports && { ports }),
    })),
  );
  return { metadata: { name, namespace }, spec: { podSelector: {}, policyTypes: ["Egress"], egress } };
}

/** The controller writes pods and Services as bare addresses. */
function withPrefix(cidr: string): string {
  return cidr.includes("/") ? cidr : `${cidr}/${cidr.includes(":") ? 128 : 32}`;
}

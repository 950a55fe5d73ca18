import { compile } from "../../../analysis/compile.ts";
import { diff } from "../../../analysis/diff.ts";
import { formatSelector } from "../../../analysis/labelSelector.ts";
import { type NetworkPolicy, SELECTED_BY_EVERY_POLICY } from "../../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import type { VpcCniSemantics } from "../../../analysis/semantics.ts";
import type { PolicyEndpointObject } from "../objects.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Finding } from "./finding.ts";
import { describeDiff } from "./livePolicy.ts";
import { parseSelector } from "./newerKinds.ts";

/** The objects in which the AWS controller keeps what it made of one policy. */
export function endpointsOf(policy: NetworkPolicy, all: readonly PolicyEndpointObject[]): PolicyEndpointObject[] {
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
  if (policyEndpoints === undefined) {
    return [{ check: "policy endpoints", level: "note", text: "this cluster has no PolicyEndpoints to compare" }];
  }
  const stale = (text: string): Finding => ({
    check: "policy endpoints",
    level: "contradiction",
    text,
    remedy: "replace the policy (delete and create) so that the controller starts afresh, and see its logs",
  });
  const own = endpointsOf(policy, policyEndpoints);
  if (own.length === 0) {
    return [stale(`the controller has made no PolicyEndpoint of ${policy.name}, so no agent knows of it`)];
  }
  const findings: Finding[] = [];
  for (const { metadata, spec } of own) {
    const selector = parseSelector(spec.podSelector);
    if (selector === undefined || formatSelector(selector) !== formatSelector(policy.podSelector)) {
      const has = selector === undefined ? "an unreadable selector" : formatSelector(selector);
      findings.push(
        stale(`PolicyEndpoint ${metadata.name} selects ${has}, the policy ${formatSelector(policy.podSelector)}`),
      );
    }
    if (!(spec.podIsolation ?? []).includes("Egress")) {
      findings.push(stale(`PolicyEndpoint ${metadata.name} does not isolate egress`));
    }
  }
  try {
    const [resolved] = parseNetworkPolicies([asPolicy(policy, own)]) as [NetworkPolicy];
    const is = compile([resolved], { semantics, source: SELECTED_BY_EVERY_POLICY });
    const should = compile([policy], { semantics, source: SELECTED_BY_EVERY_POLICY, inventory });
    findings.push(
      ...describeDiff({ ...diffOfAddresses(should, is) }).map((text) =>
        stale(`the PolicyEndpoints are not in step: ${text}`),
      ),
    );
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    findings.push(stale(`the PolicyEndpoints can't be analysed: ${error.message}`));
  }
  return findings.length > 0
    ? findings
    : [{ check: "policy endpoints", level: "ok", text: `${own.length} PolicyEndpoints are in step with the policy` }];
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
  return isKnown
    ? []
    : [
        {
          check: "policy endpoints",
          level: "doubt",
          text: `the PolicyEndpoints do not name the probing pod (${podIp}), so no agent was told to enforce the policy on it`,
          remedy: "see the controller's logs; it may lag behind (amazon-network-policy-controller-k8s #179)",
        },
      ];
}

/** Only addresses: the resolved rules have no labels any more. */
function diffOfAddresses(should: ReturnType<typeof compile>, is: ReturnType<typeof compile>) {
  const { gained, lost } = diff(should, is);
  return { gained: { ...gained, pods: [] }, lost: { ...lost, pods: [] } };
}

/** The resolved rules, written as the policy that they are. */
function asPolicy({ name, namespace }: NetworkPolicy, endpoints: readonly PolicyEndpointObject[]): unknown {
  return {
    metadata: { name, namespace },
    spec: {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: endpoints.flatMap(({ spec }) =>
        (spec.egress ?? []).map(({ cidr, except, ports }) => ({
          to: [{ ipBlock: { cidr: withPrefix(cidr), ...(except && { except }) } }],
          ...(ports && { ports }),
        })),
      ),
    },
  };
}

/** The controller writes pods and Services as bare addresses. */
function withPrefix(cidr: string): string {
  return cidr.includes("/") ? cidr : `${cidr}/${cidr.includes(":") ? 128 : 32}`;
}

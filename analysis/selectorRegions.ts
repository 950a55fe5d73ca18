import type { EgressAnalysis } from "./compile.ts";
import type { EgressRule, NetworkPolicy } from "./networkPolicy.ts";
import { POLICY_PROTOCOLS } from "./networkPolicy.ts";
import { anyGrantAllows, type PortQuestion, type PortTable, permitsSome, portTable, uniformTable } from "./ports.ts";
import type { NamedPortGrant, PodGrant } from "./reach/podReach.ts";
import { EVERY_POD, formatPodSet, isNarrowerPodSet, namespaceNamed, type PodSet } from "./reach/podSets.ts";
import { numericPermissions } from "./terms.ts";

/**
 * What is allowed to reach pods by their labels, wherever they run. Never compared with addresses: which address a pod
 * has is known only with an inventory.
 */
export interface SelectorRegion {
  /** Equal exactly for equal sets of requirements, and what a person reads. */
  readonly text: string;
  readonly pods: PodSet;
  readonly table: PortTable;
  readonly namedPorts: readonly NamedPortGrant[];
}

/** The peers of the applying policies that are given by labels; a rule without `to` reaches every pod. */
export function podGrants(policies: readonly NetworkPolicy[], applying: readonly number[]): PodGrant[] {
  return applying.flatMap((policyIndex) => {
    const policy = policies[policyIndex] as NetworkPolicy;
    return policy.egress.flatMap((rule, ruleIndex) => {
      const at = (peer: number | undefined, pods: PodSet): PodGrant => {
        const place = { policy: policyIndex, rule: ruleIndex, peer };
        return { peer, pods, permissions: numericPermissions(rule, place), namedPorts: namedPorts(rule, place) };
      };
      if (rule.to === undefined) {
        return [at(undefined, EVERY_POD)];
      }
      return rule.to.flatMap((peer, peerIndex) =>
        peer.kind === "pods"
          ? [
              at(peerIndex, {
                podSelector: peer.podSelector,
                namespaceSelector: peer.namespaceSelector ?? namespaceNamed(policy.namespace),
              }),
            ]
          : [],
      );
    });
  });
}

/** One region for each set of pods that a rule names, with what all rules that cover the set allow together. */
export function selectorRegions(grants: readonly PodGrant[]): SelectorRegion[] {
  const sets = new Map(grants.map(({ pods }) => [formatPodSet(pods), pods]));
  return [...sets.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pods]) => selectorRegion(grants, pods));
}

/** What the grants allow on a set of pods. */
export function selectorRegion(grants: readonly PodGrant[], pods: PodSet): SelectorRegion {
  const covering = grants.filter((grant) => isNarrowerPodSet(pods, grant.pods));
  return {
    text: formatPodSet(pods),
    pods,
    table: portTable(
      covering.flatMap(({ permissions }) => permissions),
      POLICY_PROTOCOLS,
      anyGrantAllows,
    ),
    namedPorts: covering.flatMap(({ namedPorts }) => namedPorts),
  };
}

/** The region of a pod that no policy isolates. */
export function everyPodAllowed(): SelectorRegion {
  return {
    text: formatPodSet(EVERY_POD),
    pods: EVERY_POD,
    table: uniformTable("allow", POLICY_PROTOCOLS),
    namedPorts: [],
  };
}

/** Whether a grant allows some of the ports; a named port may be any number. */
export function mayAllow({ permissions, namedPorts }: PodGrant, asked: PortQuestion): boolean {
  return permitsSome(permissions, asked) || namedPorts.some(({ protocol }) => asked.protocols.includes(protocol));
}

/**
 * The grants that may allow some of the ports at addresses that the analysis was not given: none with an inventory. The
 * AWS controller takes a rule without `to` for blocks and ignores its named ports.
 */
export function unplacedGrants(
  { inventory, semantics, podGrants }: Pick<EgressAnalysis, "inventory" | "semantics" | "podGrants">,
  asked: PortQuestion,
): PodGrant[] {
  return inventory === undefined
    ? podGrants.filter(
        (grant) => (grant.peer !== undefined || semantics.name === "kubernetes") && mayAllow(grant, asked),
      )
    : [];
}

function namedPorts(
  rule: EgressRule,
  place: { readonly policy: number; readonly rule: number; readonly peer: number | undefined },
): NamedPortGrant[] {
  return (rule.ports ?? []).flatMap(({ protocol, name }, port) =>
    name === undefined ? [] : [{ protocol, name, grant: { ...place, port } }],
  );
}

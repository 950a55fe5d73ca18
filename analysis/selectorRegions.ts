import type { EgressRule, NetworkPolicy } from "./networkPolicy.ts";
import type { EgressAnalysis, Partition, SelectorRegion } from "./normalForm.ts";
import { anyGrantAllows, type PortGrant, type PortQuestion, type PortTable, permitsSome, portTable } from "./ports.ts";
import { EVERY_PORT, POLICY_PROTOCOLS } from "./protocol.ts";
import { EVERY_POD, formatPodSet, isNarrowerPodSet, namespaceNamed, type PodSet } from "./reach/podSets.ts";
import type { NamedPortGrant, PodGrant } from "./terms.ts";
import { numericPermissions, type RulePlace, rulePeers } from "./terms.ts";
import { slotKey, slotVerdict } from "./vpcCniSlots.ts";

/** The peers of the applying policies that are given by labels; a rule without `to` reaches every pod. */
export function podGrants(policies: readonly NetworkPolicy[], applying: readonly number[]): PodGrant[] {
  return rulePeers(policies, applying).flatMap(({ place, namespace, rule, peer }): PodGrant[] => {
    const own = { place, permissions: numericPermissions(rule, place), namedPorts: namedPorts(rule, place) };
    if (peer === undefined) {
      return [{ ...own, pods: EVERY_POD }];
    }
    if (peer.kind === "ipBlock") {
      return [];
    }
    const { podSelector, namespaceSelector = namespaceNamed(namespace) } = peer;
    return [{ ...own, pods: { podSelector, namespaceSelector } }];
  });
}

/**
 * The same as the AWS controller and agent see them. A rule without `to` is a block to them, which reaches every pod where
 * every address has its ports; its port names are dropped. Agents up to 1.2.3 open the ports of the whole family's block on
 * every pod that has an entry.
 */
export function vpcCniPodGrants(
  grants: readonly PodGrant[],
  { cells }: Partition,
  ofEveryHost: readonly PortGrant[],
  isLeaking: boolean,
): PodGrant[] {
  const tables = [...new Set(cells.map(({ table }) => table))];
  const isEverywhere = ({ protocol, range }: PortGrant) =>
    tables.every(({ spans }) =>
      (protocol === "any" ? POLICY_PROTOCOLS : [protocol]).every((each) =>
        (spans[each] ?? []).every(({ from, to, verdict }) => verdict === "allow" || to < range.from || range.to < from),
      ),
    );
  return grants.map((grant) =>
    grant.place?.peer === undefined
      ? { ...grant, permissions: grant.permissions.filter(isEverywhere), namedPorts: [] }
      : isLeaking
        ? { ...grant, permissions: [...grant.permissions, ...ofEveryHost] }
        : grant,
  );
}

/** One region for each set of pods that a rule names, with what all rules that cover the set allow together. */
export function selectorRegions(analysis: PodRules): SelectorRegion[] {
  const named = analysis.podGrants.filter(({ permissions, namedPorts }) => permissions.length + namedPorts.length > 0);
  const sets = new Map(named.map(({ pods }) => [formatPodSet(pods), pods]));
  return [...sets.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pods]) => selectorRegion(analysis, pods));
}

/** What of an analysis decides about pods by label. */
export type PodRules = Pick<EgressAnalysis, "podGrants" | "semantics" | "ofEveryHost">;

/** What the grants allow on a set of pods. */
export function selectorRegion(rules: PodRules, pods: PodSet): SelectorRegion {
  const covering = rules.podGrants.filter((grant) => isNarrowerPodSet(pods, grant.pods));
  const namedPorts = covering.flatMap((grant) => grant.namedPorts);
  return { text: formatPodSet(pods), pods, table: podTable(rules, covering), namedPorts };
}

/**
 * What some grants allow on pods that all of them name. Under `vpc-cni` a pod's entry has as many slots as any, so that
 * some of too many ports are lost at random.
 */
export function podTable(
  { semantics, ofEveryHost }: Pick<EgressAnalysis, "semantics" | "ofEveryHost">,
  grants: readonly PodGrant[],
): PortTable {
  const permissions = grants.flatMap((grant) => grant.permissions);
  if (semantics.name === "kubernetes") {
    return portTable(permissions, POLICY_PROTOCOLS, anyGrantAllows);
  }
  const items = distinctItems([...permissions, ...ofEveryHost]);
  // A named port takes a slot, too, once a pod gives it a number.
  const named = grants.flatMap(({ namedPorts }) => namedPorts.map(({ protocol, name }) => `${protocol} ${name}`));
  const names = new Set(named).size;
  return portTable(distinctItems(permissions), POLICY_PROTOCOLS, (matching) => slotVerdict({ items }, matching, names));
}

/** Equal items take one slot. */
function distinctItems(permissions: readonly PortGrant[]): PortGrant[] {
  const items = new Map<string, PortGrant>();
  for (const item of permissions) {
    const known = items.get(slotKey(item));
    items.set(slotKey(item), known === undefined ? item : { ...known, grants: [...known.grants, ...item.grants] });
  }
  return [...items.values()];
}

/** What a pod that no policy isolates may reach by label. */
export const EVERYTHING_BY_LABEL: PodGrant = {
  place: undefined,
  pods: EVERY_POD,
  permissions: [{ protocol: "any", range: EVERY_PORT, grants: [] }],
  namedPorts: [],
};

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
        (grant) => (grant.place?.peer !== undefined || semantics.name === "kubernetes") && mayAllow(grant, asked),
      )
    : [];
}

function namedPorts({ ports = [] }: EgressRule, place: RulePlace): NamedPortGrant[] {
  return ports.flatMap(({ protocol, name }, port) =>
    name === undefined ? [] : [{ protocol, name, grant: { ...place, port } }],
  );
}

import type { AddressFamily } from "../../analysis/address.ts";
import { contains } from "../../analysis/cidr.ts";
import type { EgressAnalysis } from "../../analysis/compile.ts";
import { backendsOf, type Inventory, namedPort, type Pod, targetNumber } from "../../analysis/inventory.ts";
import type { EgressRule, NetworkPolicy, PolicyPort, SelectorPeer } from "../../analysis/networkPolicy.ts";
import type { Point } from "../../analysis/point.ts";
import { formatReference, formatRulePorts, referenceTo } from "../../analysis/reference.ts";
import { matchingPods, type RulePlace } from "../../analysis/terms.ts";
import { declaredTcpPorts, isReady, type Snapshot } from "./snapshot.ts";
import type { Candidate, Uncovered } from "./targets.ts";
import { type NamedTarget, probeKindOf, UNTRIABLE } from "./targetsFile.ts";

interface Input {
  readonly specified: EgressAnalysis;
  readonly snapshot: Pick<Snapshot, "inventory" | "pods">;
  readonly named: readonly NamedTarget[];
}

/** What the policy's rules allow: a live destination for each, or what is missing. */
export interface Required {
  readonly candidates: readonly Candidate[];
  readonly uncovered: readonly Uncovered[];
}

/**
 * For each peer given by labels a running pod and the Services that lead to it, on each port of the rule; for a rule with
 * address blocks the named targets inside them, because nothing in a cluster tells who listens there.
 */
export function requiredCandidates(input: Input): Required {
  const candidates: Candidate[] = [];
  const uncovered: Uncovered[] = [];
  for (const policyIndex of input.specified.applying) {
    const policy = input.specified.policies[policyIndex] as NetworkPolicy;
    for (const [index, rule] of policy.egress.entries()) {
      const place = { policy: policyIndex, rule: index, peer: undefined };
      for (const [peerIndex, peer] of (rule.to ?? []).entries()) {
        if (peer.kind === "pods") {
          const found = podDestinations(input, policy, rule, peer, { ...place, peer: peerIndex });
          candidates.push(...found.candidates);
          uncovered.push(...found.uncovered);
        }
      }
      if (rule.to === undefined || rule.to.some(({ kind }) => kind === "ipBlock")) {
        uncovered.push(...uncoveredBlocks(input, rule, place));
      }
    }
  }
  return { candidates, uncovered };
}

/** The pod that stands for those of a peer: one that is ready and not on the host's network, the first by name. */
export function representative(
  peer: SelectorPeer,
  namespace: string,
  { inventory, pods }: Pick<Snapshot, "inventory" | "pods">,
): Pod | undefined {
  const ready = new Set(
    pods.filter(isReady).map(({ metadata }) => `${metadata.namespace ?? "default"}/${metadata.name}`),
  );
  return matchingPods(peer, namespace, inventory)
    .filter((pod) => !pod.hostNetwork && pod.addresses.length > 0 && ready.has(`${pod.namespace}/${pod.name}`))
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))[0];
}

function podDestinations(
  { specified, snapshot }: Input,
  policy: NetworkPolicy,
  rule: EgressRule,
  peer: SelectorPeer,
  place: RulePlace,
): Required {
  const what = formatReference(referenceTo(specified, place));
  const pod = representative(peer, policy.namespace, snapshot);
  if (pod === undefined) {
    const why = "no running pod has these labels; start it, or correct the labels in the policy";
    return { candidates: [], uncovered: [{ what, why, isRequired: true }] };
  }
  const candidates: Candidate[] = [];
  const uncovered: Uncovered[] = [];
  for (const port of rule.ports ?? declaredPorts(pod, snapshot)) {
    const number = port.name === undefined ? port.range.from : namedPort(pod, port.protocol, port.name);
    if (number === undefined) {
      const why = `pod ${pod.namespace}/${pod.name} names no container port ${port.name}`;
      uncovered.push({ what, why, isRequired: true });
    } else if (probeKindOf({ protocol: port.protocol, port: number }) === undefined) {
      uncovered.push({ what: `${what}, ${port.protocol} ${number}`, why: UNTRIABLE, isRequired: false });
    } else {
      for (const address of pod.addresses) {
        const point: Point = { address, protocol: port.protocol, port: number };
        candidates.push({ name: `pod ${pod.namespace}/${pod.name}`, point });
        candidates.push(...serviceDestinations(snapshot.inventory, pod, port, number, address.family));
      }
    }
  }
  return { candidates, uncovered };
}

/** A rule without ports allows all of them; the ones to try are those where the pod says that it listens. */
function declaredPorts(pod: Pod, { pods }: Pick<Snapshot, "pods">): PolicyPort[] {
  return declaredTcpPorts(pod, pods).map((port) => ({ protocol: "TCP", range: { from: port, to: port } }));
}

function serviceDestinations(
  inventory: Inventory,
  pod: Pod,
  { protocol }: PolicyPort,
  port: number,
  family: AddressFamily,
): Candidate[] {
  return inventory.services
    .filter((service) => backendsOf(service, inventory).some((backend) => backend === pod))
    .flatMap(({ namespace, name, clusterIps, ports }) =>
      ports
        .filter((candidate) => candidate.protocol === protocol && targetNumber(candidate, pod) === port)
        .flatMap((candidate) =>
          clusterIps
            .filter((address) => address.family === family)
            .map((address) => ({
              name: `Service ${namespace}/${name}`,
              point: { address, protocol, port: candidate.port },
            })),
        ),
    );
}

/** What no named target proves of a rule with address blocks: the port entries without one, or the whole rule. */
function uncoveredBlocks({ specified, named }: Input, rule: EgressRule, place: RulePlace): Uncovered[] {
  const blocks = (rule.to ?? []).flatMap((peer) => (peer.kind === "ipBlock" ? [peer] : []));
  const inside = named.filter(
    ({ point: { address } }) =>
      rule.to === undefined ||
      blocks.some(({ cidr, excepts }) => {
        const at = { family: address.family, first: address.value, last: address.value };
        return contains(cidr, at) && !excepts.some((except) => contains(except, at));
      }),
  );
  const what = (port: PolicyPort | undefined) =>
    `${formatReference(referenceTo(specified, blockPlace(rule, place)))}, ${formatRulePorts({
      to: undefined,
      ports: port === undefined ? undefined : [port],
    })}`;
  return (rule.ports ?? [undefined])
    .filter((port) => !inside.some(({ point }) => port === undefined || onPort(port, point)))
    .map((port) =>
      port === undefined || canBeTried(port)
        ? {
            what: what(port),
            why: "no listener is known in these blocks; name one in the targets file",
            isRequired: true,
          }
        : { what: what(port), why: UNTRIABLE, isRequired: false },
    );
}

function canBeTried({ protocol, range }: PolicyPort): boolean {
  return range !== undefined && probeKindOf({ protocol, port: range.from }) !== undefined;
}

/** The first block stands for the rule, whose blocks are alternatives: a database lives in one of its subnets. */
function blockPlace(rule: EgressRule, place: RulePlace): RulePlace {
  const peer = (rule.to ?? []).findIndex(({ kind }) => kind === "ipBlock");
  return { ...place, peer: peer < 0 ? undefined : peer };
}

function onPort({ protocol, range }: PolicyPort, point: Point): boolean {
  return protocol === point.protocol && range !== undefined && range.from <= point.port && point.port <= range.to;
}

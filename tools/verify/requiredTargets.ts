import { contains, hostOf } from "../../analysis/cidr.ts";
import { backendsOf, namedPort, type Pod, targetNumber } from "../../analysis/inventory.ts";
import { type EgressRule, formatRulePorts, type PolicyPort, type SelectorPeer } from "../../analysis/networkPolicy.ts";
import type { EgressAnalysis, Point } from "../../analysis/normalForm.ts";
import { formatReference, referenceTo } from "../../analysis/reference.ts";
import { matchingPods, type RulePlace, rulePeers } from "../../analysis/terms.ts";
import { declaredTcpPorts, readyPods, type Snapshot } from "./snapshot.ts";
import type { Candidate, Uncovered } from "./targets.ts";
import { type NamedTarget, probeKindOf, UNTRIABLE } from "./targetsFile.ts";

interface Input {
  readonly specified: EgressAnalysis;
  readonly snapshot: Pick<Snapshot, "inventory" | "pods">;
  readonly named: readonly NamedTarget[];
}

/** What the policy's rules allow: a live destination for each, or what is missing. */
interface Required {
  readonly candidates: readonly Candidate[];
  readonly uncovered: readonly Uncovered[];
}

/**
 * For each peer given by labels a running pod and the Services that lead to it, on each port of the rule; for a rule with
 * address blocks the named targets inside them, because nothing in a cluster tells who listens there.
 */
export function requiredCandidates(input: Input): Required {
  const { policies, applying } = input.specified;
  const withBlocks = new Set<EgressRule>();
  const found = rulePeers(policies, applying).map(({ place, namespace, rule, peer }): Required => {
    if (peer?.kind === "pods") {
      return podDestinations(input, rule, representative(peer, namespace, input.snapshot), place);
    }
    // The first block stands for the rule, whose blocks are alternatives: a database lives in one of its subnets.
    const isKnown = withBlocks.has(rule);
    withBlocks.add(rule);
    return { candidates: [], uncovered: isKnown ? [] : uncoveredBlocks(input, rule, place) };
  });
  return {
    candidates: found.flatMap(({ candidates }) => candidates),
    uncovered: found.flatMap(({ uncovered }) => uncovered),
  };
}

/** The pod that stands for those of a peer: one that is ready and not on the host's network, the first by name. */
export function representative(
  peer: SelectorPeer,
  namespace: string,
  snapshot: Pick<Snapshot, "inventory" | "pods">,
): Pod | undefined {
  const ready = readyPods(snapshot);
  return matchingPods(peer, namespace, snapshot.inventory).find((pod) => ready.has(pod) && pod.addresses.length > 0);
}

function podDestinations(
  { specified, snapshot: { inventory } }: Input,
  rule: EgressRule,
  pod: Pod | undefined,
  place: RulePlace,
): Required {
  const what = formatReference(referenceTo(specified, place));
  if (pod === undefined) {
    const why = "no running pod has these labels; start it, or correct the labels in the policy";
    return { candidates: [], uncovered: [{ what, why, isRequired: true }] };
  }
  const podName = `pod ${pod.namespace}/${pod.name}`;
  const candidates: Candidate[] = [];
  const uncovered: Uncovered[] = [];
  // A rule without ports allows all of them; the ones to try are those where the pod says that it listens.
  const declared = declaredTcpPorts(pod).map(
    (port): PolicyPort => ({ protocol: "TCP", range: { from: port, to: port } }),
  );
  for (const { protocol, name, range } of rule.ports ?? declared) {
    const port = range === undefined ? namedPort(pod, protocol, name) : range.from;
    if (port === undefined) {
      uncovered.push({ what, why: `${podName} names no container port ${name}`, isRequired: true });
    } else if (probeKindOf({ protocol, port }) === undefined) {
      uncovered.push({ what: `${what}, ${protocol} ${port}`, why: UNTRIABLE, isRequired: false });
    } else {
      const services = inventory.services.filter((service) => backendsOf(service, inventory).includes(pod));
      for (const address of pod.addresses) {
        candidates.push({ name: podName, point: { address, protocol, port } });
        for (const { namespace, name, clusterIps, ports } of services) {
          const leading = ports.filter((each) => each.protocol === protocol && targetNumber(each, pod) === port);
          const own = clusterIps.filter(({ family }) => family === address.family);
          candidates.push(
            ...leading.flatMap(({ port }) =>
              own.map((ip) => ({ name: `Service ${namespace}/${name}`, point: { address: ip, protocol, port } })),
            ),
          );
        }
      }
    }
  }
  return { candidates, uncovered };
}

/** What no named target proves of a rule with address blocks: the port entries without one, or the whole rule. */
function uncoveredBlocks({ specified, named }: Input, rule: EgressRule, place: RulePlace): Uncovered[] {
  const inside = named.filter(({ point: { address } }) => {
    const at = hostOf(address);
    return (
      rule.to?.some(
        (peer) =>
          peer.kind === "ipBlock" && contains(peer.cidr, at) && !peer.excepts.some((except) => contains(except, at)),
      ) ?? true
    );
  });
  const where = formatReference(referenceTo(specified, place));
  return (rule.ports ?? [undefined])
    .filter((port) => !inside.some(({ point }) => port === undefined || onPort(port, point)))
    .map((port) => {
      const what = `${where}, ${formatRulePorts({ to: undefined, ports: port && [port] })}`;
      return port === undefined || canBeTried(port)
        ? { what, why: "no listener is known in these blocks; name one in the targets file", isRequired: true }
        : { what, why: UNTRIABLE, isRequired: false };
    });
}

function canBeTried({ protocol, range }: PolicyPort): boolean {
  return range !== undefined && probeKindOf({ protocol, port: range.from }) !== undefined;
}

function onPort({ protocol, range }: PolicyPort, point: Point): boolean {
  return protocol === point.protocol && range !== undefined && range.from <= point.port && point.port <= range.to;
}

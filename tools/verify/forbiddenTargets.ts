import { parseAddress } from "../../analysis/address.ts";
import type { Pod } from "../../analysis/inventory.ts";
import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { appliesTo } from "../../analysis/networkPolicy.ts";
import { type Point, parsePoint } from "../../analysis/point.ts";
import { matchingPods } from "../../analysis/terms.ts";
import { type Analyses, apiServerPoints, expectationOf } from "./expectation.ts";
import { representative } from "./requiredTargets.ts";
import { declaredTcpPorts, isNodeAddress, isReady, nodeAddresses, type Snapshot } from "./snapshot.ts";
import type { Candidate } from "./targets.ts";

/** Services that hand out credentials at the same address in every AWS cluster (EC2 and EKS user guides, 2026-07). */
const CREDENTIAL_SERVICES: readonly Candidate[] = [
  { name: "EC2 instance metadata", point: parsePoint("169.254.169.254:80/tcp") },
  { name: "EC2 instance metadata", point: parsePoint("[fd00:ec2::254]:80/tcp") },
  { name: "EKS Pod Identity credentials", point: parsePoint("169.254.170.23:80/tcp") },
  { name: "EKS Pod Identity credentials", point: parsePoint("[fd00:ec2::23]:80/tcp") },
];

interface Input extends Analyses {
  readonly snapshot: Snapshot;
}

/**
 * What nobody should reach: the services that hand out credentials, the API server as Service and as the hosts of the
 * network that it is (which surely listen), each allowed pod on a port that is not allowed, and a pod that no rule names.
 * A pod answers on every port, if only with a refusal, so its denial can be proved wherever it listens.
 */
export function forbiddenCandidates(input: Input): Candidate[] {
  return [...CREDENTIAL_SERVICES, ...apiServer(input.snapshot), ...neighbours(input), ...strangers(input)];
}

function apiServer({ apiServer, pods }: Snapshot): Candidate[] {
  const nodes = nodeAddresses(pods);
  const hosts = apiServerPoints(apiServer.endpoints);
  // Where the control plane runs on the nodes, what reaches it is a matter of traffic to nodes.
  if (hosts.length === 0 || hosts.some(({ address }) => isNodeAddress(nodes, address))) {
    return [];
  }
  const service = parseAddress(apiServer.service?.spec.clusterIP ?? "");
  const port = apiServer.service?.spec.ports?.[0]?.port;
  return [
    ...(service === undefined || port === undefined
      ? []
      : [{ name: "Service default/kubernetes", point: { address: service, protocol: "TCP" as const, port } }]),
    ...hosts.slice(0, 1).map((point) => ({ name: "API server, a host of the network", point })),
  ];
}

/** For each peer given by labels its pod again, on a port where the rules end. */
function neighbours(input: Input): Candidate[] {
  const { specified, snapshot } = input;
  const found: Candidate[] = [];
  for (const index of specified.applying) {
    const policy = specified.policies[index] as NetworkPolicy;
    for (const rule of policy.egress) {
      const ports = (rule.ports ?? []).flatMap(({ protocol, range }) =>
        protocol === "TCP" && range !== undefined ? [range.to] : [],
      );
      for (const peer of rule.to ?? []) {
        const pod = peer.kind === "pods" ? representative(peer, policy.namespace, snapshot) : undefined;
        if (pod !== undefined) {
          const others = [...declaredTcpPorts(pod, snapshot.pods), ...ports.map((port) => port + 1)];
          found.push(...firstDenied(input, pod, others, "on another port"));
        }
      }
    }
  }
  return found;
}

/** A pod that is neither a runner nor a peer, preferably one that says where it listens. */
function strangers(input: Input): Candidate[] {
  const { specified, snapshot } = input;
  const ready = new Set(snapshot.pods.filter(isReady).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  const policies = specified.applying.map((index) => specified.policies[index] as NetworkPolicy);
  const peers = new Set(
    policies.flatMap(({ egress, namespace }) =>
      egress.flatMap(({ to }) =>
        (to ?? []).flatMap((peer) => (peer.kind === "pods" ? matchingPods(peer, namespace, snapshot.inventory) : [])),
      ),
    ),
  );
  const others = snapshot.inventory.pods.filter(
    (pod) =>
      ready.has(`${pod.namespace}/${pod.name}`) &&
      !pod.hostNetwork &&
      !peers.has(pod) &&
      !policies.some((policy) => appliesTo(policy, pod)),
  );
  const listening = others.find((pod) => declaredTcpPorts(pod, snapshot.pods).length > 0) ?? others[0];
  return listening === undefined
    ? []
    : firstDenied(input, listening, [...declaredTcpPorts(listening, snapshot.pods), 80], "which no rule names");
}

function firstDenied(input: Input, pod: Pod, ports: readonly number[], how: string): Candidate[] {
  return pod.addresses.flatMap((address) => {
    const points = ports
      .filter((port) => port <= 65535)
      .map((port): Point => ({ address, protocol: "TCP", port }))
      .filter((point) => expectationOf(input, input.snapshot, point).expected === "deny");
    return points.slice(0, 1).map((point) => ({ name: `pod ${pod.namespace}/${pod.name}, ${how}`, point }));
  });
}

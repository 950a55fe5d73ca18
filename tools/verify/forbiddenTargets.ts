import { parseAddress } from "../../analysis/address.ts";
import type { Pod } from "../../analysis/inventory.ts";
import { appliesTo, type NetworkPolicy } from "../../analysis/networkPolicy.ts";
import type { Point } from "../../analysis/normalForm.ts";
import { parsePoint } from "../../analysis/point.ts";
import { matchingPods, rulePeers } from "../../analysis/terms.ts";
import { type Analyses, apiServerPoints, expectationOf } from "./expectation.ts";
import { representative } from "./requiredTargets.ts";
import { declaredTcpPorts, isNodeAddress, readyPods, type Snapshot } from "./snapshot.ts";
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
  const hosts = apiServerPoints(apiServer.endpoints);
  // Where the control plane runs on the nodes, what reaches it is a matter of traffic to nodes.
  if (hosts.length === 0 || hosts.some(({ address }) => isNodeAddress(pods, address))) {
    return [];
  }
  const address = parseAddress(apiServer.service?.spec.clusterIP ?? "");
  const port = apiServer.service?.spec.ports?.[0]?.port;
  return [
    ...(address === undefined || port === undefined
      ? []
      : [{ name: "Service default/kubernetes", point: { address, protocol: "TCP" as const, port } }]),
    ...hosts.slice(0, 1).map((point) => ({ name: "API server, a host of the network", point })),
  ];
}

/** For each peer given by labels its pod again, on a port where the rules end. */
function neighbours(input: Input): Candidate[] {
  const { policies, applying } = input.specified;
  return rulePeers(policies, applying).flatMap(({ namespace, rule, peer }) => {
    const pod = peer?.kind === "pods" ? representative(peer, namespace, input.snapshot) : undefined;
    const ends = (rule.ports ?? []).flatMap(({ protocol, range }) =>
      protocol === "TCP" && range !== undefined ? [range.to + 1] : [],
    );
    return pod === undefined ? [] : firstDenied(input, pod, [...declaredTcpPorts(pod), ...ends], "on another port");
  });
}

/** A pod that is neither a runner nor a peer, preferably one that says where it listens. */
function strangers(input: Input): Candidate[] {
  const { policies, applying } = input.specified;
  const { inventory } = input.snapshot;
  const peers = new Set(
    rulePeers(policies, applying).flatMap(({ peer, namespace }) =>
      peer?.kind === "pods" ? matchingPods(peer, namespace, inventory) : [],
    ),
  );
  const others = [...readyPods(input.snapshot)].filter(
    (pod) => !peers.has(pod) && !applying.some((index) => appliesTo(policies[index] as NetworkPolicy, pod)),
  );
  const listening = others.find((pod) => declaredTcpPorts(pod).length > 0) ?? others[0];
  return listening === undefined
    ? []
    : firstDenied(input, listening, [...declaredTcpPorts(listening), 80], "which no rule names");
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

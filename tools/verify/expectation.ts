import { type Address, formatAddress, parseAddress } from "../../analysis/address.ts";
import type { EgressAnalysis } from "../../analysis/compile.ts";
import { explain } from "../../analysis/explain.ts";
import type { Inventory } from "../../analysis/inventory.ts";
import { backendsOf, targetNumber } from "../../analysis/inventory.ts";
import { formatPoint, type Point, verdict } from "../../analysis/point.ts";
import type { Verdict } from "../../analysis/verdict.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the analysis says about a destination. */
export interface Expectation {
  readonly expected: Verdict;
  readonly why: string;
  /** What Kubernetes specifies, where that differs. */
  readonly specified?: Verdict;
}

/** The policy under both readings: the one that the cluster's enforcer has, and Kubernetes' own. */
export interface Analyses {
  readonly enforced: EgressAnalysis;
  readonly specified: EgressAnalysis;
}

/** Says what to expect of a destination, and why. */
export function expectationOf(analyses: Analyses, snapshot: Pick<Snapshot, "inventory" | "apiServer">, point: Point) {
  const here = judge(analyses.enforced, snapshot, point);
  const specified = judge(analyses.specified, snapshot, point).expected;
  const expectation: Expectation = { ...here, ...(specified !== here.expected && { specified }) };
  return expectation;
}

function judge(analysis: EgressAnalysis, snapshot: Pick<Snapshot, "inventory" | "apiServer">, point: Point) {
  const backends = analysis.semantics.name === "kubernetes" ? backendsAt(snapshot, point) : undefined;
  if (backends === undefined) {
    return { expected: verdict(analysis, point), why: explain(analysis, point).text };
  }
  const explanations = backends.map((backend) => explain(analysis, backend));
  const verdicts = new Set(explanations.map(({ verdict }) => verdict));
  const [first] = explanations;
  if (first === undefined) {
    // Nobody is behind the Service, so nothing decides; its own address is as good as any.
    return { expected: verdict(analysis, point), why: `${formatPoint(point)} is a Service without a running pod.` };
  }
  return verdicts.size === 1
    ? { expected: first.verdict, why: `The Service leads to ${formatPoint(first.point)}. ${first.text}` }
    : { expected: "order-dependent" as const, why: "The Service leads to pods with different verdicts." };
}

/**
 * Where a Service's own address leads: Kubernetes judges a packet where it arrives, the AWS agent before it is
 * redirected. `undefined` for an address that is no Service's.
 */
function backendsAt({ inventory, apiServer }: Pick<Snapshot, "inventory" | "apiServer">, point: Point) {
  const server = apiServer.service?.spec;
  if (server?.clusterIP !== undefined && isAddress(server.clusterIP, point.address)) {
    return apiServerPoints(apiServer.endpoints);
  }
  return serviceBackends(inventory, point);
}

/** The API server's own addresses. */
export function apiServerPoints(endpoints: Snapshot["apiServer"]["endpoints"]): Point[] {
  const port = endpoints?.ports?.[0]?.port;
  return (endpoints?.endpoints ?? []).flatMap(({ addresses }) =>
    addresses.flatMap((text) => {
      const address = parseAddress(text);
      return address === undefined || port === undefined ? [] : [{ address, protocol: "TCP" as const, port }];
    }),
  );
}

function serviceBackends(inventory: Inventory, { address, protocol, port }: Point): Point[] | undefined {
  const text = formatAddress(address);
  const service = inventory.services.find(({ clusterIps }) => clusterIps.some((ip) => formatAddress(ip) === text));
  const servicePort = service?.ports.find((candidate) => candidate.port === port && candidate.protocol === protocol);
  if (service === undefined || servicePort === undefined) {
    return undefined;
  }
  return backendsOf(service, inventory).flatMap((pod) => {
    const target = targetNumber(servicePort, pod);
    return target === undefined
      ? []
      : pod.addresses
          .filter(({ family }) => family === address.family)
          .map((backend) => ({ address: backend, protocol, port: target }));
  });
}

function isAddress(text: string, address: Address): boolean {
  return text === formatAddress(address);
}

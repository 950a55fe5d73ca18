import { formatAddress, parseAddress } from "../../analysis/address.ts";
import { explain } from "../../analysis/explain.ts";
import type { EgressAnalysis, Point } from "../../analysis/normalForm.ts";
import { verdict } from "../../analysis/point.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Target } from "./targets.ts";

/** The policy under both readings: the one that the cluster's enforcer has, and Kubernetes' own. */
export interface Analyses {
  readonly enforced: EgressAnalysis;
  readonly specified: EgressAnalysis;
}

type Expectation = Pick<Target, "expected" | "why" | "specified">;

/** Says what to expect of a destination, and why. */
export function expectationOf(
  analyses: Analyses,
  { apiServer }: Pick<Snapshot, "apiServer">,
  point: Point,
): Expectation {
  const here = judge(analyses.enforced, apiServer, point);
  const specified = judge(analyses.specified, apiServer, point).expected;
  return { ...here, ...(specified !== here.expected && { specified }) };
}

/** The inventory tells where Services lead; to the API server's own, which has no selector, only its EndpointSlice does. */
function judge(analysis: EgressAnalysis, apiServer: Snapshot["apiServer"], point: Point) {
  const isApiServer = apiServer.service?.spec.clusterIP === formatAddress(point.address);
  const hosts = analysis.semantics.name === "kubernetes" && isApiServer ? apiServerPoints(apiServer.endpoints) : [];
  const [first] = hosts;
  if (first === undefined) {
    return { expected: verdict(analysis, point), why: explain(analysis, point).text };
  }
  const verdicts = new Set(hosts.map((host) => verdict(analysis, host)));
  return verdicts.size === 1
    ? {
        expected: verdict(analysis, first),
        why: `The Service leads to the API server. ${explain(analysis, first).text}`,
      }
    : { expected: "order-dependent" as const, why: "The Service leads to hosts with different verdicts." };
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

import { allowedBeyond, within } from "./boxes.ts";
import { credentialEndpoints } from "./concern.ts";
import { allowing, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, type Finding, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { inconclusive, reaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

const FIX =
  "add the endpoint's block (169.254.0.0/16, fc00::/7, behind NAT64 64:ff9b::a9fe:0/112) to the except of the rule named " +
  "here, or remove the rule; if the runners use EKS Pod Identity, declare 169.254.170.23/32 on 80/TCP as a destination.";

/**
 * Guardrail 1: the endpoints that hand out credentials are unreachable on every port, the metadata service whatever is
 * declared, EKS Pod Identity unless it is.
 */
export function metadataEndpoints(situation: Situation): Violation[] {
  const { runners, plan } = situation;
  const findings = runners.flatMap((runner) =>
    reaches(situation, plan, runner).flatMap((reach) => endpointFindings(situation, reach)),
  );
  return [...violationsOf("metadata-endpoints", findings, FIX), ...inconclusive("metadata-endpoints", plan, runners)];
}

/** What one reach opens. */
export function endpointFindings({ declaration, names }: Situation, reach: Reach): Finding[] {
  const { cluster, destinations } = declaration;
  const nothing = allowing([]);
  const declared = allowing(destinations.map(destinationRule));
  const open = credentialEndpoints(cluster.ipFamily)
    .filter(({ cidr }) => reach.semantics.name === "kubernetes" || cidr.family === cluster.ipFamily)
    .flatMap(({ cidr, declarable }) => within(allowedBeyond(declarable ? declared : nothing, reach.analysis), [cidr]));
  return addressFindings(reach, open, { heading: "Open", names, port: 80 });
}

import type { ChangeBox } from "../analysis/boxes.ts";
import { formatCidr } from "../analysis/index.ts";
import { allowedBeyond, isCovered, within } from "./boxes.ts";
import { type CredentialEndpoint, credentialEndpoints } from "./concern.ts";
import type { Declaration } from "./declaration.ts";
import { allowing, destinationRule } from "./declaredPolicies.ts";
import { addressFindings, foundFirst, violationsOf } from "./finding.ts";
import type { Reach } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { reaches, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

/** What to do about an endpoint that is open, by the address that a runner would declare. */
function fixOf(declaration: Declaration): string {
  const { cidr } = credentialEndpoints(declaration.cluster.ipFamily).find(
    ({ cidr, declarable }) => declarable && cidr.family === declaration.cluster.ipFamily,
  ) as CredentialEndpoint;
  return (
    "add the endpoint's block (169.254.0.0/16, fc00::/7, behind NAT64 64:ff9b::a9fe:0/112) to the except of the rule named " +
    "here, or remove the rule; if it is that of EKS Pod Identity and the runners use it, add " +
    `"pod-identity": {"cidrs": ["${formatCidr(cidr)}"], "ports": ["80/TCP"]} to ${memberIn(declaration, "destinations.cidrs")}.`
  );
}

/**
 * Guardrail 1: the endpoints that hand out credentials are unreachable on every port, the metadata service whatever is
 * declared, EKS Pod Identity unless it is.
 */
export function metadataEndpoints(situation: Situation): Violation[] {
  const { declaration, names } = situation;
  const found = foundFirst(reaches(situation), (reach) => openEndpoints(declaration, reach), isCovered);
  const text = { heading: "Open", names, port: 80, fix: () => fixOf(declaration) };
  return violationsOf(
    "metadata-endpoints",
    found.flatMap(([reach, boxes]) => addressFindings(reach, boxes, text)),
  );
}

/** Credential endpoints that a reach opens. */
function openEndpoints({ cluster, destinations }: Declaration, reach: Reach): ChangeBox[] {
  const nothing = allowing([]);
  const declared = allowing(destinations.map(destinationRule));
  return credentialEndpoints(cluster.ipFamily)
    .filter(({ cidr }) => reach.semantics.name === "kubernetes" || cidr.family === cluster.ipFamily)
    .flatMap(({ cidr, declarable }) => within(allowedBeyond(declarable ? declared : nothing, reach.analysis), [cidr]));
}

import { contains, credentialEndpoints, type Explanation, formatCidr, type ReachBox } from "../analysis/index.ts";
import { addressFindings, foundFirst, objectionsOf } from "./finding.ts";
import type { RunnerReach } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { exceptingEdit, triedEdit } from "./repairs.ts";
import { reaches, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";
import { openEndpoints } from "./wrongReach.ts";

/**
 * Guardrail 1: the endpoints that hand out credentials are unreachable on every port, the metadata service whatever is
 * declared, EKS Pod Identity unless it is.
 */
export function metadataEndpoints(situation: Situation): Objection[] {
  const { declaration, names } = situation;
  const endpoints = credentialEndpoints(declaration.cluster.ipFamily);
  const rank = ({ range }: ReachBox) => endpoints.findIndex(({ cidr }) => contains(cidr, range));
  const found = foundFirst(reaches(situation), (reach) => openEndpoints(declaration, reach));
  return objectionsOf(
    found.flatMap(([reach, { boxes }]) =>
      // The metadata service comes first, whatever its address.
      addressFindings(
        reach,
        [...boxes].sort((a, b) => rank(a) - rank(b)),
        {
          heading: "Open",
          names,
          port: 80,
          fix: (own, why) => fixOf(situation, reach, own, why),
        },
      ),
    ),
  );
}

/** How to close endpoints that a rule opens, and for one that may be declared, how to declare it. */
function fixOf(situation: Situation, reach: RunnerReach, boxes: readonly ReachBox[], why: Explanation): string {
  const { declaration } = situation;
  const edit = exceptingEdit(situation, reach, boxes, why.allowedBy[0]);
  const close = triedEdit(situation, reach, edit) ?? "narrow the block of the rule named here, or remove the rule";
  const declarable = credentialEndpoints(declaration.cluster.ipFamily).find(
    ({ cidr, declarable }) => declarable && boxes.some(({ range }) => contains(range, cidr)),
  );
  return declarable === undefined
    ? `${close}.`
    : `${close}; if the runners use EKS Pod Identity, add "pod-identity": {"cidrs": ["${formatCidr(declarable.cidr)}"], "ports": ["80/TCP"]} to ${memberIn(declaration, "destinations.cidrs")}.`;
}

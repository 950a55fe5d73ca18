import {
  type Explanation,
  formatAddress,
  formatCidr,
  formatPoint,
  type NearestRule,
  type Reference,
  type Semantics,
} from "../../../analysis/index.ts";

/** Values as they are written to JSON: counts are decimal strings, because they exceed what most readers can hold. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

/** Indented JSON with a final newline. */
export function toJsonText(value: Json): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Why a point has its verdict. */
export function explanationJson(explanation: Explanation): Json {
  const {
    point,
    verdict,
    reason,
    text,
    allowedBy,
    exceptedBy,
    entry,
    service,
    nearest,
    unlessPods,
    block,
    endpoint,
    embedded,
  } = explanation;
  return {
    destination: formatPoint(point),
    verdict,
    reason,
    text,
    allowedBy: allowedBy.map(referenceJson),
    exceptedBy: exceptedBy.map(referenceJson),
    entry: entry && formatCidr(entry),
    service: service && { name: service.name, backends: service.backends.map(explanationJson) },
    nearest: nearest && nearestJson(nearest),
    unlessPods,
    block: block && {
      cidr: formatCidr(block.cidr),
      name: block.name,
      reference: block.reference,
      globallyReachable: block.globallyReachable,
    },
    endpoint,
    embedded: embedded && {
      mechanism: embedded.mechanism,
      reference: embedded.reference,
      ipv4: formatAddress(embedded.ipv4),
      verdict: embedded.verdict,
    },
  };
}

function nearestJson({ reference, why }: NearestRule): Json {
  return { ...referenceFields(reference), why };
}

/** A place in a policy. */
export function referenceJson(reference: Reference): Json {
  return referenceFields(reference);
}

function referenceFields({ policy, rule, peer, port, except, path, what, through }: Reference) {
  return { policy, rule, peer, port, except, path, what, through: through && formatCidr(through) };
}

/** How policies were read. */
export function semanticsJson(semantics: Semantics): Json {
  if (semantics.name === "kubernetes") {
    return { name: semantics.name, ipBlockMatchesPods: semantics.ipBlockMatchesPods ?? true };
  }
  const { name, ipFamily, nodeIp, agentVersion } = semantics;
  return { name, ipFamily, nodeIp: nodeIp && formatAddress(nodeIp), agentVersion };
}

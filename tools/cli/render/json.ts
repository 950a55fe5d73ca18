import {
  type Address,
  type AddressRange,
  type DiffCounts,
  type Explanation,
  formatAddress,
  formatCidr,
  formatPoint,
  formatRange,
  type PortRange,
  type Protocol,
  type Reference,
  type Semantics,
} from "../../../analysis/index.ts";

/** Values as they are written to JSON: counts are decimal strings, because they exceed what most readers can hold. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

/** Indented JSON with a final newline. */
export function toJsonText(value: Json): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Counts by name, as decimal strings. */
export function decimals(counts: Readonly<Record<string, bigint>>): Json {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));
}

/** Exact numbers of (address, port) pairs, by family and protocol. */
export function countsJson({ ipv4, ipv6 }: DiffCounts, protocols: readonly Protocol[]): Json {
  const own = (counts: DiffCounts["ipv4"]) =>
    decimals(Object.fromEntries(protocols.map((protocol) => [protocol, counts[protocol] ?? 0n])));
  return { ipv4: own(ipv4), ipv6: own(ipv6) };
}

/** A range of addresses as text and by its ends. */
export function rangeJson(range: AddressRange) {
  const end = (value: Address["value"]) => formatAddress({ family: range.family, value });
  return { range: formatRange(range), first: end(range.first), last: end(range.last) };
}

/** A range of ports, or the name of one. */
export function portsJson(ports: PortRange | string): Json {
  return typeof ports === "string" ? ports : { from: ports.from, to: ports.to };
}

/** Why a point has its verdict. */
export function explanationJson(explanation: Explanation): Json {
  const { point, verdict, reason, text, unlessPods, endpoint } = explanation;
  const { allowedBy, exceptedBy, entry, service, nearest, block, embedded } = explanation;
  return {
    destination: formatPoint(point),
    verdict,
    reason,
    text,
    allowedBy: allowedBy.map(referenceJson),
    exceptedBy: exceptedBy.map(referenceJson),
    entry: entry && formatCidr(entry),
    service: service && { name: service.name, backends: service.backends.map(explanationJson) },
    nearest: nearest && { ...referenceJson(nearest.reference), why: nearest.why },
    unlessPods,
    block: block && {
      cidr: formatCidr(block.cidr),
      name: block.name,
      reference: block.reference,
      globallyReachable: block.globallyReachable,
    },
    endpoint,
    embedded: embedded && { ...embedded, ipv4: formatAddress(embedded.ipv4) },
  };
}

/** A place in a policy. */
export function referenceJson({ policyIndex: _, through, ...place }: Reference) {
  return { ...place, through: through && formatCidr(through) };
}

/** How policies were read. */
export function semanticsJson(semantics: Semantics): Json {
  if (semantics.name === "kubernetes") {
    return { name: semantics.name, ipBlockMatchesPods: semantics.ipBlockMatchesPods ?? true };
  }
  const { name, ipFamily, nodeIp, agentVersion } = semantics;
  return { name, ipFamily, nodeIp: nodeIp && formatAddress(nodeIp), agentVersion };
}

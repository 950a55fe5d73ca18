import { type Address, BITS, blockAt, type Family, readAddress, readBlock, writeAddress } from "./addresses.ts";
import type { Case } from "./arbitraries.ts";
import type { NetworkPolicy, Point, PolicyPort } from "./policy.ts";
import { PORT_PROTOCOLS, PORTLESS_PROTOCOLS } from "./policy.ts";
import { keyOf } from "./vpcCniAgent.ts";

/** Every CIDR and `except` of a set of policies. */
export function cidrsOf(policies: readonly NetworkPolicy[]): readonly string[] {
  return policies
    .flatMap((policy) => policy.spec?.egress ?? [])
    .flatMap((rule) => rule.to ?? [])
    .flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])]));
}

/** The first and last port of every entry that has numbers. */
export function portRangesOf(policies: readonly NetworkPolicy[]): readonly (readonly [number, number])[] {
  return policies
    .flatMap((policy) => policy.spec?.egress ?? [])
    .flatMap((rule) => rule.ports ?? [])
    .flatMap(({ port, endPort }: PolicyPort) => (typeof port === "number" ? [[port, endPort ?? port] as const] : []));
}

/** First and last address of every block, their neighbours, the node and what an except of the other family lands on. */
export function boundaryAddresses({ policies, nodeIp, ipFamily }: Case): readonly Address[] {
  const blocks = cidrsOf(policies).map(readBlock);
  const images = blocks
    .map((block) => keyOf(block, ipFamily))
    .filter((block) => block.prefixLength <= BITS[block.family]);
  const node = nodeIp === undefined ? [] : [readAddress(nodeIp)];
  const ranges = [
    ...[...blocks, ...images].map(({ family, first, last }) => ({ family, first, last })),
    ...node.map(({ family, value }) => ({ family, first: value, last: value })),
    ...(["ipv4", "ipv6"] as const).map((family) => blockAt(family, 0n, 0)),
  ];
  const values: Record<Family, Set<bigint>> = { ipv4: new Set(), ipv6: new Set() };
  for (const { family, first, last } of ranges) {
    for (const value of [first - 1n, first, last, last + 1n]) {
      if (value >= 0n && value < 2n ** BigInt(BITS[family])) {
        values[family].add(value);
      }
    }
  }
  return (["ipv4", "ipv6"] as const).flatMap((family) => [...values[family]].map((value) => ({ family, value })));
}

/** 0, 65535, every port and `endPort`, and their neighbours. */
export function boundaryPorts(policies: readonly NetworkPolicy[]): readonly number[] {
  const ports = new Set([0, 65535]);
  for (const [first, last] of portRangesOf(policies)) {
    for (const port of [first - 1, first, first + 1, last - 1, last, last + 1]) {
      if (port <= 65535) {
        ports.add(port);
      }
    }
  }
  return [...ports];
}

/**
 * Boundary points of a set. Each address is asked with `portsEach` of the boundary ports per protocol, in turn, so that
 * the ports of a long list are spread over the addresses; all of them without a limit. Some IPv4 addresses are written
 * as IPv4-mapped IPv6.
 */
export function boundaryPoints(
  subject: Case,
  { portsEach = 65536, portless = true }: { readonly portsEach?: number; readonly portless?: boolean } = {},
): readonly Point[] {
  const ports = boundaryPorts(subject.policies);
  const points: Point[] = [];
  let turn = 0;
  for (const [index, address] of boundaryAddresses(subject).entries()) {
    const text = writeAddress(address);
    const ip = address.family === "ipv4" && index % 5 === 4 ? `::ffff:${text}` : text;
    for (const protocol of PORT_PROTOCOLS) {
      for (let asked = 0; asked < Math.min(portsEach, ports.length); asked += 1) {
        points.push({ ip, protocol, port: ports[turn % ports.length] ?? 0 });
        turn += 1;
      }
    }
    for (const protocol of portless ? PORTLESS_PROTOCOLS : []) {
      points.push({ ip, protocol, port: 0 });
    }
  }
  return points;
}

import { ADDRESS_FAMILIES, type AddressFamily } from "./address.ts";
import { cellRange } from "./addressMap.ts";
import type { AddressRange } from "./cidr.ts";
import type { EgressAnalysis } from "./normalForm.ts";
import type { PortSpan } from "./ports.ts";
import { type PortRange, PROTOCOLS, type Protocol } from "./protocol.ts";
import type { Verdict } from "./verdict.ts";

/** A box of the normal form: every address, protocol and port in it has one verdict for one reason. */
export interface Region {
  readonly range: AddressRange;
  readonly protocol: Protocol;
  readonly ports: PortRange;
  readonly verdict: Verdict;
  /** Index of the cell in its family's partition; {@link explain} any point of the region for the reasons. */
  readonly cellIndex: number;
  readonly span: PortSpan;
}

/** All regions, by family, address, protocol and port. Together they cover each family's space once for each protocol. */
export function regions(analysis: EgressAnalysis): Region[] {
  const found: Region[] = [];
  for (const family of ADDRESS_FAMILIES) {
    const partition = analysis.partitions[family];
    for (const [cellIndex, { table }] of partition.cells.entries()) {
      const range = cellRange(partition, cellIndex);
      for (const protocol of PROTOCOLS) {
        for (const span of table.spans[protocol] ?? []) {
          const { from, to, verdict } = span;
          found.push({ range, protocol, ports: { from, to }, verdict, cellIndex, span });
        }
      }
    }
  }
  return found;
}

/** How many (address, port) pairs a range and a run of ports hold. */
export function boxSize({ first, last }: Pick<AddressRange, "first" | "last">, { from, to }: PortRange): bigint {
  return (last - first + 1n) * BigInt(to - from + 1);
}

/** How many (address, port) pairs of one protocol have each verdict in one family. */
export function sizeByVerdict(
  analysis: EgressAnalysis,
  family: AddressFamily,
  protocol: Protocol,
): Readonly<Record<Verdict, bigint>> {
  const sizes: Record<Verdict, bigint> = { allow: 0n, deny: 0n, "order-dependent": 0n };
  for (const { range, ports, verdict } of regions(analysis).filter((each) => each.protocol === protocol)) {
    sizes[verdict] += range.family === family ? boxSize(range, ports) : 0n;
  }
  return sizes;
}

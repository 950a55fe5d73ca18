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
  readonly span: PortSpan;
}

/** All regions, by family, address, protocol and port. Together they cover each family's space once for each protocol. */
export function regions(analysis: EgressAnalysis): Region[] {
  return ADDRESS_FAMILIES.flatMap((family) =>
    analysis.partitions[family].cells.flatMap(({ table }, index) => {
      const range = cellRange(analysis.partitions[family], index);
      return PROTOCOLS.flatMap((protocol) =>
        (table.spans[protocol] ?? []).map((span): Region => {
          const { from, to, verdict } = span;
          return { range, protocol, ports: { from, to }, verdict, span };
        }),
      );
    }),
  );
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

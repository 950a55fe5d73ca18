import { type Address, formatAddress, parseAddress } from "./address.ts";
import type { Point } from "./normalForm.ts";
import { type Cell, cellIndexAt, type EgressAnalysis } from "./normalForm.ts";
import { type PortSpan, spanAt } from "./ports.ts";
import { PORTLESS_PROTOCOLS, PROTOCOLS } from "./protocol.ts";
import { onTheWire } from "./specialPurpose.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Whether the pod may send to a destination.
 *
 * @throws {RangeError} for a protocol that has no verdict under the analysis' semantics, or a port out of range.
 */
export function verdict(analysis: EgressAnalysis, point: Point): Verdict {
  return locate(analysis, point).span.verdict;
}

/** Where a point lies in the normal form. */
export interface Location {
  /** The address that is on the wire, IPv4 for an IPv4-mapped one. */
  readonly address: Address;
  readonly cell: Cell;
  readonly span: PortSpan;
}

/** Finds the cell and the span of ports that decide about a point. */
export function locate(analysis: EgressAnalysis, point: Point): Location {
  const address = onTheWire(point.address);
  const partition = analysis.partitions[address.family];
  const cell = partition.cells[cellIndexAt(partition, address)] as Cell;
  const spans = cell.table.spans[point.protocol];
  if (spans === undefined) {
    throw new RangeError(`${point.protocol} has no verdict under ${analysis.semantics.name} semantics`);
  }
  const span = spanAt(spans, point.port);
  if (span === undefined || !Number.isInteger(point.port) || point.port < span.from || point.port > span.to) {
    throw new RangeError(`${point.protocol} has no port ${point.port}`);
  }
  return { address, cell, span };
}

/**
 * Reads `ADDRESS:PORT/PROTOCOL`, such as `10.1.7.7:443/tcp` or `[fd00:ec2::254]:80/tcp`. Protocol omitted: TCP. Portless
 * protocols are written without a port: `10.1.7.7/icmp`.
 *
 * @throws {RangeError} that says what is wrong and shows the form.
 */
export function parsePoint(text: string): Point {
  const fail = (reason: string): never => {
    throw new RangeError(`"${text}" ${reason}; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp`);
  };
  const match = /^(?:\[([^\]]*)\]|([^:/]*))(?::(\d+))?(?:\/([a-z0-9]+))?$/i.exec(text);
  const address = match === null ? undefined : parseAddress(match[1] ?? match[2] ?? "");
  if (match === null || address === undefined) {
    return fail(
      parseAddress(text.split("/")[0] ?? "") === undefined ? "has no address" : "has no port, or [] are missing",
    );
  }
  const name = match[4] ?? "tcp";
  const protocol = PROTOCOLS.find((known) => known.toLowerCase() === name.toLowerCase());
  if (protocol === undefined) {
    return fail(`has protocol ${name}, not one of ${PROTOCOLS.map((known) => known.toLowerCase()).join(", ")}`);
  }
  if (PORTLESS_PROTOCOLS.includes(protocol)) {
    return match[3] === undefined || match[3] === "0"
      ? { address, protocol, port: 0 }
      : fail(`has a port, which ${protocol} has not`);
  }
  if (match[3] === undefined) {
    return fail("has no port");
  }
  const port = Number(match[3]);
  return port <= 65535 ? { address, protocol, port } : fail(`has port ${match[3]}, above 65535`);
}

/** The form that {@link parsePoint} reads. */
export function formatPoint({ address, protocol, port }: Point): string {
  const host = address.family === "ipv6" ? `[${formatAddress(address)}]` : formatAddress(address);
  const suffix = protocol.toLowerCase();
  return PORTLESS_PROTOCOLS.includes(protocol) ? `${host}/${suffix}` : `${host}:${port}/${suffix}`;
}

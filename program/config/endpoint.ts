import {
  ADDRESS_BITS,
  cidrAt,
  formatAddress,
  PORTLESS_PROTOCOLS,
  type PolicyProtocol,
  parseAddress,
  parsePoint,
} from "../../analysis/index.ts";
import type { RequiredEndpoint } from "../../guardrails/declaration.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "https:": 443, "wss:": 443, "http:": 80, "ws:": 80 };

/** Names that only resolve inside a cluster or a VPC. */
const PRIVATE_NAME = /(^|\.)(svc|local|internal|localhost)$/;

const HOST_AND_PORT = /^(?<host>[a-z0-9]([a-z0-9.-]*[a-z0-9])?):(?<port>\d{1,5})(\/(?<protocol>tcp|udp))?$/i;

/**
 * Reads a public destination: a URL, `HOST:PORT`, or `ADDRESS:PORT/PROTOCOL` (an IPv6 address in brackets).
 *
 * @throws {RangeError} that says what is wrong and shows the forms.
 */
export function readEndpoint(text: string): RequiredEndpoint {
  const { host, port, protocol } = partsOf(text);
  const address = parseAddress(host);
  if (address === undefined && PRIVATE_NAME.test(host)) {
    throw new RangeError(
      `"${text}" names a host of the cluster or the VPC; declare it as a destination, by pods or cidrs`,
    );
  }
  const cidr = address && cidrAt(address.family, address.value, ADDRESS_BITS[address.family]);
  return { name: text, cidr, ports: { protocol, port } };
}

interface Parts {
  readonly host: string;
  readonly port: number;
  readonly protocol: PolicyProtocol;
}

function partsOf(text: string): Parts {
  const url = text.includes("://") && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined) {
    const port = url.port === "" ? DEFAULT_PORTS[url.protocol] : Number(url.port);
    if (port !== undefined) {
      return { host: url.hostname.replace(/^\[|\]$/g, ""), port, protocol: "TCP" };
    }
  }
  const { host, port, protocol = "tcp" } = HOST_AND_PORT.exec(text)?.groups ?? {};
  // What looks like a dotted quad is an address, or a mistake in one.
  if (host !== undefined && !/^[\d.]+$/.test(host) && Number(port) >= 1 && Number(port) <= 65535) {
    return { host, port: Number(port), protocol: protocol.toUpperCase() as Parts["protocol"] };
  }
  return pointParts(text);
}

function pointParts(text: string): Parts {
  try {
    const { address, protocol, port } = parsePoint(text);
    if (!PORTLESS_PROTOCOLS.includes(protocol) && port >= 1) {
      return { host: formatAddress(address), port, protocol: protocol as Parts["protocol"] };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
  }
  throw new RangeError(
    `"${text}" is none of https://HOST[:PORT], HOST:PORT and ADDRESS:PORT/PROTOCOL, such as rpc.example.com:8545 or 1.1.1.1:53/udp`,
  );
}

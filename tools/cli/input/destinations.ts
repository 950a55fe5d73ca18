import {
  type ObjectDestination,
  POLICY_PROTOCOLS,
  type Point,
  type PolicyProtocol,
  parsePoint,
} from "../../../analysis/index.ts";
import { UsageError } from "../errors.ts";

/** Something that a pod may send to, as the user wrote it. */
export type Destination = { readonly text: string } & (
  | { readonly kind: "point"; readonly point: Point }
  | { readonly kind: "object"; readonly object: ObjectDestination }
  /** A name outside the cluster, which policies never see. */
  | { readonly kind: "host"; readonly host: string }
);

const FORMS =
  "10.1.7.7:443/tcp, [fd00:ec2::254]:80, service/NAMESPACE/NAME:PORT, pod/NAMESPACE/NAME:PORT or a host name";

const HOST =
  /^(?=[^:/]{1,253}(?:[:/]|$))((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)\.?(?::(\d{1,5}))?(?:\/([a-z]+))?$/i;

/** The last label of a host name is never a number: `127.1` and `0x7f000001` are addresses in disguise. */
const NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;

const SERVICE_NAME = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/i;

/**
 * Reads one destination. The DNS name of a Service, `NAME.NAMESPACE.svc`, is that Service.
 *
 * @throws {UsageError} that shows the forms.
 */
export function parseDestination(text: string): Destination {
  const object = /^(service|svc|pod)\/([^/]*)\/([^/:]*)(?::(\d+))?(?:\/([a-z]+))?$/i.exec(text);
  if (object !== null) {
    const [, kind, namespace, name, port, protocol] = object;
    if (!namespace || !name || port === undefined) {
      throw new UsageError(`"${text}" is not ${kind}/NAMESPACE/NAME:PORT, such as ${kind}/shop/web:443`);
    }
    return objectDestination(text, kind === "pod" ? "pod" : "service", namespace, name, port, protocol);
  }
  try {
    return { text, kind: "point", point: parsePoint(text) };
  } catch (error) {
    const [, host, port, protocol] = HOST.exec(text) ?? [];
    if (host !== undefined && !NUMBER.test(host)) {
      const [, name, namespace] = SERVICE_NAME.exec(host) ?? [];
      return name !== undefined && namespace !== undefined && port !== undefined
        ? objectDestination(text, "service", namespace, name, port, protocol)
        : { text, kind: "host", host };
    }
    throw new UsageError(`${(error as RangeError).message}\nDestinations are ${FORMS}.`);
  }
}

function objectDestination(
  text: string,
  kind: ObjectDestination["kind"],
  namespace: string,
  name: string,
  portText: string,
  protocolText = "tcp",
): Destination {
  const port = Number(portText);
  const protocol = POLICY_PROTOCOLS.find((known): known is PolicyProtocol => known === protocolText.toUpperCase());
  if (protocol === undefined || port < 1 || port > 65535) {
    throw new UsageError(`"${text}": a port of a pod or Service is 1 to 65535 with protocol tcp, udp or sctp`);
  }
  return { text, kind: "object", object: { kind, namespace, name, protocol, port } };
}

/**
 * Reads a list of destinations, one a line; empty lines and those that start with `#` are left out.
 *
 * @throws {UsageError} with every line that is none.
 */
export function parseDestinationList(list: string): Destination[] {
  const destinations: Destination[] = [];
  const problems: string[] = [];
  for (const [index, line] of list.split(/\r?\n/).entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) {
      continue;
    }
    try {
      destinations.push(parseDestination(text));
    } catch (error) {
      if (!(error instanceof UsageError)) {
        throw error;
      }
      problems.push(`stdin line ${index + 1}: ${error.message.split("\n")[0]}`);
    }
  }
  if (problems.length > 0) {
    throw new UsageError(`${problems.join("\n")}\nDestinations are ${FORMS}.`);
  }
  if (destinations.length === 0) {
    throw new UsageError("stdin has no destination, so nothing would be checked");
  }
  return destinations;
}

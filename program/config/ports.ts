import type { Input } from "../../analysis/input.ts";
import { POLICY_PROTOCOLS, type PolicyProtocol } from "../../analysis/protocol.ts";
import type { Ports } from "../../runner/contract.ts";

const PORT = /^(\d{1,5})(?:-(\d{1,5}))?\/([A-Z]+)$/;

/** Reads a port such as `5432/TCP` or `8000-8999/TCP`; `undefined` when it is none. */
export function parsePort(text: string): Ports | undefined {
  const [, first, last, protocol] = PORT.exec(text) ?? [];
  const port = Number(first);
  const endPort = last === undefined ? port : Number(last);
  if (!POLICY_PROTOCOLS.includes(protocol as PolicyProtocol) || port < 1 || endPort < port || endPort > 65535) {
    return undefined;
  }
  return { protocol: protocol as PolicyProtocol, port, ...(endPort > port && { endPort }) };
}

/** A list of ports. */
export function readPorts(input: Input): Ports[] | undefined {
  const ports = input.texts("ports such as 5432/TCP or 8000-8999/TCP")?.map(parsePort);
  return ports === undefined || ports.every((port) => port !== undefined)
    ? ports
    : input.wrong(
        `each is PORT/PROTOCOL or FIRST-LAST/PROTOCOL, ports 1 to 65535, protocol ${POLICY_PROTOCOLS.join(", ")}`,
      );
}

import { contains, formatCidr } from "../../analysis/cidr.ts";
import { parseCidr } from "../../analysis/index.ts";
import type { Input } from "../../analysis/input.ts";
import type { RequiredEndpoint } from "../../guardrails/declaration.ts";
import type { InternetDestination, Ports } from "../../runner/contract.ts";
import { readEndpoint } from "./endpoint.ts";
import { readPorts } from "./ports.ts";

/** Public destinations that must stay reachable. */
export interface MustReach {
  /** Ports on which all that `destinations.internet` opens must stay open. Default: those that it opens. */
  readonly internet?: readonly Ports[];
  readonly endpoints: readonly RequiredEndpoint[];
}

/**
 * What a stack says must stay reachable. What `destinations.internet` does not open can't be required.
 *
 * @param internet `undefined` where the runner may not reach the internet
 */
export function readMustReach(input: Input, internet: InternetDestination | undefined): MustReach {
  const own = input.object(["internet", "endpoints"]);
  if (own === undefined) {
    return { endpoints: [] };
  }
  const ports = readPorts(own.at("internet"));
  const endpoints = readEndpoints(own.at("endpoints"));
  if (ports?.some((port) => !opens(internet, port))) {
    own.at("internet").wrong("destinations.internet does not open all of these ports; add them there, too");
  }
  const closed = endpoints.flatMap((endpoint) => {
    const reason = closedBecause(internet, endpoint);
    return reason === undefined ? [] : [`${endpoint.name}: ${reason}`];
  });
  if (closed.length > 0) {
    own.at("endpoints").wrong(closed.join("; "));
  }
  return { ...(ports && { internet: ports }), endpoints };
}

/** A list of public destinations. */
export function readEndpoints(input: Input): RequiredEndpoint[] {
  return input.parsedTexts("public destinations such as rpc.example.com:8545", readEndpoint) ?? [];
}

function opens(internet: InternetDestination | undefined, { protocol, port, endPort = port }: Ports): boolean {
  return (
    internet !== undefined &&
    (internet.ports === undefined ||
      internet.ports.some(
        ({ protocol: own, port: first, endPort: last = first }) => own === protocol && first <= port && endPort <= last,
      ))
  );
}

function closedBecause(internet: InternetDestination | undefined, endpoint: RequiredEndpoint): string | undefined {
  const { cidr, ports } = endpoint;
  if (!opens(internet, ports)) {
    return `destinations.internet does not open ${ports.port}/${ports.protocol}`;
  }
  // What is no block is a problem of its own.
  const blocks = (texts: readonly string[]) =>
    texts.flatMap((text) => {
      try {
        return [parseCidr(text)];
      } catch {
        return [];
      }
    });
  const left = cidr && blocks(internet?.except ?? []).find((block) => contains(block, cidr));
  if (left !== undefined) {
    return `destinations.internet.except leaves out ${formatCidr(left)}`;
  }
  return cidr !== undefined &&
    internet?.blocks !== undefined &&
    !blocks(internet.blocks).some((block) => contains(block, cidr))
    ? "it is in none of destinations.internet.blocks"
    : undefined;
}

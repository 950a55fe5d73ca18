import { parseCidr } from "../../analysis/index.ts";
import type { Declaration, Destination } from "../../guardrails/index.ts";
import type { Ports } from "../../runner/contract.ts";

const port = (protocol: Ports["protocol"], from: number, to = from): Ports => ({
  protocol,
  port: from,
  ...(to > from && { endPort: to }),
});

export const tcp = (from: number, to = from) => port("TCP", from, to);
export const udp = (from: number, to = from) => port("UDP", from, to);

/** A destination by address. */
export function addresses(name: string, cidrs: readonly string[], ...ports: Ports[]): Destination {
  return { name, cidrs: cidrs.map(parseCidr), pods: [], ports, required: true };
}

/** A destination by labels. */
export function pods(namespace: string, labels: Record<string, string>, ...ports: Ports[]): Destination {
  return { name: Object.values(labels).join(), cidrs: [], pods: [{ namespace, labels }], ports, required: true };
}

/** Runners of keeperhub in an IPv4 cluster in 10.1.0.0/16, with the parts that a test cares about. */
export function declare(parts: Partial<Declaration> = {}): Declaration {
  return {
    runner: { namespaces: ["keeperhub"], labels: { app: "workflow-runner" } },
    policies: ["keeperhub/runner"],
    cluster: { ipFamily: "ipv4" },
    vpcCidrs: [parseCidr("10.1.0.0/16")],
    destinations: [],
    internet: [],
    endpoints: [],
    ...parts,
  };
}

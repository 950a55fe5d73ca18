/** The protocols that a NetworkPolicy can name. */
export type PolicyProtocol = "TCP" | "UDP" | "SCTP";

export const POLICY_PROTOCOLS: readonly PolicyProtocol[] = ["TCP", "UDP", "SCTP"];

/** Port numbers, both ends included. Every port is 0 to 65535: a packet may carry port 0, a policy cannot name it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export const EVERY_PORT: PortRange = { from: 0, to: 65535 };

/** Protocols that have a verdict. The last three, whose port is always 0, only under `vpc-cni`. */
export type Protocol = PolicyProtocol | "ICMP" | "ICMPv6" | "GRE";

export const PORTLESS_PROTOCOLS: readonly Protocol[] = ["ICMP", "ICMPv6", "GRE"];

export const PROTOCOLS: readonly Protocol[] = [...POLICY_PROTOCOLS, ...PORTLESS_PROTOCOLS];

/** `443`, `8000-9000`, `all ports`. */
export function formatPorts({ from, to }: PortRange): string {
  return from === to ? `${from}` : from === 0 && to === 65535 ? "all ports" : `${from}-${to}`;
}

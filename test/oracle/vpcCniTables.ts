import { expect } from "vitest";
import type { NetworkPolicy, Protocol } from "./policy.ts";
import { type VpcCniVerdict, vpcCniVerdict } from "./vpcCni.ts";
import type { AgentOptions } from "./vpcCniAgent.ts";

/** A point and what becomes of it. */
export type Row = readonly [ip: string, port: number, protocol: Protocol, verdict: VpcCniVerdict];

/** An IPv4 cluster on a current agent; the others likewise. */
export const IPV4: AgentOptions = { ipFamily: "ipv4", nodeIp: "10.1.2.3", agent: "current" };
export const IPV6: AgentOptions = { ipFamily: "ipv6", nodeIp: "2001:db8::3", agent: "current" };
export const LEGACY: AgentOptions = { ...IPV4, agent: "legacy" };
export const LEGACY_IPV6: AgentOptions = { ...IPV6, agent: "legacy" };

/** Expects the verdicts of a table. */
export function check(
  policies: NetworkPolicy | readonly NetworkPolicy[],
  options: AgentOptions,
  rows: readonly Row[],
): void {
  for (const [ip, port, protocol, verdict] of rows) {
    const asked = vpcCniVerdict([policies].flat(), undefined, { ip, port, protocol }, options);
    expect(asked, `${ip} ${port} ${protocol}`).toBe(verdict);
  }
}

/** That many TCP ports from 1000, for `rule`. */
export const distinctPorts = (count: number) => Array.from({ length: count }, (_, index) => `TCP ${1000 + index}`);

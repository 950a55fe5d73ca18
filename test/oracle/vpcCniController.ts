import type { EgressRule, NetworkPolicy, PolicyPort } from "./policy.ts";

/** A slot of the agent's map: protocol, first port (0 = any port) and last port (0 = only the first). */
export interface PortItem {
  readonly protocol: string;
  readonly port: number;
  readonly endPort: number;
}

/** What the controller hands to the agent for one destination; no ports = any protocol and port. */
export interface EmittedRule {
  readonly cidr: string;
  readonly except: readonly string[];
  readonly ports: readonly PortItem[];
}

/**
 * The egress rules that the Amazon network policy controller emits for the policies that select a pod. It looks at
 * `spec.egress` alone, whatever `policyTypes` say. Without an inventory of pods and Services a selector peer emits nothing.
 */
export function emittedRules(policies: readonly NetworkPolicy[]): readonly EmittedRule[] {
  return policies.flatMap((policy) => (policy.spec?.egress ?? []).flatMap(emit));
}

function emit(rule: EgressRule): readonly EmittedRule[] {
  const entries = rule.ports ?? [];
  const ports = entries.flatMap(numericPort);
  // Only named ports: nothing could be resolved, and "no ports" would mean all of them.
  if (entries.length > 0 && ports.length === 0) {
    return [];
  }
  const peers = rule.to ?? [];
  if (peers.length === 0) {
    return [
      { cidr: "0.0.0.0/0", except: [], ports },
      { cidr: "::/0", except: [], ports },
    ];
  }
  return peers.flatMap(({ ipBlock }) =>
    ipBlock === undefined ? [] : [{ cidr: ipBlock.cidr, except: ipBlock.except ?? [], ports }],
  );
}

function numericPort({ protocol = "TCP", port, endPort }: PolicyPort): readonly PortItem[] {
  return typeof port === "string" ? [] : [{ protocol, port: port ?? 0, endPort: endPort ?? 0 }];
}

import { canonicalJson } from "./canonicalJson.ts";

/** A rule as the API server gives it: anything that it accepts, not only what this project writes. */
interface AnyRule {
  readonly to?: readonly unknown[];
  readonly ports?: readonly unknown[];
}

/** A spec as the API server gives it. */
export interface AnySpec {
  readonly podSelector?: unknown;
  readonly policyTypes?: readonly string[];
  readonly egress?: readonly AnyRule[];
  readonly ingress?: readonly unknown[];
}

/**
 * How a live spec differs from the desired one, one line for each difference: what the live policy has beyond the
 * desired one, and what it lacks. Order of rules, peers and ports does not count. Empty when both say the same.
 */
export function describeDrift(live: AnySpec, desired: AnySpec): string[] {
  const lines: string[] = [];
  for (const name of ["podSelector", "policyTypes", "ingress"] as const) {
    if (canonicalJson(live[name] ?? null) !== canonicalJson(desired[name] ?? null)) {
      lines.push(`${name} is ${text(live[name])}, not ${text(desired[name])}`);
    }
  }
  const rules = pairRules(live.egress ?? [], desired.egress ?? []);
  for (const rule of rules.added) {
    lines.push(`it also allows ${describeRule(rule)}`);
  }
  for (const rule of rules.removed) {
    lines.push(`it does not allow ${describeRule(rule)}`);
  }
  for (const [was, is] of rules.changed) {
    lines.push(...describeChange(is, was));
  }
  return lines;
}

/** Rules that are only in one spec, and pairs of rules with the same peers or the same ports that differ otherwise. */
function pairRules(live: readonly AnyRule[], desired: readonly AnyRule[]) {
  const same = new Set(desired.map((rule) => canonicalJson(rule)));
  const here = new Set(live.map((rule) => canonicalJson(rule)));
  const added = live.filter((rule) => !same.has(canonicalJson(rule)));
  const removed = desired.filter((rule) => !here.has(canonicalJson(rule)));
  const changed: [AnyRule, AnyRule][] = [];
  for (const rule of [...removed]) {
    const match = added.find((candidate) => sharesPeerOrPorts(candidate, rule));
    if (match !== undefined) {
      added.splice(added.indexOf(match), 1);
      removed.splice(removed.indexOf(rule), 1);
      changed.push([rule, match]);
    }
  }
  return { added, removed, changed };
}

function sharesPeerOrPorts(a: AnyRule, b: AnyRule): boolean {
  const peers = new Set((a.to ?? []).map(peerKey));
  return (b.to ?? []).some((peer) => peers.has(peerKey(peer)));
}

/** A peer without its `except`, which is what changes inside one. */
function peerKey(peer: unknown): string {
  const { ipBlock } = peer as { ipBlock?: { cidr?: string } };
  return ipBlock?.cidr ?? canonicalJson(peer);
}

function describeChange(is: AnyRule, was: AnyRule): string[] {
  const lines: string[] = [];
  const about = `for ${(was.to ?? []).map(describePeer).join(", ") || "every destination"}`;
  const extraPorts = without(is.ports ?? [], was.ports ?? []);
  const missingPorts = without(was.ports ?? [], is.ports ?? []);
  if ((is.ports ?? []).length === 0 && (was.ports ?? []).length > 0) {
    lines.push(`${about} it allows every port`);
  } else {
    if (extraPorts.length > 0) {
      lines.push(`${about} it also allows ${extraPorts.map(describePort).join(", ")}`);
    }
    if (missingPorts.length > 0) {
      lines.push(`${about} it does not allow ${missingPorts.map(describePort).join(", ")}`);
    }
  }
  const peersOf = (rule: AnyRule) => new Map((rule.to ?? []).map((peer) => [peerKey(peer), peer]));
  const [live, desired] = [peersOf(is), peersOf(was)];
  for (const [key, peer] of live) {
    const before = desired.get(key);
    if (before === undefined) {
      lines.push(`it also allows ${describeRule({ ...is, to: [peer] })}`);
    } else {
      lines.push(...describeExcepts(key, exceptsOf(peer), exceptsOf(before)));
    }
  }
  for (const [key, peer] of desired) {
    if (!live.has(key)) {
      lines.push(`it does not allow ${describePeer(peer)}`);
    }
  }
  return lines;
}

function describeExcepts(cidr: string, is: readonly string[], was: readonly string[]): string[] {
  const opened = was.filter((except) => !is.includes(except));
  const closed = is.filter((except) => !was.includes(except));
  return [
    ...(opened.length > 0 ? [`under ${cidr} it does not except ${opened.join(", ")}`] : []),
    ...(closed.length > 0 ? [`under ${cidr} it also excepts ${closed.join(", ")}`] : []),
  ];
}

function exceptsOf(peer: unknown): readonly string[] {
  return (peer as { ipBlock?: { except?: readonly string[] } }).ipBlock?.except ?? [];
}

function without(items: readonly unknown[], others: readonly unknown[]): unknown[] {
  const known = new Set(others.map((item) => canonicalJson(item)));
  return items.filter((item) => !known.has(canonicalJson(item)));
}

function describeRule({ to = [], ports = [] }: AnyRule): string {
  const where = to.length === 0 ? "every destination" : to.map(describePeer).join(", ");
  return `${where} on ${ports.length === 0 ? "every port" : ports.map(describePort).join(", ")}`;
}

function describePeer(peer: unknown): string {
  const { ipBlock } = peer as { ipBlock?: { cidr?: string; except?: readonly string[] } };
  if (ipBlock === undefined) {
    return describePods(peer as { podSelector?: unknown; namespaceSelector?: unknown });
  }
  const excepts = ipBlock.except?.length ? ` except ${ipBlock.except.join(", ")}` : "";
  return `${ipBlock.cidr}${excepts}`;
}

function describePods({
  podSelector,
  namespaceSelector,
}: {
  podSelector?: unknown;
  namespaceSelector?: unknown;
}): string {
  const pods = podSelector === undefined ? "every pod" : `pods ${describeSelector(podSelector)}`;
  const namespaces = namespaceSelector === undefined ? "its own" : describeSelector(namespaceSelector);
  return `${pods} in namespace ${namespaces}`;
}

function describeSelector(selector: unknown): string {
  const { matchLabels = {}, ...rest } = selector as { matchLabels?: Record<string, string> };
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  return Object.keys(rest).length > 0 ? text(selector) : labels.sort().join(",") || "(any)";
}

function describePort(entry: unknown): string {
  const { protocol = "TCP", port, endPort } = entry as { protocol?: string; port?: number | string; endPort?: number };
  return `${port ?? "every port"}${endPort === undefined ? "" : `-${endPort}`}/${protocol}`;
}

function text(value: unknown): string {
  return value === undefined ? "missing" : canonicalJson(value);
}

import type { Address, AddressFamily } from "./address.ts";
import type { ChangeBox } from "./boxes.ts";
import { type Cidr, contains, hostOf, wholeFamily } from "./cidr.ts";
import { type CompileOptions, compile } from "./compile.ts";
import { bareDiff, type DiffBox, describeBox } from "./diff.ts";
import type { Explanation } from "./explain.ts";
import { backendsOf, type Inventory, targetNumber } from "./inventory.ts";
import type { NamedAddresses } from "./names.ts";
import type { NetworkPolicy } from "./networkPolicy.ts";
import type { EgressAnalysis, MapEntry, Point } from "./normalForm.ts";
import { locate } from "./point.ts";
import type { Reference } from "./reference.ts";
import type { VpcCniSemantics } from "./semantics.ts";
import { rulePeers } from "./terms.ts";
import { clusterIpObstacles } from "./vpcCniTerms.ts";

/** The shape of rules that makes the AWS agent deviate from Kubernetes (docs/semantics.md has an example of each). */
export type DivergenceShape =
  | "node-address"
  | "node-address-excepted"
  | "node-address-rule-skipped"
  | "other-family-not-enforced"
  | "other-family-except"
  | "other-family-except-aborts"
  | "unreadable-block"
  | "policy-types-ignored"
  | "inherited-through-intermediate"
  | "every-port-leak"
  | "same-cidr-except"
  | "except-of-another-rule"
  | "shared-first-address"
  | "ipv6-prefix-32"
  | "slot-overflow"
  | "key-collision"
  | "named-port-without-to"
  | "service-selector-lacks-label"
  | "service-port-not-resolved"
  | "service-outside-block"
  | "service-by-cluster-ip"
  | "service-port-range"
  | "service-backends-differ"
  | "unclassified";

/** A box on which the agent enforces something else than Kubernetes specifies: `before` is specified, `after` enforced. */
export interface Divergence extends DiffBox {
  readonly direction: "over-allow" | "over-deny" | "order-dependent";
  readonly shape: DivergenceShape;
}

/**
 * Where the two semantics disagree about the same policies: every region, with a witness and the shape that causes it.
 * Pods by label are not compared; give an inventory to compare their addresses.
 */
export function divergences(
  policies: readonly NetworkPolicy[],
  options: Omit<CompileOptions, "semantics"> & { readonly semantics: VpcCniSemantics },
  names: readonly NamedAddresses[] = [],
): Divergence[] {
  const specified = compile(policies, { ...options, semantics: { name: "kubernetes" } });
  const enforced = compile(policies, options);
  const { gained, lost } = bareDiff(specified, enforced);
  const boxes = [...gained.boxes, ...lost.boxes]
    .flatMap((box) => onServicePorts(box, options.inventory))
    .map((box) => describeBox(specified, enforced, box, names));
  return boxes.map((box) => ({
    ...box,
    direction: box.after === "order-dependent" ? "order-dependent" : box.after === "allow" ? "over-allow" : "over-deny",
    shape: shapeOf(specified, enforced, options.semantics, box),
  }));
}

/**
 * Of a box that is ClusterIPs alone, the ports that lead to backends: on others nothing answers, and no specification says
 * what would be allowed there.
 */
function onServicePorts(box: ChangeBox, inventory: Inventory | undefined): ChangeBox[] {
  const isIn = ({ family, value }: Address) =>
    family === box.range.family && box.range.first <= value && value <= box.range.last;
  const services = (inventory?.services ?? []).flatMap((service) =>
    service.clusterIps.filter(isIn).map((address) => ({ service, address })),
  );
  const addresses = new Set(services.map(({ address }) => address.value));
  if (inventory === undefined || BigInt(addresses.size) !== box.range.last - box.range.first + 1n) {
    return [box];
  }
  return services.flatMap(({ service, address }) => {
    const backends = backendsOf(service, inventory);
    const ports = service.ports.filter(
      (port) =>
        box.ports.from <= port.port &&
        port.port <= box.ports.to &&
        box.protocols.includes(port.protocol) &&
        backends.some((pod) => targetNumber(port, pod) !== undefined && pod.addresses.length > 0),
    );
    return [...Map.groupBy(ports, ({ port }) => port)].map(([port, same]) => ({
      ...box,
      range: hostOf(address),
      protocols: same.map(({ protocol }) => protocol),
      ports: { from: port, to: port },
    }));
  });
}

function shapeOf(
  specified: EgressAnalysis,
  enforced: EgressAnalysis,
  semantics: VpcCniSemantics,
  { witness, explanations: { before, after } }: DiffBox,
): DivergenceShape {
  switch (after.reason) {
    case "aborted":
      return enforced.aborts.some(({ why }) => why === "key-too-long")
        ? "other-family-except-aborts"
        : "unreadable-block";
    case "slot-overflow":
    case "key-collision":
    case "node-address":
      return after.reason;
    case "other-family":
      return "other-family-not-enforced";
    default:
      return after.verdict === "allow"
        ? overAllowShape(specified, enforced, before, after)
        : specified.isolated
          ? overDenyShape(enforced, semantics, witness, before, after)
          : "policy-types-ignored";
  }
}

function overAllowShape(
  specified: EgressAnalysis,
  enforced: EgressAnalysis,
  before: Explanation,
  { allowedBy }: Explanation,
): DivergenceShape {
  if (allowedBy.every(({ policyIndex }) => !specified.applying.includes(policyIndex))) {
    return "policy-types-ignored";
  }
  if (before.reason === "service") {
    const rules = allowedBy.map(({ policyIndex, rule, port }) =>
      port === undefined ? undefined : enforced.policies[policyIndex]?.egress[rule]?.ports?.[port],
    );
    return allowedBy.every((reference) => peerOf(enforced, reference)?.kind !== "pods")
      ? "service-by-cluster-ip"
      : rules.some((port) => port?.endPort !== undefined)
        ? "service-port-range"
        : "service-backends-differ";
  }
  return allowedBy.some(({ through }) => through !== undefined && through.prefixLength === 0)
    ? "every-port-leak"
    : allowedBy.some(({ through }) => through !== undefined)
      ? "inherited-through-intermediate"
      : "unclassified";
}

function overDenyShape(
  enforced: EgressAnalysis,
  { nodeIp }: VpcCniSemantics,
  witness: Point,
  specified: Explanation,
  { exceptedBy }: Explanation,
): DivergenceShape {
  const { family } = witness.address;
  const entry = entryAt(enforced, witness);
  if (specified.reason === "service") {
    return serviceShape(enforced, witness);
  }
  if (
    specified.allowedBy.length > 0 &&
    specified.allowedBy.every((reference) => isNameForEveryPod(enforced, reference))
  ) {
    return "named-port-without-to";
  }
  const granting = specified.allowedBy.map((reference) => blockOf(enforced, reference, family));
  const isNode = ({ family, first }: Cidr) => nodeIp?.family === family && nodeIp.value === first;
  if (exceptedBy.length > 0) {
    const blocks = exceptedBy.map((reference) => blockOf(enforced, reference, family));
    if (blocks.some((block) => block !== undefined && block.family !== family)) {
      return "other-family-except";
    }
    if (entry !== undefined && isNode(entry.cidr) && entry.cidr.first === entry.cidr.last) {
      return "node-address-excepted";
    }
    const shares = blocks.some((block) => granting.some((other) => block && other && isSame(block, other)));
    return shares ? "same-cidr-except" : "except-of-another-rule";
  }
  if (granting.some((block) => block !== undefined && isNode(block))) {
    return "node-address-rule-skipped";
  }
  if (granting.some((block) => block?.family === "ipv6" && block.prefixLength === 32)) {
    return "ipv6-prefix-32";
  }
  // The entry did not inherit, because its first address lies in an `except`: of the rule itself, or of another one
  // with the same block.
  return entry === undefined
    ? "unclassified"
    : sharesExcept(enforced, specified, entry)
      ? "same-cidr-except"
      : "shared-first-address";
}

/** Why the agent denies a ClusterIP whose backends are allowed. */
function serviceShape(
  { inventory, policies, applying }: EgressAnalysis,
  { address, protocol, port }: Point,
): DivergenceShape {
  const found = (inventory?.services ?? []).flatMap((service) =>
    service.clusterIps.some(({ family, value }) => family === address.family && value === address.value)
      ? service.ports
          .filter((servicePort) => servicePort.protocol === protocol && servicePort.port === port)
          .flatMap((servicePort) =>
            clusterIpObstacles(policies, applying, service, servicePort, inventory as Inventory).map(
              ({ kind }) => kind,
            ),
          )
      : [],
  );
  return found.includes("selector-lacks-label")
    ? "service-selector-lacks-label"
    : found.includes("port-not-resolved")
      ? "service-port-not-resolved"
      : "service-outside-block";
}

/** Whether a permission is a port name of a rule without `to`. */
function isNameForEveryPod({ policies }: EgressAnalysis, { policyIndex, rule, peer, port }: Reference): boolean {
  return (
    peer === undefined && port !== undefined && policies[policyIndex]?.egress[rule]?.ports?.[port]?.name !== undefined
  );
}

function sharesExcept(enforced: EgressAnalysis, specified: Explanation, entry: MapEntry): boolean {
  const { family } = entry.cidr;
  return specified.allowedBy.some((reference) => {
    const block = blockOf(enforced, reference, family);
    const peer = peerOf(enforced, reference);
    return (
      block !== undefined &&
      !(peer?.kind === "ipBlock" && peer.excepts.some((except) => holdsFirst(except, entry.cidr))) &&
      rulePeers(enforced.policies, enforced.applying).some(
        ({ peer: other }) =>
          other?.kind === "ipBlock" &&
          isSame(other.cidr, block) &&
          other.excepts.some((except) => contains(except, entry.cidr) || holdsFirst(except, entry.cidr)),
      )
    );
  });
}

function holdsFirst(except: Cidr, { family, first }: Cidr): boolean {
  return contains(except, { family, first, last: first });
}

function isSame(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first === b.first && a.prefixLength === b.prefixLength;
}

function entryAt(analysis: EgressAnalysis, witness: Point): MapEntry | undefined {
  const { origin } = locate(analysis, witness).cell;
  return origin.kind === "map-entry" ? origin.entry : undefined;
}

function peerOf({ policies }: EgressAnalysis, { policyIndex, rule, peer }: Reference) {
  return peer === undefined ? undefined : policies[policyIndex]?.egress[rule]?.to?.[peer];
}

/** The block that a reference is about, given the family in question; the whole family for a rule without `to`. */
function blockOf(analysis: EgressAnalysis, reference: Reference, family: AddressFamily): Cidr | undefined {
  const peer = peerOf(analysis, reference);
  return reference.peer === undefined ? wholeFamily(family) : peer?.kind === "ipBlock" ? peer.cidr : undefined;
}

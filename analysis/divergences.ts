import type { Address, AddressFamily } from "./address.ts";
import type { ChangeBox } from "./boxes.ts";
import { type Cidr, cidrKey, contains, hostOf, wholeFamily } from "./cidr.ts";
import { type CompileOptions, compile } from "./compile.ts";
import { bareDiff, type DiffBox, describeBox } from "./diff.ts";
import type { Explanation } from "./explain.ts";
import { backendsOf, type Inventory, targetNumber } from "./inventory.ts";
import type { NamedAddresses } from "./names.ts";
import type { NetworkPolicy, Peer, PolicyPort } from "./networkPolicy.ts";
import type { EgressAnalysis, Point } from "./normalForm.ts";
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
    shape: shapeOf(specified, enforced, options.semantics.nodeIp, box),
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
  nodeIp: Address | undefined,
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
  }
  if (after.verdict === "allow") {
    return overAllowShape(specified, enforced, before, after);
  }
  if (!specified.isolated) {
    return "policy-types-ignored";
  }
  return before.reason === "service"
    ? serviceShape(enforced, witness)
    : overDenyShape(enforced, nodeIp, witness, before, after);
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
    const places = allowedBy.map((reference) => placeOf(enforced, reference));
    return places.every(({ peer }) => peer?.kind !== "pods")
      ? "service-by-cluster-ip"
      : places.some(({ port }) => port?.endPort !== undefined)
        ? "service-port-range"
        : "service-backends-differ";
  }
  const passedOn = allowedBy.flatMap(({ through }) => through ?? []);
  return passedOn.some(({ prefixLength }) => prefixLength === 0)
    ? "every-port-leak"
    : passedOn.length > 0
      ? "inherited-through-intermediate"
      : "unclassified";
}

function overDenyShape(
  enforced: EgressAnalysis,
  nodeIp: Address | undefined,
  witness: Point,
  { allowedBy }: Explanation,
  { exceptedBy, entry }: Explanation,
): DivergenceShape {
  const { family } = witness.address;
  const granting = allowedBy.map((reference) => placeOf(enforced, reference, family));
  if (granting.length > 0 && granting.every(({ peer, port }) => peer === undefined && port?.name !== undefined)) {
    return "named-port-without-to";
  }
  const blocks = granting.flatMap(({ block }) => block ?? []);
  const isNode = (cidr: Cidr) => nodeIp?.family === cidr.family && nodeIp.value === cidr.first;
  if (exceptedBy.length > 0) {
    const excepting = exceptedBy.flatMap((reference) => placeOf(enforced, reference, family).block ?? []);
    if (excepting.some((block) => block.family !== family)) {
      return "other-family-except";
    }
    if (entry !== undefined && isNode(entry) && entry.first === entry.last) {
      return "node-address-excepted";
    }
    return excepting.some((block) => blocks.some((other) => isSame(block, other)))
      ? "same-cidr-except"
      : "except-of-another-rule";
  }
  if (blocks.some(isNode)) {
    return "node-address-rule-skipped";
  }
  if (blocks.some((block) => block.family === "ipv6" && block.prefixLength === 32)) {
    return "ipv6-prefix-32";
  }
  if (entry === undefined) {
    return "unclassified";
  }
  // The entry did not inherit, because its first address lies in an `except`: of the rule itself, or of another one
  // with the same block.
  return granting.some((place) => isExceptedElsewhere(enforced, place, entry))
    ? "same-cidr-except"
    : "shared-first-address";
}

/** Why the agent denies a ClusterIP whose backends are allowed. */
function serviceShape(
  { inventory, policies, applying }: EgressAnalysis,
  { address, protocol, port }: Point,
): DivergenceShape {
  const found = (inventory?.services ?? [])
    .filter(({ clusterIps }) =>
      clusterIps.some(({ family, value }) => family === address.family && value === address.value),
    )
    .flatMap((service) =>
      service.ports
        .filter((own) => own.protocol === protocol && own.port === port)
        .flatMap((own) => clusterIpObstacles(policies, applying, service, own, inventory as Inventory)),
    )
    .map(({ kind }) => kind);
  return found.includes("selector-lacks-label")
    ? "service-selector-lacks-label"
    : found.includes("port-not-resolved")
      ? "service-port-not-resolved"
      : "service-outside-block";
}

/** What a reference is about. */
interface Place {
  /** `undefined`: the rule has no `to`. */
  readonly peer: Peer | undefined;
  readonly port: PolicyPort | undefined;
  /** The peer's block; the whole of a family for a rule without `to`. */
  readonly block: Cidr | undefined;
}

function placeOf(
  { policies }: EgressAnalysis,
  { policyIndex, rule: ruleIndex, ...reference }: Reference,
  family: AddressFamily = "ipv4",
): Place {
  const rule = policies[policyIndex]?.egress[ruleIndex];
  const peer = reference.peer === undefined ? undefined : rule?.to?.[reference.peer];
  const port = reference.port === undefined ? undefined : rule?.ports?.[reference.port];
  const block = peer === undefined ? wholeFamily(family) : peer.kind === "ipBlock" ? peer.cidr : undefined;
  return { peer, port, block };
}

/** Whether an entry is in an `except` of another rule with the block of a rule whose own `except`s leave it. */
function isExceptedElsewhere({ policies, applying }: EgressAnalysis, { peer, block }: Place, entry: Cidr): boolean {
  const first = { ...entry, last: entry.first };
  const excepts = (other: Peer | undefined) =>
    other?.kind === "ipBlock" && other.excepts.some((except) => contains(except, first));
  return (
    block !== undefined &&
    !excepts(peer) &&
    rulePeers(policies, applying).some(
      ({ peer: other }) => other?.kind === "ipBlock" && isSame(other.cidr, block) && excepts(other),
    )
  );
}

function isSame(a: Cidr, b: Cidr): boolean {
  return cidrKey(a) === cidrKey(b);
}

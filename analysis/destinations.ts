import { type Explanation, explain } from "./explain.ts";
import {
  backendsOf,
  type Inventory,
  NAMESPACE_NAME_LABEL,
  type Pod,
  type Service,
  type ServicePort,
  targetNumber,
} from "./inventory.ts";
import { DEPENDS_ON_LABELS } from "./isolation.ts";
import { type LabelSelector, selects } from "./labelSelector.ts";
import type { EgressAnalysis, SelectorRegion } from "./normalForm.ts";
import { formatPoint } from "./point.ts";
import { spanAt } from "./ports.ts";
import type { PolicyProtocol } from "./protocol.ts";
import { formatReference, referenceTo } from "./reference.ts";
import type { Verdict } from "./verdict.ts";
import { clusterIpObstacles } from "./vpcCniTerms.ts";

/**
 * A pod or a Service that a packet is sent to. The port is the one that the sender names: a Service's own, not the
 * container's behind it.
 */
export interface ObjectDestination {
  readonly kind: "pod" | "service";
  readonly namespace: string;
  readonly name: string;
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

/** `mixed`: it depends on the backend or the address that is chosen. `unknown`: what was given does not decide it. */
export type ObjectVerdict = Verdict | "mixed" | "unknown";

/** One address that stands for the destination. */
export interface DestinationPart {
  /** Whose address it is: `ClusterIP`, `pod keeperhub/executor-0`. */
  readonly what: string;
  readonly explanation: Explanation;
}

/** What happens to packets for a pod or a Service, and why. */
export interface ObjectExplanation {
  readonly destination: ObjectDestination;
  readonly verdict: ObjectVerdict;
  /** The addresses that were judged; empty where there are none. */
  readonly parts: readonly DestinationPart[];
  /** The rules for pods by label that may be about this one, where no inventory says so. */
  readonly candidates: readonly SelectorRegion[];
  /** How the verdict came about, in one sentence; the parts have the rules. */
  readonly text: string;
}

/**
 * Judges a pod or a Service of the analysis' inventory.
 *
 * A pod is judged by its addresses. A Service is judged under `kubernetes` by its backends at their target ports, which is
 * where its packets arrive, and under `vpc-cni` by its ClusterIP and own port, because the agent sees packets before their
 * destination is rewritten. A headless Service has no ClusterIP and rewrites nothing: its name means the pods themselves.
 *
 * Without an inventory the verdict is `unknown`, unless no policy isolates the sender.
 *
 * @throws {RangeError} if the inventory has no such pod, Service or Service port.
 */
export function explainObject(analysis: EgressAnalysis, destination: ObjectDestination): ObjectExplanation {
  const { isolated, ifIsolated, inventory } = analysis;
  const what = formatObject(destination);
  const answer = (verdict: ObjectVerdict, text: string, more: Partial<ObjectExplanation> = {}): ObjectExplanation => ({
    destination,
    verdict,
    parts: [],
    candidates: [],
    text: `${what} ${text}.`,
    ...more,
  });
  if (!isolated) {
    return ifIsolated === undefined
      ? answer("allow", "is allowed because no policy isolates the egress of this pod")
      : answer("unknown", DEPENDS_ON_LABELS);
  }
  if (inventory === undefined) {
    const candidates = candidatesFor(analysis, destination);
    const hint =
      candidates.length === 0
        ? "no rule names pods by label that it may lead to, but a block may hold its address"
        : `it may lead to ${candidates.map(({ text }) => text).join("; or to ")}`;
    return answer("unknown", `cannot be judged without an inventory of pods and Services: ${hint}`, { candidates });
  }
  const judge = destination.kind === "pod" ? podParts : serviceParts;
  const { parts, how } = judge(analysis, inventory, destination);
  const verdict = commonVerdict(parts);
  return answer(verdict, `${OUTCOME[verdict]}: ${how}`, { parts });
}

/** `service/keeperhub/executor:3080/tcp`, the form that the command line reads. */
function formatObject({ kind, namespace, name, protocol, port }: ObjectDestination): string {
  return `${kind}/${namespace}/${name}:${port}/${protocol.toLowerCase()}`;
}

const OUTCOME: Readonly<Record<ObjectVerdict, string>> = {
  allow: "is allowed",
  deny: "is denied",
  "order-dependent": "is allowed or denied at random",
  mixed: "is allowed in part",
  unknown: "cannot be judged",
};

interface Judged {
  readonly parts: readonly DestinationPart[];
  readonly how: string;
}

function podParts(analysis: EgressAnalysis, { pods }: Inventory, destination: ObjectDestination): Judged {
  const pod = find(pods, destination, "pod");
  const parts = partsOf(analysis, pod, destination.protocol, destination.port);
  return { parts, how: parts.length === 0 ? "the pod has no address yet" : "judged by the pod's address" };
}

function serviceParts(analysis: EgressAnalysis, inventory: Inventory, destination: ObjectDestination): Judged {
  const { semantics } = analysis;
  const { protocol, port } = destination;
  const service = find(inventory.services, destination, "service");
  const servicePort = portOf(service, destination);
  const [first] = service.clusterIps;
  const isEnforced = semantics.name === "vpc-cni";
  if (first !== undefined && (isEnforced || service.selector === undefined)) {
    const own = isEnforced ? service.clusterIps.find(({ family }) => family === semantics.ipFamily) : undefined;
    const explanation = explain(analysis, { address: own ?? first, protocol, port });
    const isDenied = isEnforced && explanation.verdict === "deny";
    const how = isEnforced
      ? `the agent judges the ClusterIP, before a backend is chosen${isDenied ? `; ${noEntry(analysis, service, servicePort, inventory)}` : ""}`
      : "its backends aren't chosen by labels, so it is judged by its ClusterIP";
    return { parts: [{ what: "ClusterIP", explanation }], how };
  }
  // Without a ClusterIP nothing rewrites the port.
  const isHeadless = first === undefined;
  const parts = backendsOf(service, inventory).flatMap((pod) => {
    const target = isHeadless ? port : targetNumber(servicePort, pod);
    return target === undefined ? [] : partsOf(analysis, pod, protocol, target);
  });
  const backends = `judged by ${parts.length === 1 ? "its one backend" : `its ${parts.length} backends`}`;
  const where = isHeadless ? ", whose addresses its name has" : " at the target port";
  return { parts, how: parts.length === 0 ? "no running pod of the inventory is behind it" : `${backends}${where}` };
}

/** Why the agent has no entry that allows a ClusterIP. */
function noEntry(analysis: EgressAnalysis, service: Service, servicePort: ServicePort, inventory: Inventory): string {
  const { policies, applying } = analysis;
  const obstacles = clusterIpObstacles(policies, applying, service, servicePort, inventory);
  return obstacles.length === 0
    ? "no rule names its pods by label and allows their port, so the controller emits no rule for the ClusterIP"
    : obstacles.map(({ place, why }) => `${formatReference(referenceTo(analysis, place))} ${why}`).join("; ");
}

function partsOf(analysis: EgressAnalysis, pod: Pod, protocol: PolicyProtocol, port: number): DestinationPart[] {
  return pod.addresses.map((address) => ({
    what: `pod ${pod.namespace}/${pod.name}`,
    explanation: explain(analysis, { address, protocol, port }),
  }));
}

function commonVerdict(parts: readonly DestinationPart[]): ObjectVerdict {
  const verdicts = new Set(parts.map(({ explanation }) => explanation.verdict));
  const [only] = verdicts;
  return only === undefined ? "unknown" : verdicts.size > 1 ? "mixed" : only;
}

function find<T extends { readonly namespace: string; readonly name: string }>(
  objects: readonly T[],
  { namespace, name }: ObjectDestination,
  kind: string,
): T {
  const found = objects.find((object) => object.namespace === namespace && object.name === name);
  if (found === undefined) {
    const there = objects.filter((object) => object.namespace === namespace).map((object) => object.name);
    throw new RangeError(
      `the inventory has no ${kind} ${namespace}/${name}; ${
        there.length === 0 ? `it has no ${kind} in that namespace` : `in that namespace it has ${listed(there)}`
      }`,
    );
  }
  return found;
}

function portOf({ ports, namespace, name }: Service, destination: ObjectDestination): ServicePort {
  const found = ports.find(({ protocol, port }) => protocol === destination.protocol && port === destination.port);
  if (found === undefined) {
    throw new RangeError(
      `Service ${namespace}/${name} has no port ${destination.port}/${destination.protocol.toLowerCase()}; it has ${
        ports.map(({ port, protocol }) => `${port}/${protocol.toLowerCase()}`).join(", ") || "none"
      }`,
    );
  }
  return found;
}

function listed(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
}

/** The sets of pods that a rule allows on the port and that may hold the destination, as far as its namespace tells. */
function candidatesFor({ selectors }: EgressAnalysis, destination: ObjectDestination): SelectorRegion[] {
  const { namespace, protocol, port, kind } = destination;
  return selectors.filter(({ pods, table, namedPorts }) => {
    const allowsPort =
      // The port of a Service says nothing about the container's.
      kind === "service" ||
      spanAt(table.spans[protocol] ?? [], port)?.verdict === "allow" ||
      namedPorts.some((named) => named.protocol === protocol);
    return allowsPort && maySelectNamespace(pods.namespaceSelector, namespace);
  });
}

/** Whether a selector may match a namespace of which only the name is known. */
function maySelectNamespace({ requirements }: LabelSelector, namespace: string): boolean {
  return selects(
    { requirements: requirements.filter(({ key }) => key === NAMESPACE_NAME_LABEL) },
    { [NAMESPACE_NAME_LABEL]: namespace },
  );
}

/** One line for each part: `ClusterIP 172.20.0.10:53/udp is allowed by …`. */
export function formatPart({ what, explanation }: DestinationPart): string {
  return explanation.text.replace(formatPoint(explanation.point), `${what}, ${formatPoint(explanation.point)}`);
}

import { type Cidr, contains, formatCidr, parseCidr } from "./cidr.ts";
import { Input } from "./input.ts";
import {
  EVERYTHING,
  isLabelKey,
  isLabelValue,
  isNamespaceName,
  isObjectName,
  type LabelRequirement,
  type LabelSelector,
  labelSelector,
} from "./labelSelector.ts";
import type { EgressRule, NetworkPolicy, Peer, PolicyPort } from "./networkPolicy.ts";
import { isWrittenMapped, parsePolicyCidr, writtenPrefixLength } from "./policyCidr.ts";
import { type Problem, throwIfWrong } from "./problems.ts";
import { EVERY_PORT, POLICY_PROTOCOLS, type PolicyProtocol } from "./protocol.ts";

export interface ParseOptions {
  /** Where a policy without `metadata.namespace` belongs, as with `kubectl apply --namespace`. Default: `default`. */
  readonly namespace?: string;
  /** What the problems' paths start with, such as `policies[2].`. Default: nothing. */
  readonly path?: string;
}

/**
 * Reads the egress half of `networking.k8s.io/v1` NetworkPolicy objects, as they come from YAML or JSON, and refuses what
 * the API server would refuse (`ValidateNetworkPolicy` and strict field validation of Kubernetes 1.34): a policy that is
 * never stored denies nothing, so metadata and the `ingress` half are looked at too, for that alone. What the API server
 * takes with a warning is read as it reads it and noted in {@link NetworkPolicy.warnings}. `null` means what it means in
 * Go, an empty value: a rule that is `null` allows everything. Unknown fields are refused: a misspelt `except` is not an
 * empty one. `status` and unknown metadata are ignored, and `metadata` may be missing.
 *
 * @throws {ProblemsError} with every problem of every policy.
 */
export function parseNetworkPolicies(inputs: readonly unknown[], options: ParseOptions = {}): NetworkPolicy[] {
  const problems: Problem[] = [];
  const prefix = options.path ?? "";
  const policies = inputs.map((input, index) => {
    const path = inputs.length === 1 ? prefix.replace(/\.$/, "") : `${prefix}[${index}]`;
    return readNetworkPolicy(new Input(input, path, problems), options.namespace);
  });
  throwIfWrong("Not a NetworkPolicy that the API server would accept:", problems);
  return policies;
}

/** Reads one policy as {@link parseNetworkPolicies} does, and notes what is wrong with it. */
export function readNetworkPolicy(input: Input, namespace = "default"): NetworkPolicy {
  const policy = input.members(["apiVersion", "kind", "metadata", "spec", "status"]);
  const [apiVersion, kind] = [policy.at("apiVersion"), policy.at("kind")];
  if (apiVersion.value !== undefined && apiVersion.value !== "networking.k8s.io/v1") {
    apiVersion.wrong("only networking.k8s.io/v1 can be analysed");
  }
  if (kind.value !== undefined && kind.value !== "NetworkPolicy") {
    kind.wrong("must be NetworkPolicy");
  }
  const metadata = readMetadata(policy.at("metadata").optionalMembers());
  const spec = policy.at("spec").members(["podSelector", "policyTypes", "egress", "ingress"]);
  const warnings: Problem[] = [];
  const egress = spec.at("egress").list().map(readRule("to", warnings));
  spec.at("ingress").list().map(readRule("from", warnings));
  return {
    // An empty string means the same as a missing one, as everywhere in the API.
    name: metadata.name || "(unnamed)",
    namespace: metadata.namespace || namespace,
    podSelector: readSelector(spec.at("podSelector")) ?? EVERYTHING,
    isolatesEgress: readPolicyTypes(spec.at("policyTypes"))?.has("Egress") ?? egress.length > 0,
    egress,
    warnings,
  };
}

function readMetadata(metadata: Input): { name: string | undefined; namespace: string | undefined } {
  const name = metadata.at("name").string();
  const namespace = metadata.at("namespace").string();
  if (name && !isObjectName(name)) {
    metadata.at("name").wrong("must be a DNS subdomain: a-z, 0-9, - and ., a letter or digit at both ends");
  }
  if (namespace && !isNamespaceName(namespace)) {
    metadata.at("namespace").wrong("must be a DNS label: at most 63 of a-z, 0-9 and -, a letter or digit at both ends");
  }
  readLabels(metadata.at("labels"));
  const annotations = metadata.at("annotations");
  for (const [key, value] of annotations.entries()) {
    // Keys of annotations may have capitals in the prefix.
    checkLabelKey(annotations, key, key.toLowerCase());
    value.string();
  }
  return { name, namespace };
}

function readLabels(input: Input): [key: string, value: string][] {
  return input.entries().map(([key, value]) => {
    checkLabelKey(input, key);
    return [key, readLabelValue(value)];
  });
}

/** `undefined` where the API server would fill the list in. */
function readPolicyTypes(input: Input): Set<unknown> | undefined {
  const types = input.list();
  if (types.length > 2) {
    input.wrong("must not have more than two elements");
  }
  for (const type of types.filter(({ value }) => value !== "Egress" && value !== "Ingress")) {
    type.wrong("must be Egress or Ingress");
  }
  return types.length === 0 ? undefined : new Set(types.map(({ value }) => value));
}

function readRule(peersField: "to" | "from", warnings: Problem[]): (input: Input) => EgressRule {
  return (input) => {
    const rule = input.optionalMembers([peersField, "ports"]);
    const to = rule
      .at(peersField)
      .list()
      .map((peer) => readPeer(peer, warnings));
    const ports = rule.at("ports").list().map(readPort);
    return { to: to.length === 0 ? undefined : to, ports: ports.length === 0 ? undefined : ports };
  };
}

function readPeer(input: Input, warnings: Problem[]): Peer {
  const peer = input.optionalMembers(["ipBlock", "podSelector", "namespaceSelector"]);
  const podSelector = readSelector(peer.at("podSelector"));
  const namespaceSelector = readSelector(peer.at("namespaceSelector"));
  if (!peer.has("ipBlock")) {
    if (podSelector === undefined && namespaceSelector === undefined) {
      input.wrong("must have an ipBlock, a podSelector or a namespaceSelector");
    }
    return { kind: "pods", namespaceSelector, podSelector: podSelector ?? EVERYTHING };
  }
  if (podSelector !== undefined || namespaceSelector !== undefined) {
    input.wrong("ipBlock cannot be combined with podSelector or namespaceSelector");
  }
  const block = peer.at("ipBlock").members(["cidr", "except"]);
  const cidr = readCidr(block.at("cidr"), warnings);
  const excepts: Cidr[] = [];
  for (const item of block.at("except").list()) {
    const except = readCidr(item, warnings);
    if (except === undefined || cidr === undefined) {
      continue;
    }
    // As Go does: the first address has to be inside, and prefix lengths are compared as they are written.
    const first = { ...except, last: except.first };
    if (except.family !== cidr.family) {
      const read = isWrittenMapped(except) ? `is read as ${formatCidr(except)}, ` : "is ";
      item.wrong(`${read}${except.family} inside the ${cidr.family} block ${block.at("cidr").value}`);
    } else if (!contains(cidr, first) || writtenPrefixLength(cidr) >= writtenPrefixLength(except)) {
      item.wrong(`must lie strictly inside ${block.at("cidr").value}`);
    }
    excepts.push(except);
  }
  return { kind: "ipBlock", cidr: cidr ?? parseCidr("0.0.0.0/0"), excepts };
}

function readCidr(input: Input, warnings: Problem[]): Cidr | undefined {
  if (typeof input.value !== "string") {
    return input.wrong("must be a CIDR block such as 10.0.0.0/8");
  }
  const read = input.parsed(input.value, parsePolicyCidr);
  if (read?.warning !== undefined) {
    warnings.push({ where: input.path, value: input.value, reason: read.warning });
  }
  return read?.cidr;
}

function readPort(input: Input): PolicyPort {
  const entry = input.optionalMembers(["protocol", "port", "endPort"]);
  const [port, endPort] = [entry.at("port"), entry.at("endPort")];
  const protocol = (entry.at("protocol").value ?? "TCP") as PolicyProtocol;
  if (!POLICY_PROTOCOLS.includes(protocol)) {
    entry.at("protocol").wrong("must be TCP, UDP or SCTP");
  }
  if (!port.isGiven) {
    if (endPort.isGiven) {
      endPort.wrong("needs a port that it is the end of");
    }
    return { protocol, range: EVERY_PORT };
  }
  if (typeof port.value === "string") {
    if (port.value.length > 15 || !/[a-z]/.test(port.value) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(port.value)) {
      port.wrong("must be a number from 1 to 65535 or a port name (a-z, 0-9, -; at most 15)");
    }
    if (endPort.isGiven) {
      endPort.wrong("cannot follow a named port");
    }
    return { protocol, name: port.value };
  }
  const from = port.portNumber();
  const to = endPort.isGiven ? endPort.portNumber() : from;
  if (to < from) {
    endPort.wrong(`must not be below port ${from}`);
  }
  return { protocol, range: { from, to }, ...(endPort.isGiven ? { endPort: to } : {}) };
}

/** A label selector as a NetworkPolicy would hold it, everything where it is missing; `undefined` for what is none. */
export function parseLabelSelector(selector: unknown): LabelSelector | undefined {
  const problems: Problem[] = [];
  const read = readSelector(new Input(selector, "", problems)) ?? EVERYTHING;
  return problems.length > 0 ? undefined : read;
}

function readSelector(input: Input): LabelSelector | undefined {
  if (!input.isGiven) {
    return undefined;
  }
  const selector = input.members(["matchLabels", "matchExpressions"]);
  return labelSelector([
    ...readLabels(selector.at("matchLabels")).map(
      ([key, value]): LabelRequirement => ({ key, operator: "In", values: [value] }),
    ),
    ...selector.at("matchExpressions").list().map(readRequirement),
  ]);
}

function readRequirement(input: Input): LabelRequirement {
  const requirement = input.optionalMembers(["key", "operator", "values"]);
  const values = requirement.at("values");
  const operator = requirement.at("operator").value;
  const list = values.list().map(readLabelValue);
  switch (operator) {
    case "In":
    case "NotIn":
      if (list.length === 0) {
        values.wrong(`must not be empty with ${operator}`);
      }
      break;
    case "Exists":
    case "DoesNotExist":
      if (list.length > 0) {
        values.wrong(`must be empty with ${operator}`);
      }
      break;
    default:
      requirement.at("operator").wrong("must be In, NotIn, Exists or DoesNotExist");
  }
  const key = requirement.at("key");
  checkLabelKey(key, key.value);
  return { key: String(key.value), operator: operator as LabelRequirement["operator"], values: list };
}

/** @param key as it is written; what is checked may differ from it */
function checkLabelKey(at: Input, key: unknown, checked = key): void {
  if (typeof checked !== "string" || !isLabelKey(checked)) {
    at.wrong("must be a label key, such as app or app.kubernetes.io/name (a name has at most 63 characters)", key);
  }
}

function readLabelValue(input: Input): string {
  const text = input.string() ?? "";
  if (!isLabelValue(text)) {
    input.wrong("must be a label value: at most 63 of A-Z, a-z, 0-9, -, _ and ., a letter or digit at both ends");
  }
  return text;
}

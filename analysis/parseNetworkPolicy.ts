import { type Cidr, contains, formatCidr, parseCidr } from "./cidr.ts";
import { InputReader } from "./inputReader.ts";
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
import {
  type EgressRule,
  EVERY_PORT,
  type NetworkPolicy,
  type Peer,
  POLICY_PROTOCOLS,
  type PolicyPort,
  type PolicyProtocol,
} from "./networkPolicy.ts";
import { isWrittenMapped, parsePolicyCidr, writtenPrefixLength } from "./policyCidr.ts";
import type { Problem } from "./problems.ts";

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
  const reader = new PolicyReader();
  const prefix = options.path ?? "";
  const policies = inputs.map((input, index) => {
    const path = inputs.length === 1 ? prefix : `${prefix}[${index}].`;
    return reader.policy(input, path, options.namespace ?? "default");
  });
  reader.throwIfWrong("Not a NetworkPolicy that the API server would accept:");
  return policies;
}

class PolicyReader extends InputReader {
  private warnings: Problem[] = [];

  policy(input: unknown, path: string, namespace: string): NetworkPolicy {
    const policy = this.fields(input, path.replace(/\.$/, "") || "policy", [
      "apiVersion",
      "kind",
      "metadata",
      "spec",
      "status",
    ]);
    if (policy.apiVersion !== undefined && policy.apiVersion !== "networking.k8s.io/v1") {
      this.report(`${path}apiVersion`, policy.apiVersion, "only networking.k8s.io/v1 can be analysed");
    }
    if (policy.kind !== undefined && policy.kind !== "NetworkPolicy") {
      this.report(`${path}kind`, policy.kind, "must be NetworkPolicy");
    }
    const metadata = this.metadata(policy.metadata, `${path}metadata`);
    const spec = this.fields(policy.spec, `${path}spec`, ["podSelector", "policyTypes", "egress", "ingress"]);
    this.warnings = [];
    const egress = this.rules(spec.egress, `${path}spec.egress`, "to");
    this.rules(spec.ingress, `${path}spec.ingress`, "from");
    return {
      // An empty string means the same as a missing one, as everywhere in the API.
      name: metadata.name || "(unnamed)",
      namespace: metadata.namespace || namespace,
      podSelector: this.selector(spec.podSelector, `${path}spec.podSelector`) ?? EVERYTHING,
      isolatesEgress: this.policyTypes(spec.policyTypes, `${path}spec.policyTypes`)?.has("Egress") ?? egress.length > 0,
      egress,
      warnings: this.warnings,
    };
  }

  private metadata(input: unknown, path: string): { name: string | undefined; namespace: string | undefined } {
    const metadata = this.optionalFields(input, path);
    const name = this.text(metadata.name, `${path}.name`);
    const namespace = this.text(metadata.namespace, `${path}.namespace`);
    if (name && !isObjectName(name)) {
      this.report(`${path}.name`, name, "must be a DNS subdomain: a-z, 0-9, - and ., a letter or digit at both ends");
    }
    if (namespace && !isNamespaceName(namespace)) {
      this.report(
        `${path}.namespace`,
        namespace,
        "must be a DNS label: at most 63 of a-z, 0-9 and -, a letter or digit at both ends",
      );
    }
    this.labels(metadata.labels, `${path}.labels`);
    for (const [key, value] of Object.entries(this.optionalFields(metadata.annotations, `${path}.annotations`))) {
      // Keys of annotations may have capitals in the prefix.
      this.labelKey(key.toLowerCase(), `${path}.annotations`, key);
      this.text(value, `${path}.annotations.${key}`);
    }
    return { name, namespace };
  }

  private labels(input: unknown, path: string): [key: string, value: string][] {
    return Object.entries(this.optionalFields(input, path)).map(([key, value]) => {
      this.labelKey(key, path);
      return [key, this.labelValue(value, `${path}.${key}`)];
    });
  }

  /** `undefined` where the API server would fill the list in. */
  private policyTypes(input: unknown, path: string): Set<unknown> | undefined {
    const types = this.list(input, path);
    if (types.length > 2) {
      this.report(path, input, "must not have more than two elements");
    }
    for (const [index, type] of types.entries()) {
      if (type !== "Egress" && type !== "Ingress") {
        this.report(`${path}[${index}]`, type, "must be Egress or Ingress");
      }
    }
    return types.length === 0 ? undefined : new Set(types);
  }

  private rules(input: unknown, path: string, peersField: "to" | "from"): EgressRule[] {
    return this.list(input, path).map((rule, index) => this.rule(rule, `${path}[${index}]`, peersField));
  }

  private rule(input: unknown, path: string, peersField: "to" | "from"): EgressRule {
    const { [peersField]: to, ports } = this.optionalFields(input, path, [peersField, "ports"]);
    const peers = this.list(to, `${path}.${peersField}`).map((peer, index) =>
      this.peer(peer, `${path}.${peersField}[${index}]`),
    );
    const entries = this.list(ports, `${path}.ports`).map((port, index) => this.port(port, `${path}.ports[${index}]`));
    return {
      to: peers.length === 0 ? undefined : peers,
      ports: entries.length === 0 ? undefined : entries,
    };
  }

  private peer(input: unknown, path: string): Peer {
    const peer = this.optionalFields(input, path, ["ipBlock", "podSelector", "namespaceSelector"]);
    const podSelector = this.selector(peer.podSelector, `${path}.podSelector`);
    const namespaceSelector = this.selector(peer.namespaceSelector, `${path}.namespaceSelector`);
    if (peer.ipBlock === undefined || peer.ipBlock === null) {
      if (podSelector === undefined && namespaceSelector === undefined) {
        this.report(path, input, "must have an ipBlock, a podSelector or a namespaceSelector");
      }
      return { kind: "pods", namespaceSelector, podSelector: podSelector ?? EVERYTHING };
    }
    if (podSelector !== undefined || namespaceSelector !== undefined) {
      this.report(path, input, "ipBlock cannot be combined with podSelector or namespaceSelector");
    }
    const block = this.fields(peer.ipBlock, `${path}.ipBlock`, ["cidr", "except"]);
    const cidr = this.cidr(block.cidr, `${path}.ipBlock.cidr`);
    const excepts: Cidr[] = [];
    for (const [index, text] of this.list(block.except, `${path}.ipBlock.except`).entries()) {
      const exceptPath = `${path}.ipBlock.except[${index}]`;
      const except = this.cidr(text, exceptPath);
      if (except === undefined || cidr === undefined) {
        continue;
      }
      // As Go does: the first address has to be inside, and prefix lengths are compared as they are written.
      const first = { ...except, last: except.first };
      if (except.family !== cidr.family) {
        const read = isWrittenMapped(except) ? `is read as ${formatCidr(except)}, ` : "is ";
        this.report(exceptPath, text, `${read}${except.family} inside the ${cidr.family} block ${block.cidr}`);
      } else if (!contains(cidr, first) || writtenPrefixLength(cidr) >= writtenPrefixLength(except)) {
        this.report(exceptPath, text, `must lie strictly inside ${block.cidr}`);
      }
      excepts.push(except);
    }
    return { kind: "ipBlock", cidr: cidr ?? parseCidr("0.0.0.0/0"), excepts };
  }

  private cidr(input: unknown, path: string): Cidr | undefined {
    if (typeof input !== "string") {
      this.report(path, input, "must be a CIDR block such as 10.0.0.0/8");
      return undefined;
    }
    try {
      const { cidr, warning } = parsePolicyCidr(input);
      if (warning !== undefined) {
        this.warnings.push({ where: path, value: input, reason: warning });
      }
      return cidr;
    } catch (error) {
      this.report(path, undefined, (error as RangeError).message);
      return undefined;
    }
  }

  private port(input: unknown, path: string): PolicyPort {
    const { protocol: named, port, endPort } = this.optionalFields(input, path, ["protocol", "port", "endPort"]);
    const protocol = (named ?? "TCP") as PolicyProtocol;
    if (!POLICY_PROTOCOLS.includes(protocol)) {
      this.report(`${path}.protocol`, named, "must be TCP, UDP or SCTP");
    }
    const hasEnd = endPort !== undefined && endPort !== null;
    if (port === undefined || port === null) {
      if (hasEnd) {
        this.report(`${path}.endPort`, endPort, "needs a port that it is the end of");
      }
      return { protocol, range: EVERY_PORT };
    }
    if (typeof port === "string") {
      if (port.length > 15 || !/[a-z]/.test(port) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(port)) {
        this.report(`${path}.port`, port, "must be a number from 1 to 65535 or a port name (a-z, 0-9, -; at most 15)");
      }
      if (hasEnd) {
        this.report(`${path}.endPort`, endPort, "cannot follow a named port");
      }
      return { protocol, name: port };
    }
    const from = this.portNumber(port, `${path}.port`);
    const to = hasEnd ? this.portNumber(endPort, `${path}.endPort`) : from;
    if (to < from) {
      this.report(`${path}.endPort`, endPort, `must not be below port ${from}`);
    }
    return { protocol, range: { from, to }, ...(hasEnd ? { endPort: to } : {}) };
  }

  private selector(input: unknown, path: string): LabelSelector | undefined {
    if (input === undefined || input === null) {
      return undefined;
    }
    const { matchLabels, matchExpressions } = this.fields(input, path, ["matchLabels", "matchExpressions"]);
    const requirements = this.labels(matchLabels, `${path}.matchLabels`).map(
      ([key, value]): LabelRequirement => ({ key, operator: "In", values: [value] }),
    );
    for (const [index, expression] of this.list(matchExpressions, `${path}.matchExpressions`).entries()) {
      requirements.push(this.requirement(expression, `${path}.matchExpressions[${index}]`));
    }
    return labelSelector(requirements);
  }

  private requirement(input: unknown, path: string): LabelRequirement {
    const { key, operator, values } = this.optionalFields(input, path, ["key", "operator", "values"]);
    const list = this.list(values, `${path}.values`).map((value, index) =>
      this.labelValue(value, `${path}.values[${index}]`),
    );
    switch (operator) {
      case "In":
      case "NotIn":
        if (list.length === 0) {
          this.report(`${path}.values`, values, `must not be empty with ${operator}`);
        }
        break;
      case "Exists":
      case "DoesNotExist":
        if (list.length > 0) {
          this.report(`${path}.values`, values, `must be empty with ${operator}`);
        }
        break;
      default:
        this.report(`${path}.operator`, operator, "must be In, NotIn, Exists or DoesNotExist");
    }
    this.labelKey(key, `${path}.key`);
    return { key: String(key), operator: operator as LabelRequirement["operator"], values: list };
  }

  private labelKey(input: unknown, path: string, written: unknown = input): void {
    if (typeof input !== "string" || !isLabelKey(input)) {
      this.report(
        path,
        written,
        "must be a label key, such as app or app.kubernetes.io/name (a name has at most 63 characters)",
      );
    }
  }

  private labelValue(input: unknown, path: string): string {
    const text = this.text(input, path) ?? "";
    if (!isLabelValue(text)) {
      this.report(
        path,
        input,
        "must be a label value: at most 63 of A-Z, a-z, 0-9, -, _ and ., a letter or digit at both ends",
      );
    }
    return text;
  }
}

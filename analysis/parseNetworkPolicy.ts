import { type Cidr, contains, parseCidr } from "./cidr.ts";
import { InputReader } from "./inputReader.ts";
import {
  EVERYTHING,
  isLabelKey,
  isLabelValue,
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

export interface ParseOptions {
  /** Where a policy without `metadata.namespace` belongs, as with `kubectl apply --namespace`. Default: `default`. */
  readonly namespace?: string;
  /** What the problems' paths start with, such as `policies[2].`. Default: nothing. */
  readonly path?: string;
}

/**
 * Reads the egress half of `networking.k8s.io/v1` NetworkPolicy objects, as they come from YAML or JSON, and refuses what
 * the API server would refuse (`ValidateNetworkPolicySpec` of Kubernetes 1.34, with the strict CIDR form of KEP-4858):
 * a policy that is never stored denies nothing, so the `ingress` half is looked at too, for that alone. Unknown fields
 * are refused: a misspelt `except` is not an empty one. `status` and unknown metadata are ignored.
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
    const metadata = policy.metadata === undefined ? {} : this.fields(policy.metadata, `${path}metadata`);
    const spec = this.fields(policy.spec, `${path}spec`, ["podSelector", "policyTypes", "egress", "ingress"]);
    const egress = this.rules(spec.egress, `${path}spec.egress`, "to");
    this.rules(spec.ingress, `${path}spec.ingress`, "from");
    return {
      // An empty text means the same as a missing one, as everywhere in the API.
      name: this.text(metadata.name, `${path}metadata.name`) || "(unnamed)",
      namespace: this.text(metadata.namespace, `${path}metadata.namespace`) || namespace,
      podSelector: this.selector(spec.podSelector, `${path}spec.podSelector`) ?? EVERYTHING,
      isolatesEgress: this.policyTypes(spec.policyTypes, `${path}spec.policyTypes`)?.has("Egress") ?? egress.length > 0,
      egress,
    };
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
    const { [peersField]: to, ports } = this.fields(input, path, [peersField, "ports"]);
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
    const peer = this.fields(input, path, ["ipBlock", "podSelector", "namespaceSelector"]);
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
      if (except.family !== cidr.family) {
        this.report(exceptPath, text, `is ${except.family} inside the ${cidr.family} block ${block.cidr}`);
      } else if (!contains(cidr, except) || cidr.prefixLength === except.prefixLength) {
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
      return parseCidr(input);
    } catch (error) {
      this.report(path, undefined, (error as RangeError).message);
      return undefined;
    }
  }

  private port(input: unknown, path: string): PolicyPort {
    const { protocol: named, port, endPort } = this.fields(input, path, ["protocol", "port", "endPort"]);
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
    const requirements: LabelRequirement[] = [];
    for (const [key, value] of Object.entries(
      matchLabels === undefined || matchLabels === null ? {} : this.fields(matchLabels, `${path}.matchLabels`),
    )) {
      this.labelKey(key, `${path}.matchLabels`);
      requirements.push({ key, operator: "In", values: [this.labelValue(value, `${path}.matchLabels.${key}`)] });
    }
    for (const [index, expression] of this.list(matchExpressions, `${path}.matchExpressions`).entries()) {
      requirements.push(this.requirement(expression, `${path}.matchExpressions[${index}]`));
    }
    return labelSelector(requirements);
  }

  private requirement(input: unknown, path: string): LabelRequirement {
    const { key, operator, values } = this.fields(input, path, ["key", "operator", "values"]);
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

  private labelKey(input: unknown, path: string): void {
    if (typeof input !== "string" || !isLabelKey(input)) {
      this.report(
        path,
        input,
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

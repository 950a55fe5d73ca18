import { ADDRESS_FAMILIES, parseAddress } from "./address.ts";
import type { Assertion } from "./assertions.ts";
import { type AddressRange, hostOf, parseCidr } from "./cidr.ts";
import { onTheWire } from "./embeddedIpv4.ts";
import { InputReader } from "./inputReader.ts";
import { NAMESPACE_NAME_LABEL } from "./inventory.ts";
import { EVERYTHING, isLabelKey, isLabelValue, type LabelSelector, labelSelector } from "./labelSelector.ts";
import { EVERY_PORT, POLICY_PROTOCOLS, type PolicyProtocol, type PortRange } from "./networkPolicy.ts";
import { rangeSet, subtract, wholeFamilies } from "./rangeSet.ts";
import type { PodSet } from "./reach/podSets.ts";
import { credentialEndpoints, notGloballyReachable, publicInternet } from "./specialPurpose.ts";

/** Sets of addresses that an assertion may name instead of writing them out (docs/assertions.md). */
const NAMED_SETS: Readonly<Record<string, () => readonly AddressRange[]>> = {
  everything: wholeFamilies,
  "public-internet": () => ADDRESS_FAMILIES.flatMap((family) => publicInternet(family)),
  "not-globally-reachable": () => ADDRESS_FAMILIES.flatMap(notGloballyReachable),
  "aws-metadata": () => credentialEndpoints().map(({ cidr }) => cidr),
};

/**
 * Reads an assertion file, `{assertions: [{name, expect, to, except, protocols, ports}]}`.
 *
 * @throws {ProblemsError} with every problem: unknown fields, names used twice, addresses that are none.
 */
export function parseAssertions(input: unknown): Assertion[] {
  const reader = new InputReader();
  const list = reader.list(reader.fields(input, "file", ["assertions"]).assertions, "assertions");
  if (list.length === 0) {
    reader.report(
      "assertions",
      undefined,
      "must be a list of at least one assertion; a file without any proves nothing",
    );
  }
  const assertions = list.map((entry, index) => assertion(entry, `assertions[${index}]`, reader));
  for (const [index, { name }] of assertions.entries()) {
    if (assertions.findIndex((other) => other.name === name) !== index) {
      reader.report(`assertions[${index}].name`, name, "is used twice");
    }
  }
  reader.throwIfWrong("Not an assertion file:");
  return assertions;
}

function assertion(input: unknown, path: string, reader: InputReader): Assertion {
  const fields = reader.fields(input, path, ["name", "expect", "to", "except", "protocols", "ports"]);
  if (typeof fields.name !== "string" || fields.name === "") {
    reader.report(`${path}.name`, fields.name, "must say in words what is asserted");
  }
  if (fields.expect !== "allow" && fields.expect !== "deny") {
    reader.report(`${path}.expect`, fields.expect, "must be allow or deny");
  }
  const named: AddressRange[] = [];
  const written: AddressRange[] = [];
  const pods: PodSet[] = [];
  for (const [index, to] of reader.list(fields.to, `${path}.to`).entries()) {
    if (typeof to === "string") {
      (Object.hasOwn(NAMED_SETS, to) ? named : written).push(...addresses(to, `${path}.to[${index}]`, reader));
    } else {
      pods.push(podSet(to, `${path}.to[${index}]`, reader));
    }
  }
  const removed = reader
    .list(fields.except, `${path}.except`)
    .flatMap((text, index) => addresses(text, `${path}.except[${index}]`, reader));
  return {
    name: String(fields.name),
    expect: fields.expect === "allow" ? "allow" : "deny",
    addresses: subtract(rangeSet([...named, ...written]), removed),
    named: subtract(rangeSet(named), written),
    pods,
    protocols: protocols(fields.protocols, `${path}.protocols`, reader),
    ports: ports(fields.ports, `${path}.ports`, reader),
  };
}

function addresses(input: unknown, path: string, reader: InputReader): readonly AddressRange[] {
  if (typeof input === "string") {
    const named = Object.hasOwn(NAMED_SETS, input) ? NAMED_SETS[input] : undefined;
    if (named !== undefined) {
      return named();
    }
    const address = parseAddress(input);
    if (address !== undefined) {
      // An IPv4-mapped one is the IPv4 address that is sent, as everywhere.
      return [hostOf(onTheWire(address))];
    }
    if (input.includes("/")) {
      try {
        return [parseCidr(input)];
      } catch (error) {
        reader.report(path, undefined, (error as RangeError).message);
        return [];
      }
    }
  }
  reader.report(path, input, `must be an address, a CIDR block or one of ${Object.keys(NAMED_SETS).join(", ")}`);
  return [];
}

function podSet(input: unknown, path: string, reader: InputReader): PodSet {
  const { namespace, labels } = reader.fields(input, path, ["namespace", "labels"]);
  if (namespace !== undefined && (typeof namespace !== "string" || namespace === "")) {
    reader.report(`${path}.namespace`, namespace, "must be the name of a namespace; leave it out for all of them");
  }
  const pairs = labels === undefined ? {} : reader.fields(labels, `${path}.labels`);
  for (const [key, value] of Object.entries(pairs)) {
    if (!isLabelKey(key) || typeof value !== "string" || !isLabelValue(value)) {
      reader.report(
        `${path}.labels.${key}`,
        value,
        "no pod can have this label; a key and a value must be texts that Kubernetes accepts",
      );
    }
  }
  return {
    namespaceSelector: typeof namespace === "string" ? equalTo({ [NAMESPACE_NAME_LABEL]: namespace }) : EVERYTHING,
    podSelector: equalTo(pairs),
  };
}

function equalTo(labels: Readonly<Record<string, unknown>>): LabelSelector {
  return labelSelector(
    Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [String(value)] })),
  );
}

function protocols(input: unknown, path: string, reader: InputReader): readonly PolicyProtocol[] {
  if (input === undefined) {
    return POLICY_PROTOCOLS;
  }
  const given = reader.list(input, path);
  for (const [index, protocol] of given.entries()) {
    if (!POLICY_PROTOCOLS.includes(protocol as PolicyProtocol)) {
      reader.report(`${path}[${index}]`, protocol, "must be TCP, UDP or SCTP");
    }
  }
  return POLICY_PROTOCOLS.filter((protocol) => given.includes(protocol));
}

function ports(input: unknown, path: string, reader: InputReader): PortRange[] {
  if (input === undefined) {
    return [EVERY_PORT];
  }
  return reader.list(input, path).flatMap((port, index) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(
      typeof port === "number" ? `${port}` : typeof port === "string" ? port : "",
    );
    const from = Number(match?.[1] ?? Number.NaN);
    const to = Number(match?.[2] ?? match?.[1] ?? Number.NaN);
    if (!(from <= to && to <= 65535)) {
      reader.report(`${path}[${index}]`, port, "must be a port from 0 to 65535, or a range such as 8000-9000");
      return [];
    }
    return [{ from, to }];
  });
}

import { ADDRESS_FAMILIES, parseAddress } from "./address.ts";
import { type AddressRange, hostOf, parseCidr } from "./cidr.ts";
import type { Assertion } from "./contradictions.ts";
import { Input } from "./input.ts";
import { NAMESPACE_NAME_LABEL } from "./inventory.ts";
import { EVERYTHING, isLabelKey, isLabelValue, labelsSelector } from "./labelSelector.ts";
import { type Problem, throwIfWrong } from "./problems.ts";
import { EVERY_PORT, POLICY_PROTOCOLS, type PolicyProtocol, type PortRange } from "./protocol.ts";
import { rangeSet, subtract, wholeFamilies } from "./rangeSet.ts";
import type { PodSet } from "./reach/podSets.ts";
import { credentialEndpoints, notGloballyReachable, onTheWire, publicInternet } from "./specialPurpose.ts";

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
  const problems: Problem[] = [];
  const file = new Input(input ?? {}, "", problems);
  file.object(["assertions"]);
  const list = file.at("assertions");
  const entries = list.list();
  if (entries.length === 0) {
    list.refuse("must be a list of at least one assertion; a file without any proves nothing");
  }
  const assertions = entries.map(readAssertion);
  for (const [index, { name }] of assertions.entries()) {
    if (assertions.findIndex((other) => other.name === name) !== index) {
      list.at(index).at("name").wrong("is used twice");
    }
  }
  throwIfWrong("Not an assertion file:", problems);
  return assertions;
}

function readAssertion(input: Input): Assertion {
  input.object(["name", "expect", "to", "except", "protocols", "ports"]);
  const [name, expect] = [input.at("name"), input.at("expect")];
  if (typeof name.value !== "string" || name.value === "") {
    name.wrong("must say in words what is asserted");
  }
  if (expect.value !== "allow" && expect.value !== "deny") {
    expect.wrong("must be allow or deny");
  }
  const named: AddressRange[] = [];
  const written: AddressRange[] = [];
  const pods: PodSet[] = [];
  for (const to of input.at("to").list()) {
    if (typeof to.value === "string") {
      (Object.hasOwn(NAMED_SETS, to.value) ? named : written).push(...readAddresses(to));
    } else {
      pods.push(readPodSet(to));
    }
  }
  const removed = input.at("except").list().flatMap(readAddresses);
  return {
    name: String(name.value),
    expect: expect.value === "allow" ? "allow" : "deny",
    addresses: subtract(rangeSet([...named, ...written]), removed),
    named: subtract(rangeSet(named), written),
    pods,
    protocols: readProtocols(input.at("protocols")),
    ports: readPorts(input.at("ports")),
  };
}

function readAddresses(input: Input): readonly AddressRange[] {
  const text = input.value;
  if (typeof text === "string") {
    const named = Object.hasOwn(NAMED_SETS, text) ? NAMED_SETS[text] : undefined;
    if (named !== undefined) {
      return named();
    }
    const address = parseAddress(text);
    if (address !== undefined) {
      // An IPv4-mapped one is the IPv4 address that is sent, as everywhere.
      return [hostOf(onTheWire(address))];
    }
    if (text.includes("/")) {
      return [input.parsed(text, parseCidr) ?? []].flat();
    }
  }
  input.wrong(`must be an address, a CIDR block or one of ${Object.keys(NAMED_SETS).join(", ")}`);
  return [];
}

function readPodSet(input: Input): PodSet {
  input.object(["namespace", "labels"]);
  const [{ value: namespace }, labels] = [input.at("namespace"), input.at("labels")];
  if (namespace !== undefined && (typeof namespace !== "string" || namespace === "")) {
    input.at("namespace").wrong("must be the name of a namespace; leave it out for all of them");
  }
  const pairs = labels.value === undefined ? [] : labels.members().entries();
  for (const [key, label] of pairs) {
    if (!isLabelKey(key) || typeof label.value !== "string" || !isLabelValue(label.value)) {
      label.wrong("no pod can have this label; a key and a value must be texts that Kubernetes accepts");
    }
  }
  return {
    namespaceSelector:
      typeof namespace === "string" ? labelsSelector({ [NAMESPACE_NAME_LABEL]: namespace }) : EVERYTHING,
    podSelector: labelsSelector(Object.fromEntries(pairs.map(([key, { value }]) => [key, String(value)]))),
  };
}

function readProtocols(input: Input): readonly PolicyProtocol[] {
  if (input.value === undefined) {
    return POLICY_PROTOCOLS;
  }
  const given = input.list();
  for (const protocol of given.filter(({ value }) => !POLICY_PROTOCOLS.includes(value as PolicyProtocol))) {
    protocol.wrong("must be TCP, UDP or SCTP");
  }
  return POLICY_PROTOCOLS.filter((protocol) => given.some(({ value }) => value === protocol));
}

function readPorts(input: Input): PortRange[] {
  if (input.value === undefined) {
    return [EVERY_PORT];
  }
  return input.list().flatMap((port) => {
    const { value } = port;
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(
      typeof value === "number" || typeof value === "string" ? `${value}` : "",
    );
    const from = Number(match?.[1] ?? Number.NaN);
    const to = Number(match?.[2] ?? match?.[1] ?? Number.NaN);
    if (!(from <= to && to <= 65535)) {
      port.wrong("must be a port from 0 to 65535, or a range such as 8000-9000");
      return [];
    }
    return [{ from, to }];
  });
}

import { type Cidr, contains, formatCidr, overlaps, parseCidr } from "../analysis/cidr.ts";
import type { Problem } from "../analysis/problems.ts";
import { describeBlock, specialPurposeBlocksIn } from "../analysis/specialPurpose.ts";
import {
  type InternetDestination,
  type Labels,
  LONGEST_POLICY_NAME,
  MOST_PORTS,
  type PortRange,
  type RunnerContract,
} from "./contract.ts";

/** What the API server or the VPC CNI would refuse, drop or misread in a contract; empty when all is well. */
export function checkContract(contract: RunnerContract): Problem[] {
  return [
    ...checkPolicyName(contract.policyName),
    ...checkNamespace("namespace", contract.namespace),
    ...checkLabels("podLabels", contract.podLabels),
    ...contract.services.flatMap(({ name, namespace, podLabels, ports }) => [
      ...checkNamespace(`services.${name}.namespace`, namespace),
      ...checkLabels(`services.${name}.podLabels`, podLabels),
      ...checkPorts(`services.${name}.ports`, ports),
    ]),
    ...(contract.database === undefined ? [] : checkPorts("database.ports", contract.database.ports)),
    ...contract.cidrs.flatMap(({ name, cidrs, ports }) => [
      ...checkCidrs(`cidrs.${name}.cidrs`, cidrs),
      ...checkPorts(`cidrs.${name}.ports`, ports),
    ]),
    ...(contract.internet === undefined ? [] : checkInternet(contract.internet)),
    ...checkUnique(
      "services",
      contract.services.map(({ name }) => name),
    ),
    ...checkUnique(
      "cidrs",
      contract.cidrs.map(({ name }) => name),
    ),
  ];
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_PART = /^(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function checkPolicyName(name: string): Problem[] {
  if (!DNS_SUBDOMAIN.test(name)) {
    return [{ where: "policyName", value: name, reason: "lower-case letters, digits, inner dashes and dots only" }];
  }
  if (name.length > LONGEST_POLICY_NAME) {
    return [
      {
        where: "policyName",
        value: name,
        reason:
          `${name.length} characters; the VPC CNI finds a policy by its name only up to ${LONGEST_POLICY_NAME}. ` +
          "Shorten it",
      },
    ];
  }
  return [];
}

function checkNamespace(where: string, namespace: string): Problem[] {
  return DNS_LABEL.test(namespace)
    ? []
    : [{ where, value: namespace, reason: "a namespace has 1 to 63 lower-case letters, digits and inner dashes" }];
}

/** An empty selector would mean every pod, so one label at least. */
function checkLabels(where: string, labels: Labels): Problem[] {
  const entries = Object.entries(labels);
  if (entries.length === 0) {
    return [{ where, value: labels, reason: "no label would select every pod; name at least one" }];
  }
  return entries.flatMap(([key, value]) => {
    const slash = key.indexOf("/");
    const prefixed = slash < 0 || DNS_SUBDOMAIN.test(key.slice(0, slash));
    return [
      ...(prefixed && LABEL_PART.test(key.slice(slash + 1))
        ? []
        : [{ where, value: key, reason: "not a label key, which is NAME or PREFIX/NAME" }]),
      ...(value === "" || LABEL_PART.test(value)
        ? []
        : [{ where: `${where}.${key}`, value, reason: "not a label value: at most 63 letters, digits, -, _ and ." }]),
    ];
  });
}

function checkPorts(where: string, ports: readonly PortRange[]): Problem[] {
  if (ports.length === 0) {
    return [{ where, value: ports, reason: "no port would mean every port; name at least one" }];
  }
  if (ports.length > MOST_PORTS) {
    return [
      {
        where,
        value: ports.length,
        reason: `the VPC CNI's agent keeps ${MOST_PORTS} port entries for each address and drops the others. Use ranges`,
      },
    ];
  }
  return ports
    .filter(({ port, endPort = port }) => !(isPort(port) && isPort(endPort) && endPort >= port))
    .map(({ port, endPort }) => ({
      where,
      value: endPort === undefined ? port : `${port}-${endPort}`,
      reason: "ports are whole numbers from 1 to 65535, a range ends at or above its first port",
    }));
}

function checkCidrs(where: string, cidrs: readonly string[]): Problem[] {
  if (cidrs.length === 0) {
    return [{ where, value: cidrs, reason: "name at least one block, such as 169.254.20.10/32" }];
  }
  return cidrs.flatMap((text) => {
    try {
      parseCidr(text);
      return [];
    } catch (error) {
      return [{ where, reason: `${(error as RangeError).message}. A single address is ADDRESS/32, or /128 for IPv6` }];
    }
  });
}

/** Blocks have to be public altogether, and what is left out has to be in what would be open. */
function checkInternet({ ports, blocks, except = [] }: InternetDestination): Problem[] {
  const problems: Problem[] = [
    ...(ports === undefined ? [] : checkPorts("internet.ports", ports)),
    ...(blocks === undefined ? [] : checkCidrs("internet.blocks", blocks)),
    ...(except.length === 0 ? [] : checkCidrs("internet.except", except)),
  ];
  if (problems.length > 0) {
    return problems;
  }
  const open = blocks?.map(parseCidr);
  const isOpen = (cidr: Cidr) =>
    open === undefined || open.some((block) => contains(block, cidr) && !contains(cidr, block));
  return [
    ...(open ?? []).flatMap((cidr) => notPublic("internet.blocks", cidr)),
    ...except.map(parseCidr).flatMap((cidr) => [
      ...notPublic("internet.except", cidr),
      ...(isOpen(cidr)
        ? []
        : [
            {
              where: "internet.except",
              value: formatCidr(cidr),
              reason: "lies in none of the blocks, or is one of them; leave it out, or name the blocks without it",
            },
          ]),
    ]),
  ];
}

function notPublic(where: string, cidr: Cidr): Problem[] {
  const found = specialPurposeBlocksIn(cidr).filter(
    (block) => block.globallyReachable !== "yes" && overlaps(block.cidr, cidr),
  );
  const [first] = found;
  return first === undefined
    ? []
    : [
        {
          where,
          value: formatCidr(cidr),
          reason:
            `must be public, but ${contains(first.cidr, cidr) ? "lies in" : "contains"} ${describeBlock(first)}, which the ` +
            "rule for the public internet leaves out anyway. What is private is a destination of cidrs",
        },
      ];
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

function checkUnique(where: string, names: readonly string[]): Problem[] {
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [...new Set(twice)].map((name) => ({ where, value: name, reason: "two destinations have this name" }));
}

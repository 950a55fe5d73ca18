import { type Cidr, contains, formatCidr, overlaps, parseCidr } from "../analysis/cidr.ts";
import { isLabelKey, isLabelValue, isNamespaceName, isObjectName, type Labels } from "../analysis/labelSelector.ts";
import type { Problem } from "../analysis/problems.ts";
import { describeBlock, specialPurposeBlocksIn } from "../analysis/specialPurpose.ts";
import { PORT_SLOTS } from "../analysis/vpcCniSlots.ts";
import { type InternetDestination, LONGEST_POLICY_NAME, type Ports, type RunnerContract } from "./contract.ts";

/** What the API server or the VPC CNI would refuse, drop or misread in a contract; empty when all is well. */
export function checkContract(contract: RunnerContract): Problem[] {
  const { policyName, namespace, podLabels, services, database, cidrs, internet } = contract;
  return [
    ...checkPolicyName(policyName),
    ...checkNamespace("namespace", namespace),
    ...checkLabels("podLabels", podLabels),
    ...services.flatMap(({ name, namespace, podLabels, ports }) => [
      ...checkNamespace(`services.${name}.namespace`, namespace),
      ...checkLabels(`services.${name}.podLabels`, podLabels),
      ...checkPorts(`services.${name}.ports`, ports),
    ]),
    ...(database === undefined ? [] : checkPorts("database.ports", database.ports)),
    ...cidrs.flatMap(({ name, cidrs, ports }) => [
      ...checkCidrs(`cidrs.${name}.cidrs`, cidrs),
      ...checkPorts(`cidrs.${name}.ports`, ports),
    ]),
    ...(internet === undefined ? [] : checkInternet(internet)),
    ...checkUnique("services", services),
    ...checkUnique("cidrs", cidrs),
  ];
}

/** A problem, unless all is well. */
function unless(isRight: boolean, where: string, value: unknown, reason: string): Problem[] {
  return isRight ? [] : [{ where, value, reason }];
}

function checkPolicyName(name: string): Problem[] {
  const tooLong =
    `${name.length} characters; the VPC CNI finds a policy by its name only up to ${LONGEST_POLICY_NAME}. ` +
    "Shorten it";
  return isObjectName(name)
    ? unless(name.length <= LONGEST_POLICY_NAME, "policyName", name, tooLong)
    : unless(false, "policyName", name, "lower-case letters, digits, inner dashes and dots only");
}

function checkNamespace(where: string, namespace: string): Problem[] {
  const reason = "a namespace has 1 to 63 lower-case letters, digits and inner dashes";
  return unless(isNamespaceName(namespace), where, namespace, reason);
}

/** An empty selector would mean every pod, so one label at least. */
function checkLabels(where: string, labels: Labels): Problem[] {
  const entries = Object.entries(labels);
  return [
    ...unless(entries.length > 0, where, labels, "no label would select every pod; name at least one"),
    ...entries.flatMap(([key, value]) => [
      ...unless(isLabelKey(key), where, key, "not a label key, which is NAME or PREFIX/NAME"),
      ...unless(
        isLabelValue(value),
        `${where}.${key}`,
        value,
        "not a label value: at most 63 letters, digits, -, _ and .",
      ),
    ]),
  ];
}

function checkPorts(where: string, ports: readonly Ports[]): Problem[] {
  const isPort = (value: number) => Number.isInteger(value) && value >= 1 && value <= 65535;
  const tooMany = `the VPC CNI's agent keeps ${PORT_SLOTS} port entries for each address and drops the others. Use ranges`;
  return ports.length === 0 || ports.length > PORT_SLOTS
    ? [
        ...unless(ports.length > 0, where, ports, "no port would mean every port; name at least one"),
        ...unless(ports.length <= PORT_SLOTS, where, ports.length, tooMany),
      ]
    : ports.flatMap(({ port, endPort = port }) =>
        unless(
          isPort(port) && isPort(endPort) && endPort >= port,
          where,
          endPort === port ? port : `${port}-${endPort}`,
          "ports are whole numbers from 1 to 65535, a range ends at or above its first port",
        ),
      );
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
    ...except
      .map(parseCidr)
      .flatMap((cidr) => [
        ...notPublic("internet.except", cidr),
        ...unless(
          isOpen(cidr),
          "internet.except",
          formatCidr(cidr),
          "lies in none of the blocks, or is one of them; leave it out, or name the blocks without it",
        ),
      ]),
  ];
}

function notPublic(where: string, cidr: Cidr): Problem[] {
  const found = specialPurposeBlocksIn(cidr).find(
    (block) => block.globallyReachable !== "yes" && overlaps(block.cidr, cidr),
  );
  if (found === undefined) {
    return [];
  }
  const how = contains(found.cidr, cidr) ? "lies in" : "contains";
  const reason =
    `must be public, but ${how} ${describeBlock(found)}, which the rule for the public internet leaves out anyway. ` +
    "What is private is a destination of cidrs";
  return [{ where, value: formatCidr(cidr), reason }];
}

function checkUnique(where: string, destinations: readonly { readonly name: string }[]): Problem[] {
  const names = destinations.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [...new Set(twice)].map((name) => ({ where, value: name, reason: "two destinations have this name" }));
}

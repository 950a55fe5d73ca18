import { styleText } from "node:util";
import { dump } from "js-yaml";
import { NAMESPACE_NAME_LABEL } from "../../analysis/inventory.ts";
import type { Labels } from "../../analysis/labelSelector.ts";
import type { Ports } from "../../runner/contract.ts";
import type { NetworkFacts } from "../../runner/networkFacts.ts";
import type { EgressNetworkPolicy, Peer } from "../../runner/networkPolicy.ts";
import { layout, wrapList } from "../layout.ts";

/** What a run of one stack's program came to. */
export interface StackReport {
  readonly stack: string;
  readonly facts: NetworkFacts;
  /** The policy as the program registered it. */
  readonly policy: EgressNetworkPolicy;
  /** What the program had to say, such as what it acknowledges. */
  readonly warnings: readonly string[];
}

/** One thing in which stacks differ. */
export interface Difference {
  /** The fact or the part of a rule. */
  readonly what: string;
  /** What each stack has that not all have, in the order of the stacks. */
  readonly values: readonly (readonly string[])[];
}

/** Something that a report says, under the name by which its reader knows it. */
type Row = readonly [name: string, values: readonly string[]];

/** Width to which lists of blocks are wrapped. */
const LIST_WIDTH = 72;

/** Stacks as a person reads them: the facts and the rules of each, then what differs between them. */
export function textReport(reports: readonly StackReport[]): string {
  const parts = reports.map(stackText);
  if (reports.length > 1) {
    parts.push(differencesText(reports));
  }
  return `${parts.join("\n\n")}\n`;
}

/** The manifests as one YAML document for each stack, as `kubectl apply` reads them. */
export function yamlReport(reports: readonly StackReport[]): string {
  return reports
    .map(({ stack, policy }) => `---\n# Stack ${stack}\n${dump(policy, { lineWidth: -1, noRefs: true })}`)
    .join("");
}

/** Everything as JSON: `{stacks: [{stack, facts, policy, warnings}], differences: [{what, values}]}`. */
export function jsonReport(reports: readonly StackReport[]): string {
  return `${JSON.stringify({ stacks: reports, differences: differences(reports) }, undefined, 2)}\n`;
}

/** In what the facts and the rules of several stacks differ, in the order of the facts and of the rules. */
export function differences(reports: readonly StackReport[]): Difference[] {
  const stacks = reports.map(({ facts, policy: { metadata, spec } }) => {
    const rules = spec.egress.flatMap(({ to, ports }, index): Row[] => [
      [`rule ${index} to`, to.map(peerWords)],
      [`rule ${index} except`, to.flatMap(exceptOf)],
      [`rule ${index} ports`, portWords(ports)],
    ]);
    const policy = `${metadata.namespace}/${metadata.name}`;
    const pods = labelWords(spec.podSelector.matchLabels);
    return new Map<string, readonly string[]>([...factRows(facts), ["policy", [policy]], ["pods", pods], ...rules]);
  });
  const names = new Set(stacks.flatMap((rows) => [...rows.keys()]));
  return [...names].flatMap((what) => {
    const values = stacks.map((rows) => rows.get(what) ?? []);
    const own = values.map((list) => list.filter((value) => !values.every((other) => other.includes(value))));
    return own.some((list) => list.length > 0) ? [{ what, values: own }] : [];
  });
}

function stackText({ stack, facts, policy: { metadata, spec } }: StackReport): string {
  const factLines = factRows(facts)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => [name, values.join("\n")]);
  const ruleLines = spec.egress.map(({ to, ports }, index) => [
    `${index}`,
    portWords(ports).join("\n"),
    to.map(peerText).join("\n"),
  ]);
  const pods = labelWords(spec.podSelector.matchLabels).join(",");
  return [
    heading(stack),
    layout(factLines, "  "),
    "",
    `  NetworkPolicy ${metadata.namespace}/${metadata.name} lets pods ${pods} reach only:`,
    "",
    layout([["rule", "ports", "destination"], ...ruleLines], "  "),
  ].join("\n");
}

function peerText(peer: Peer): string {
  const except = exceptOf(peer);
  return except.length === 0
    ? peerWords(peer)
    : `${peerWords(peer)} except\n  ${wrapList(except, LIST_WIDTH).replaceAll("\n", "\n  ")}`;
}

function differencesText(reports: readonly StackReport[]): string {
  const stacks = reports.map(({ stack }) => stack);
  const rows = differences(reports).map(({ what, values }) => [what, ...values.map((list) => list.join("\n") || "-")]);
  const title = heading(`Differences between ${new Intl.ListFormat("en").format(stacks)}`);
  return `${title}\n${rows.length === 0 ? "  none" : layout([["", ...stacks], ...rows], "  ")}`;
}

/** Bold on a terminal. */
function heading(text: string): string {
  return styleText("bold", text, { stream: process.stdout });
}

function factRows({ vpc, databaseSubnets, cluster, addOn }: NetworkFacts): Row[] {
  const { version, agentVersion, networkPolicyEnabled, acknowledged } = addOn;
  return [
    ["region", [vpc.region]],
    ["VPC", [vpc.id]],
    ["VPC blocks", [...vpc.ipv4Cidrs, ...vpc.ipv6Cidrs]],
    ["database subnets", databaseSubnets.map(({ id, cidrs }) => `${cidrs.join(", ")} (${id})`)],
    ["cluster", [cluster.name]],
    ["address family", [cluster.ipFamily]],
    ["Service block", [cluster.serviceCidr ?? "unknown"]],
    ["vpc-cni add-on", [version === undefined ? "none" : `${version} (agent ${agentVersion ?? "unknown"})`]],
    ["network policy", [networkPolicyEnabled === "unknown" ? "unknown" : networkPolicyEnabled ? "on" : "OFF"]],
    ["acknowledged", acknowledged],
  ];
}

/** What a block excepts is told apart. */
function peerWords(peer: Peer): string {
  return "ipBlock" in peer
    ? peer.ipBlock.cidr
    : `pods ${labelWords(peer.podSelector.matchLabels).join(",")} in ` +
        `${peer.namespaceSelector.matchLabels[NAMESPACE_NAME_LABEL]}`;
}

function exceptOf(peer: Peer): readonly string[] {
  return ("ipBlock" in peer && peer.ipBlock.except) || [];
}

function labelWords(labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`);
}

/** Ports as `53/UDP` or `8000-8010/TCP`. */
function portWords(ports: readonly Ports[] | undefined): string[] {
  const range = ({ port, endPort }: Ports) => (endPort === undefined ? `${port}` : `${port}-${endPort}`);
  return ports?.map((each) => `${range(each)}/${each.protocol}`) ?? ["all ports"];
}

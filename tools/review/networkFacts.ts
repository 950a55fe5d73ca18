import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  type NamedAddresses,
  parseCidr,
  type Semantics,
  type Source,
  specialPurposeBlockOf,
} from "../../analysis/index.ts";
import { membersOf } from "../../analysis/plainObject.ts";
import { isObject, objects, type Properties, type StackPlan, text } from "./plan.ts";

/** The component that carries the looked-up facts among its inputs. */
const COMPONENT = "runner-egress:index:RunnerEgress";

/** A fact of the network that is not what it was. */
export interface FactChange {
  /** What changed, such as `VPC vpc-1`. */
  readonly what: string;
  /** `undefined`: it was not there. */
  readonly before: string | undefined;
  /** `undefined`: it is gone. */
  readonly after: string | undefined;
}

/** The looked-up facts and the contract that a plan rests on, before and after; empty where a plan has none. */
export interface PlanContext {
  readonly before: Properties;
  readonly after: Properties;
  /** What the program declares now, else what it declared; {@link formerContract} is what it declared before. */
  readonly contract: Properties;
  readonly formerContract: Properties;
}

/** Finds what the program looked up: inputs of the component, else the stack's output `facts`. */
export function planContext({ resources }: StackPlan): PlanContext {
  const component = resources.find(({ type }) => type === COMPONENT);
  const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const factsOf = (side: "before" | "after") =>
    [component?.[side]?.inputs.facts, stack?.[side]?.outputs.facts].find(isObject);
  const before = factsOf("before") ?? {};
  const isGone = component?.after === undefined && component?.before !== undefined;
  return {
    before,
    // A digest leaves out what does not change.
    after: factsOf("after") ?? (isGone ? {} : before),
    contract: membersOf((component?.after ?? component?.before)?.inputs.contract),
    formerContract: membersOf(component?.before?.inputs.contract),
  };
}

/** The pods that the contract is about; `undefined` where there is no contract. */
export function contractSource({ namespace, podLabels }: Properties): Source | undefined {
  const labels = Object.entries(membersOf(podLabels)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return typeof namespace !== "string" || labels.length === 0
    ? undefined
    : { namespace, labels: Object.fromEntries(labels) };
}

/** How the cluster enforces policies, as far as the facts say. */
export function enforcement({ cluster, addOn }: Properties): {
  ipFamily: AddressFamily | undefined;
  agentVersion: string | undefined;
  /** Whether the add-on enforces policies; `undefined` where the facts don't say, `"unknown"` where it can't be read. */
  isOn: boolean | "unknown" | undefined;
} {
  const { ipFamily } = membersOf(cluster);
  const { agentVersion, networkPolicyEnabled: isOn } = membersOf(addOn);
  return {
    isOn: typeof isOn === "boolean" || isOn === "unknown" ? isOn : undefined,
    ipFamily: ADDRESS_FAMILIES.find((family) => family === ipFamily),
    agentVersion: /\d+\.\d+\.\d+/.exec(text(agentVersion))?.[0],
  };
}

/** How the cluster reads policies; `undefined` where the facts don't say its family. */
export function enforcedBy(facts: Properties): Semantics | undefined {
  const { ipFamily, agentVersion } = enforcement(facts);
  return ipFamily && { name: "vpc-cni", ipFamily, ...(agentVersion !== undefined && { agentVersion }) };
}

/** Names of the blocks that the facts know: the VPC's, the database subnets', the Services'. */
function namedAddresses(facts: Properties): PlacedBlock[] {
  const [vpc, cluster] = [membersOf(facts.vpc), membersOf(facts.cluster)];
  const called = (block: unknown, name: string, place: PlacedBlock["place"]) =>
    named(block, `${name} (${String(block)})`, place);
  return [
    ...objects(facts.databaseSubnets).flatMap(({ id, cidrs }) =>
      strings(cidrs).flatMap((cidr) => called(cidr, `database subnet ${String(id)}`, "network")),
    ),
    ...called(cluster.serviceCidr, `Services of cluster ${String(cluster.name)}`, "network"),
    ...vpcBlocks(vpc).flatMap((cidr) =>
      called(cidr, `VPC ${String(vpc.id)}${isPublic(cidr) ? ", public addresses" : ""}`, "vpc"),
    ),
  ];
}

function vpcBlocks({ ipv4Cidrs, ipv6Cidrs }: Properties): string[] {
  return [...strings(ipv4Cidrs), ...strings(ipv6Cidrs)];
}

/** Whether a block is of the public internet's addresses, which a VPC may have as well. */
function isPublic(block: string): boolean {
  return named(block, "").some(({ cidr }) => specialPurposeBlockOf(cidr) === undefined);
}

/** A block that has a name. */
export interface PlacedBlock extends NamedAddresses {
  /** `vpc`: a block of the VPC, in which the pods have their addresses; `network`: its databases and Services. */
  readonly place?: "vpc" | "network";
}

/** What a plan calls the destinations that it knows. */
export interface Names {
  /** Blocks that the contract declares, then those of the network. */
  readonly blocks: readonly PlacedBlock[];
  /** Pods that the contract declares, by the text of the analysis for them. */
  readonly pods: ReadonlyMap<string, string>;
}

/** Names from both sides of a plan, those of afterwards first. */
export function namesOf({ before, after, contract, formerContract }: PlanContext): Names {
  const contracts = [contract, formerContract];
  const pods = contracts.flatMap(({ services }) =>
    objects(services).map(({ name, namespace, podLabels }): [string, string] => {
      const labels = Object.entries(membersOf(podLabels)).map(([key, value]) => `${key}=${String(value)}`);
      return [`pods ${labels.sort().join(",")} in namespace ${String(namespace)}`, declared(name)];
    }),
  );
  const blocks = contracts.flatMap(({ cidrs }) =>
    objects(cidrs).flatMap(({ name, cidrs }) => strings(cidrs).flatMap((cidr) => named(cidr, declared(name)))),
  );
  return {
    blocks: [...blocks, ...namedAddresses(after), ...namedAddresses(before)],
    // The first name of equal ones wins.
    pods: new Map(pods.reverse()),
  };
}

/** What the contract calls pods; empty where it does not declare them. */
export function namesOfPods(pods: string, names: Pick<Names, "pods">): string[] {
  return [names.pods.get(pods) ?? []].flat();
}

function declared(name: unknown): string {
  return `destination ${String(name)}`;
}

function named(block: unknown, name: string, place?: PlacedBlock["place"]): PlacedBlock[] {
  try {
    return typeof block === "string" ? [{ cidr: parseCidr(block), name, ...(place && { place }) }] : [];
  } catch {
    // Not a block: an unknown value, say. It names nothing.
    return [];
  }
}

/** What changed in the facts, each as a person would say it, sorted. */
export function factChanges(before: Properties, after: Properties): FactChange[] {
  if (Object.keys(before).length === 0 || Object.keys(after).length === 0) {
    return [];
  }
  const [old, fresh] = [statements(before), statements(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .sort()
    .map((key) => ({ what: key.replace(/\t.*/, ""), before: old.get(key), after: fresh.get(key) }))
    .filter((change) => change.before !== change.after);
}

/** Facts as statements: what is stated, and its value. Members of a list are statements of their own. */
function statements({ vpc: network, databaseSubnets, ...others }: Properties): Map<string, string> {
  const vpc = membersOf(network);
  const all: (readonly [string, unknown])[] = [
    ["VPC", vpc.id],
    ["VPC region", vpc.region],
    ...vpcBlocks(vpc).map((cidr) => [`VPC CIDR\t${cidr}`, cidr] as const),
    ...objects(databaseSubnets).map(
      ({ id, cidrs }) => [`Database subnet\t${String(id)}`, `${String(id)} (${strings(cidrs).join(", ")})`] as const,
    ),
    ...Object.entries(others).flatMap(([key, value]) => flatten(KNOWN_NAMES[key] ?? words(key), value)),
  ];
  return new Map(
    all.flatMap(([what, value]) => (value === undefined || value === null ? [] : [[what, String(value)]])),
  );
}

const KNOWN_NAMES: Readonly<Record<string, string>> = { addOn: "Network policy add-on", cluster: "Cluster" };

function flatten(name: string, value: unknown): (readonly [string, unknown])[] {
  if (Array.isArray(value)) {
    return value.map((member) => {
      const json = JSON.stringify(member);
      return [`${name}\t${json}`, typeof member === "string" ? member : json];
    });
  }
  return isObject(value)
    ? Object.entries(value).flatMap(([key, member]) => flatten(`${name}: ${words(key)}`, member))
    : [[name, value]];
}

/** `addOnVersion` as `add-on version`. */
function words(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/\badd on\b/, "add-on")
    .replace(/\bip\b/, "IP");
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === "string").sort() : [];
}

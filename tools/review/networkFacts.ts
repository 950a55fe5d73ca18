import { type AddressFamily, type NamedAddresses, parseCidr, specialPurposeBlockOf } from "../../analysis/index.ts";
import { isObject, type Properties, type StackPlan } from "./plan.ts";

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
export function planContext(plan: StackPlan): PlanContext {
  const component = plan.resources.find(({ type }) => type === COMPONENT);
  const stack = plan.resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const outputs = {
    before: objectAt(stack?.before?.outputs, "facts"),
    after: objectAt(stack?.after?.outputs, "facts"),
  };
  const before = objectAt(component?.before?.inputs, "facts") ?? outputs.before;
  const after = objectAt(component?.after?.inputs, "facts") ?? outputs.after;
  return {
    before: before ?? {},
    // A digest leaves out what does not change.
    after: after ?? (component?.after === undefined && component?.before !== undefined ? {} : (before ?? {})),
    contract: objectAt(component?.after?.inputs ?? component?.before?.inputs, "contract") ?? {},
    formerContract: objectAt(component?.before?.inputs, "contract") ?? {},
  };
}

/** The pods that the contract is about; `undefined` where there is no contract. */
export function contractSource(
  contract: Properties,
): { namespace: string; labels: Record<string, string> } | undefined {
  const { namespace, podLabels } = contract;
  if (typeof namespace !== "string" || !isObject(podLabels)) {
    return undefined;
  }
  const labels = Object.entries(podLabels).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value] as const] : [],
  );
  return labels.length === 0 ? undefined : { namespace, labels: Object.fromEntries(labels) };
}

/** How the cluster enforces policies, as far as the facts say. */
export function enforcement(facts: Properties): {
  ipFamily: AddressFamily | undefined;
  agentVersion: string | undefined;
  /** Whether the add-on enforces policies; `undefined` where the facts don't say, `"unknown"` where it can't be read. */
  isOn: boolean | "unknown" | undefined;
} {
  const family = objectAt(facts, "cluster")?.ipFamily;
  const { agentVersion: version, networkPolicyEnabled: isOn } = objectAt(facts, "addOn") ?? {};
  return {
    isOn: typeof isOn === "boolean" || isOn === "unknown" ? isOn : undefined,
    ipFamily: family === "ipv4" || family === "ipv6" ? family : undefined,
    agentVersion: typeof version === "string" ? /\d+\.\d+\.\d+/.exec(version)?.[0] : undefined,
  };
}

/** Names of the blocks that the facts know: the VPC's, the database subnets', the Services'. */
function namedAddresses(facts: Properties): PlacedBlock[] {
  const vpc = objectAt(facts, "vpc") ?? {};
  const cluster = objectAt(facts, "cluster") ?? {};
  const called = (text: unknown, name: string, place: PlacedBlock["place"]) =>
    named(text, `${name} (${String(text)})`, place);
  return [
    ...objects(facts.databaseSubnets).flatMap(({ id, cidrs }) =>
      strings(cidrs).flatMap((cidr) => called(cidr, `database subnet ${String(id)}`, "network")),
    ),
    ...called(cluster.serviceCidr, `Services of cluster ${String(cluster.name)}`, "network"),
    ...[...strings(vpc.ipv4Cidrs), ...strings(vpc.ipv6Cidrs)].flatMap((cidr) =>
      called(cidr, `VPC ${String(vpc.id)}${isPublic(cidr) ? ", public addresses" : ""}`, "vpc"),
    ),
  ];
}

/** Whether a block is of the public internet's addresses, which a VPC may have as well. */
function isPublic(text: string): boolean {
  try {
    return specialPurposeBlockOf(parseCidr(text)) === undefined;
  } catch {
    return false;
  }
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
  const pods = new Map<string, string>();
  const blocks: PlacedBlock[] = [];
  for (const { services, cidrs: ranges } of [contract, formerContract]) {
    for (const { name, namespace, podLabels } of objects(services)) {
      if (typeof namespace === "string" && isObject(podLabels)) {
        const labels = Object.entries(podLabels)
          .map(([key, value]) => `${key}=${String(value)}`)
          .sort()
          .join(",");
        const text = `pods ${labels} in namespace ${namespace}`;
        pods.set(text, pods.get(text) ?? declared(name));
      }
    }
    for (const { name, cidrs } of objects(ranges)) {
      blocks.push(...strings(cidrs).flatMap((text) => named(text, declared(name))));
    }
  }
  return { blocks: [...blocks, ...namedAddresses(after), ...namedAddresses(before)], pods };
}

/** What the contract calls pods; empty where it does not declare them. */
export function namesOfPods(text: string, { pods }: Pick<Names, "pods">): string[] {
  const name = pods.get(text);
  return name === undefined ? [] : [name];
}

function declared(name: unknown): string {
  return `destination ${String(name)}`;
}

function named(text: unknown, name: string, place?: PlacedBlock["place"]): PlacedBlock[] {
  try {
    return typeof text === "string" ? [{ cidr: parseCidr(text), name, ...(place && { place }) }] : [];
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
  const changes: FactChange[] = [];
  for (const key of [...new Set([...old.keys(), ...fresh.keys()])].sort()) {
    const [was, is] = [old.get(key), fresh.get(key)];
    if (was !== is) {
      changes.push({ what: key.replace(/\t.*/, ""), before: was, after: is });
    }
  }
  return changes;
}

/** Facts as statements: what is stated, and its value. Members of a list are statements of their own. */
function statements(facts: Properties): Map<string, string> {
  const found = new Map<string, string>();
  const vpc = objectAt(facts, "vpc") ?? {};
  const known = new Set(["vpc", "databaseSubnets"]);
  state(found, "VPC", vpc.id);
  state(found, "VPC region", vpc.region);
  for (const cidr of [...strings(vpc.ipv4Cidrs), ...strings(vpc.ipv6Cidrs)]) {
    found.set(`VPC CIDR\t${cidr}`, cidr);
  }
  for (const subnet of objects(facts.databaseSubnets)) {
    found.set(`Database subnet\t${String(subnet.id)}`, `${String(subnet.id)} (${strings(subnet.cidrs).join(", ")})`);
  }
  for (const [key, value] of Object.entries(facts)) {
    if (!known.has(key)) {
      flatten(found, KNOWN_NAMES[key] ?? words(key), value);
    }
  }
  return found;
}

const KNOWN_NAMES: Readonly<Record<string, string>> = { addOn: "Network policy add-on", cluster: "Cluster" };

function flatten(found: Map<string, string>, name: string, value: unknown): void {
  if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      flatten(found, `${name}: ${words(key)}`, member);
    }
  } else if (Array.isArray(value)) {
    for (const member of value) {
      found.set(`${name}\t${JSON.stringify(member)}`, typeof member === "string" ? member : JSON.stringify(member));
    }
  } else {
    state(found, name, value);
  }
}

function state(found: Map<string, string>, name: string, value: unknown): void {
  if (value !== undefined && value !== null) {
    found.set(name, String(value));
  }
}

/** `addOnVersion` as `add-on version`. */
function words(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/\badd on\b/, "add-on")
    .replace(/\bip\b/, "IP");
}

function objectAt(properties: Properties | undefined, key: string): Properties | undefined {
  const value = properties?.[key];
  return isObject(value) ? value : undefined;
}

function objects(value: unknown): Properties[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === "string").sort() : [];
}

import {
  type CidrDestination,
  type DatabaseDestination,
  type InternetDestination,
  KEEPERHUB_CONTRACT,
  type RunnerContract,
  type ServiceDestination,
} from "../../runner/contract.ts";
import type { Fields } from "./fields.ts";
import { portsOf } from "./ports.ts";

const SERVICE_KEYS = ["namespace", "podLabels", "ports", "required"];
const CIDR_KEYS = ["cidrs", "ports", "owner", "required"];
const INTERNET_KEYS = ["ports", "blocks", "except", "required"];
/** What takes the place of a port or a label that is missing, so that the other members are checked in the same run. */
const ANY_PORTS = [{ protocol: "TCP" as const, port: 1 }];

/**
 * The contract of a stack: KeeperHub's own, with the changes and additions of `runner` and `destinations`. A
 * destination that is named there keeps the members that config leaves out; with `null` it goes. Worth something only
 * where no problem was noted.
 */
export function readContract(own: Fields): RunnerContract {
  const defaults = KEEPERHUB_CONTRACT;
  const runner = own.object("runner", ["policyName", "namespace", "podLabels"]);
  const known = defaults.services.map(({ name }) => name);
  const removable = [...known, "database", "internet"];
  const destinations = own.object("destinations", [...removable, "services", "cidrs"], {
    hint: "; put further pods under destinations.services, further blocks under destinations.cidrs",
    removable,
  });
  const isRemoved = (name: string) => destinations?.isRemoved(name) ?? false;
  const namespace = runner?.text("namespace", "the namespace of the runner pods") ?? defaults.namespace;

  const services: ServiceDestination[] = defaults.services
    .filter(({ name }) => !isRemoved(name))
    .map((service) => {
      const fields = destinations?.object(service.name, SERVICE_KEYS);
      return fields === undefined ? service : { ...service, ...serviceMembers(fields) };
    });
  for (const [name, fields] of destinations?.named("services", SERVICE_KEYS) ?? []) {
    if (known.includes(name)) {
      fields.refuse(`${name} is a destination of its own; set destinations.${name}`);
      continue;
    }
    const { podLabels, ports, ...rest } = serviceMembers(fields);
    if (!fields.has("podLabels")) {
      fields.missing("podLabels", "labels of the pods, such as {app: web}");
    }
    if (!fields.has("ports")) {
      fields.missing("ports", "container ports such as [8080/TCP]");
    }
    services.push({
      name,
      namespace,
      podLabels: podLabels ?? defaults.podLabels,
      ports: ports ?? ANY_PORTS,
      ...rest,
    });
  }
  const database = isRemoved("database") ? undefined : readDatabase(destinations);
  const internet = isRemoved("internet") ? undefined : readInternet(destinations);
  return {
    policyName: runner?.text("policyName", "the name of the policy") ?? defaults.policyName,
    namespace,
    podLabels: runner?.textMap("podLabels", "labels of the runner pods") ?? defaults.podLabels,
    services,
    ...(database && { database }),
    cidrs: readCidrs(destinations),
    ...(internet && { internet }),
  };
}

function readDatabase(destinations: Fields | undefined): DatabaseDestination {
  const fields = destinations?.object("database", ["ports", "required"]);
  const ports = (fields && portsOf(fields, "ports")) ?? KEEPERHUB_CONTRACT.database?.ports ?? ANY_PORTS;
  return { ports, ...requiredOf(fields) };
}

function readCidrs(destinations: Fields | undefined): CidrDestination[] {
  return (destinations?.named("cidrs", CIDR_KEYS) ?? []).map(([name, fields]) => {
    const blocks = fields.texts("cidrs", "blocks such as 169.254.20.10/32");
    const ports = portsOf(fields, "ports");
    const owner = fields.text("owner", "whose the blocks are");
    if (!fields.has("cidrs")) {
      fields.missing("cidrs", "blocks such as [169.254.20.10/32]");
    }
    if (!fields.has("ports")) {
      fields.missing("ports", "ports such as [53/UDP, 53/TCP]");
    }
    return {
      name,
      cidrs: blocks ?? ["0.0.0.0/32"],
      ports: ports ?? ANY_PORTS,
      ...(owner !== undefined && { owner }),
      ...requiredOf(fields),
    };
  });
}

function readInternet(destinations: Fields | undefined): InternetDestination {
  const fields = destinations?.object("internet", INTERNET_KEYS);
  if (fields === undefined) {
    return {};
  }
  const ports = portsOf(fields, "ports");
  const blocks = fields.texts("blocks", "public blocks such as 140.82.112.0/20");
  const except = fields.texts("except", "public blocks such as 140.82.112.0/20");
  return { ...(ports && { ports }), ...(blocks && { blocks }), ...(except && { except }), ...requiredOf(fields) };
}

function requiredOf(fields: Fields | undefined): { required?: boolean } {
  const required = fields?.flag("required");
  return required === undefined ? {} : { required };
}

/** The members that config gives, nothing for the others. */
function serviceMembers(fields: Fields): Partial<Omit<ServiceDestination, "name">> {
  const namespace = fields.text("namespace", "a namespace");
  const podLabels = fields.textMap("podLabels", "labels of the pods");
  const ports = portsOf(fields, "ports");
  return {
    ...(namespace !== undefined && { namespace }),
    ...(podLabels && { podLabels }),
    ...(ports && { ports }),
    ...requiredOf(fields),
  };
}

/**
 * The key that sets what a problem of the rules is about: `cidrs.dns` of the contract is
 * `runner-egress:destinations.cidrs.dns` in config. An empty text is the contract as a whole.
 */
export function configKey(project: string, where: string): string {
  if (where === "") {
    return `${project}:destinations`;
  }
  const [head, name = "", ...rest] = where.split(".");
  const path = [name, ...rest].join(".");
  switch (head) {
    case "services":
      return KEEPERHUB_CONTRACT.services.some((service) => service.name === name)
        ? `${project}:destinations.${path}`
        : `${project}:destinations.services.${path}`;
    case "cidrs":
    case "database":
    case "internet":
      return `${project}:destinations.${where}`;
    case "databaseSubnets":
    case "vpc":
      return `${project}:${where}`;
    default:
      return `${project}:runner.${where}`;
  }
}

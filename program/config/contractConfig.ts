import {
  type CidrDestination,
  KEEPERHUB_CONTRACT,
  type RunnerContract,
  type ServiceDestination,
} from "../../runner/contract.ts";
import type { Fields } from "./fields.ts";
import { portsOf } from "./ports.ts";

const SERVICE_KEYS = ["namespace", "podLabels", "ports"];

/**
 * The contract of a stack: KeeperHub's own, with the changes and additions of `runner` and `destinations`. A
 * destination that is named there keeps the members that config leaves out. Worth something only where no problem was
 * noted.
 */
export function readContract(own: Fields): RunnerContract {
  const defaults = KEEPERHUB_CONTRACT;
  const runner = own.object("runner", ["policyName", "namespace", "podLabels"]);
  const known = defaults.services.map(({ name }) => name);
  const destinations = own.object(
    "destinations",
    [...known, "database", "services", "cidrs"],
    "; put further pods under destinations.services, further blocks under destinations.cidrs",
  );
  const namespace = runner?.text("namespace", "the namespace of the runner pods") ?? defaults.namespace;

  const services: ServiceDestination[] = defaults.services.map((service) => {
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
    // What stands in for a member that is wrong is never returned; it lets the other members be checked in the same run.
    services.push({
      name,
      namespace,
      podLabels: podLabels ?? defaults.podLabels,
      ports: ports ?? defaults.databasePorts,
      ...rest,
    });
  }

  const cidrs: CidrDestination[] = [];
  for (const [name, fields] of destinations?.named("cidrs", ["cidrs", "ports"]) ?? []) {
    const blocks = fields.texts("cidrs", "blocks such as 169.254.20.10/32");
    const ports = portsOf(fields, "ports");
    if (!fields.has("cidrs")) {
      fields.missing("cidrs", "blocks such as [169.254.20.10/32]");
    }
    if (!fields.has("ports")) {
      fields.missing("ports", "ports such as [53/UDP, 53/TCP]");
    }
    cidrs.push({ name, cidrs: blocks ?? ["0.0.0.0/32"], ports: ports ?? defaults.databasePorts });
  }

  const database = destinations?.object("database", ["ports"]);
  return {
    policyName: runner?.text("policyName", "the name of the policy") ?? defaults.policyName,
    namespace,
    podLabels: runner?.textMap("podLabels", "labels of the runner pods") ?? defaults.podLabels,
    services,
    databasePorts: (database && portsOf(database, "ports")) ?? defaults.databasePorts,
    cidrs,
  };
}

/** The members that config gives, nothing for the others. */
function serviceMembers(fields: Fields): Partial<Omit<ServiceDestination, "name">> {
  const namespace = fields.text("namespace", "a namespace");
  const podLabels = fields.textMap("podLabels", "labels of the pods");
  const ports = portsOf(fields, "ports");
  return { ...(namespace !== undefined && { namespace }), ...(podLabels && { podLabels }), ...(ports && { ports }) };
}

/**
 * The key that sets what a problem of the rules is about: `cidrs.dns` of the contract is
 * `runner-egress:destinations.cidrs.dns` in config.
 */
export function configKey(project: string, where: string): string {
  const [head, name = "", ...rest] = where.split(".");
  const path = [name, ...rest].join(".");
  switch (head) {
    case "services":
      return KEEPERHUB_CONTRACT.services.some((service) => service.name === name)
        ? `${project}:destinations.${path}`
        : `${project}:destinations.services.${path}`;
    case "cidrs":
      return `${project}:destinations.cidrs.${path}`;
    case "databasePorts":
      return `${project}:destinations.database.ports`;
    case "databaseSubnets":
    case "vpc":
      return `${project}:${where}`;
    default:
      return `${project}:runner.${where}`;
  }
}

import { defined, type Input } from "../../analysis/input.ts";
import {
  type CidrDestination,
  type DatabaseDestination,
  type InternetDestination,
  KEEPERHUB_CONTRACT,
  type RunnerContract,
  type ServiceDestination,
} from "../../runner/contract.ts";
import { readPorts } from "./ports.ts";

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
export function readContract(config: Input): RunnerContract {
  const defaults = KEEPERHUB_CONTRACT;
  const runner = config.at("runner").object(["policyName", "namespace", "podLabels"]);
  const known = defaults.services.map(({ name }) => name);
  const removable = [...known, "database", "internet"];
  const destinations = config.at("destinations").object([...removable, "services", "cidrs"], {
    hint: "; put further pods under destinations.services, further blocks under destinations.cidrs",
    removable,
  });
  const isRemoved = (name: string) => destinations?.at(name).value === null;
  const namespace = runner?.at("namespace").text("the namespace of the runner pods") ?? defaults.namespace;

  const services: ServiceDestination[] = defaults.services
    .filter(({ name }) => !isRemoved(name))
    .map((service) => {
      const own = destinations?.at(service.name).object(SERVICE_KEYS);
      return own === undefined ? service : { ...service, ...serviceMembers(own) };
    });
  for (const [name, own] of destinations?.at("services").named(SERVICE_KEYS) ?? []) {
    if (known.includes(name)) {
      own.wrong(`${name} is a destination of its own; set destinations.${name}`);
      continue;
    }
    own.at("podLabels").required("labels of the pods, such as {app: web}");
    own.at("ports").required("container ports such as [8080/TCP]");
    services.push({ name, namespace, podLabels: defaults.podLabels, ports: ANY_PORTS, ...serviceMembers(own) });
  }
  return {
    policyName: runner?.at("policyName").text("the name of the policy") ?? defaults.policyName,
    namespace,
    podLabels: runner?.at("podLabels").textMap("labels of the runner pods") ?? defaults.podLabels,
    services,
    ...(!isRemoved("database") && { database: readDatabase(destinations?.at("database")) }),
    cidrs: (destinations?.at("cidrs").named(CIDR_KEYS) ?? []).map(readCidrDestination),
    ...(!isRemoved("internet") && { internet: readInternet(destinations?.at("internet")) }),
  };
}

function readDatabase(input: Input | undefined): DatabaseDestination {
  const own = input?.object(["ports", "required"]);
  const ports = (own && readPorts(own.at("ports"))) ?? KEEPERHUB_CONTRACT.database?.ports ?? ANY_PORTS;
  return { ports, ...defined({ required: own?.at("required").flag() }) };
}

function readCidrDestination([name, own]: readonly [string, Input]): CidrDestination {
  const cidrs = own.at("cidrs").required("blocks such as [169.254.20.10/32]").texts("blocks such as 169.254.20.10/32");
  const ports = readPorts(own.at("ports").required("ports such as [53/UDP, 53/TCP]"));
  return {
    name,
    cidrs: cidrs ?? ["0.0.0.0/32"],
    ports: ports ?? ANY_PORTS,
    ...defined({ owner: own.at("owner").text("whose the blocks are"), required: own.at("required").flag() }),
  };
}

function readInternet(input: Input | undefined): InternetDestination {
  const own = input?.object(INTERNET_KEYS);
  return own === undefined
    ? {}
    : defined({
        ports: readPorts(own.at("ports")),
        blocks: own.at("blocks").texts("public blocks such as 140.82.112.0/20"),
        except: own.at("except").texts("public blocks such as 140.82.112.0/20"),
        required: own.at("required").flag(),
      });
}

/** The members that config gives, nothing for the others. */
function serviceMembers(own: Input): Partial<Omit<ServiceDestination, "name">> {
  return defined({
    namespace: own.at("namespace").text("a namespace"),
    podLabels: own.at("podLabels").textMap("labels of the pods"),
    ports: readPorts(own.at("ports")),
    required: own.at("required").flag(),
  });
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

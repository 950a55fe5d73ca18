import { type Address, parseAddress } from "./address.ts";
import { Input } from "./input.ts";
import type { ContainerPort, Inventory, Pod, Service, ServicePort } from "./inventory.ts";
import type { Labels } from "./labelSelector.ts";
import { type Problem, throwIfWrong } from "./problems.ts";
import { POLICY_PROTOCOLS, type PolicyProtocol } from "./protocol.ts";

/** An object of the cluster and where it was found, such as `cluster.json items[3]`. */
export interface InventoryObject {
  readonly object: unknown;
  readonly path: string;
}

/** Where the VPC CNI writes a pod's addresses before the kubelet does (`ANNOTATE_POD_IP`, CNI 1.9.3 and later). */
const POD_IPS_ANNOTATION = "vpc.amazonaws.com/pod-ips";

/** A pod in one of these phases has given its addresses back, and no policy follows them. */
const ENDED_PHASES: readonly unknown[] = ["Succeeded", "Failed"];

/**
 * Reads what runs in the cluster from Namespace, Pod and Service objects, as
 * `kubectl get namespaces,pods,services -A -o json` prints them. Objects of other kinds are left out.
 *
 * An inventory with a hole would turn "this selector matches nothing" into a false denial, so one without pods, or with a
 * pod or Service whose Namespace is missing, is refused.
 *
 * @throws {ProblemsError} with every problem.
 */
export function parseInventory(objects: readonly InventoryObject[]): Inventory {
  const problems: Problem[] = [];
  const inventory = readInventory(
    objects.map(({ object, path }) => new Input(object, path, problems)),
    problems,
  );
  throwIfWrong("Not an inventory, which is `kubectl get namespaces,pods,services -A -o json`:", problems);
  return inventory;
}

/**
 * Reads an inventory as {@link parseInventory} does.
 *
 * @param problems where the objects note what is wrong with them
 */
export function readInventory(objects: readonly Input[], problems: Problem[]): Inventory {
  const namespaces = new Map<string, Labels>();
  const pods: Pod[] = [];
  const services: Service[] = [];
  for (const input of objects) {
    const object = input.members();
    const metadata = object.at("metadata").optionalMembers();
    switch (object.at("kind").value) {
      case "Namespace":
        namespaces.set(readName(metadata.at("name")), readLabels(metadata.at("labels")));
        break;
      case "Pod":
        pods.push(...readPod(object, metadata));
        break;
      case "Service":
        services.push(readService(object.at("spec").members(), metadata));
    }
  }
  if (pods.length === 0) {
    problems.push({ where: "inventory", reason: "holds no running Pod, so every selector would match nothing" });
  }
  for (const namespace of new Set([...pods, ...services].map((object) => object.namespace))) {
    if (!namespaces.has(namespace)) {
      problems.push({
        where: `namespace "${namespace}"`,
        reason: "has a Pod or Service in the inventory but no Namespace, whose labels policies may ask for; add it",
      });
    }
  }
  return { namespaces, pods: pods.sort(byName), services: services.sort(byName) };
}

type Named = Pick<Pod, "namespace" | "name">;

function byName(a: Named, b: Named): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}

function readNames(metadata: Input): Named {
  return { name: readName(metadata.at("name")), namespace: readName(metadata.at("namespace")) };
}

/** Nothing for a pod that has ended. */
function readPod(pod: Input, metadata: Input): Pod[] {
  const status = pod.at("status").optionalMembers();
  if (ENDED_PHASES.includes(status.at("phase").value)) {
    return [];
  }
  const spec = pod.at("spec").members();
  const containers = (name: string) =>
    spec
      .at(name)
      .list()
      .map((container) => container.members());
  const containerPorts = containers("containers").flatMap(readContainerPorts);
  // An init container with this restart policy runs beside the others.
  const sidecars = containers("initContainers").filter((container) => container.at("restartPolicy").value === "Always");
  const ports = [...containerPorts, ...sidecars.flatMap(readContainerPorts)];
  return [
    {
      ...readNames(metadata),
      labels: readLabels(metadata.at("labels")),
      addresses: readPodAddresses(status, metadata),
      namedPorts: ports.flatMap(({ name, ...port }) => (name === undefined ? [] : [{ name, ...port }])),
      containerPorts,
      hostNetwork: spec.at("hostNetwork").value === true,
    },
  ];
}

function readContainerPorts(container: Input): ContainerPort[] {
  return container
    .at("ports")
    .list()
    .map((input) => {
      const port = input.members();
      return {
        name: port.at("name").value === undefined ? undefined : readName(port.at("name")),
        protocol: readProtocol(port.at("protocol")),
        port: port.at("containerPort").portNumber(),
      };
    });
}

function readPodAddresses(status: Input, metadata: Input): Address[] {
  const listed = status
    .at("podIPs")
    .list()
    .map((entry) => entry.members().at("ip").value);
  const annotation = metadata.at("annotations").optionalMembers().at(POD_IPS_ANNOTATION).value;
  const single =
    status.at("podIP").value ?? (typeof annotation === "string" && annotation !== "" ? annotation : undefined);
  const texts = listed.length > 0 ? listed : String(single ?? "").split(",");
  return texts.filter((text) => text !== "").flatMap((text) => readAddress(status.at("podIP"), text));
}

function readService(spec: Input, metadata: Input): Service {
  const isExternal = spec.at("type").value === "ExternalName";
  const clusterIps = spec.has("clusterIPs") ? spec.at("clusterIPs").list() : [spec.at("clusterIP")];
  const selector = readLabels(spec.at("selector"));
  return {
    ...readNames(metadata),
    clusterIps: clusterIps.flatMap((ip) =>
      isExternal || !ip.isGiven || ip.value === "None" || ip.value === "" ? [] : readAddress(ip),
    ),
    ports: spec.at("ports").list().map(readServicePort),
    selector: isExternal || Object.keys(selector).length === 0 ? undefined : selector,
  };
}

function readServicePort(input: Input): ServicePort {
  const entry = input.members();
  const port = entry.at("port").portNumber();
  const { value: targetPort } = entry.at("targetPort");
  return {
    protocol: readProtocol(entry.at("protocol")),
    port,
    targetPort:
      targetPort === undefined || targetPort === 0
        ? port
        : typeof targetPort === "string"
          ? targetPort
          : entry.at("targetPort").portNumber(),
  };
}

function readLabels(input: Input): Labels {
  return Object.fromEntries(input.entries().map(([key, value]) => [key, value.string() ?? ""]));
}

function readName(input: Input): string {
  const text = input.string();
  if (text === undefined || text === "") {
    input.wrong("is missing");
  }
  return text ?? "";
}

function readAddress(at: Input, value: unknown = at.value): Address[] {
  const address = typeof value === "string" ? parseAddress(value.trim()) : undefined;
  if (address === undefined) {
    at.wrong("must be an address", value);
    return [];
  }
  return [address];
}

function readProtocol(input: Input): PolicyProtocol {
  const protocol = POLICY_PROTOCOLS.find((known) => known === (input.value ?? "TCP"));
  if (protocol === undefined) {
    input.wrong("must be TCP, UDP or SCTP");
  }
  return protocol ?? "TCP";
}

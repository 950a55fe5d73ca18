import { type Address, parseAddress } from "./address.ts";
import { type Fields, InputReader } from "./inputReader.ts";
import type { ContainerPort, Inventory, Pod, Service, ServicePort } from "./inventory.ts";
import type { Labels } from "./labelSelector.ts";
import { POLICY_PROTOCOLS, type PolicyProtocol } from "./networkPolicy.ts";

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
  const reader = new InventoryReader();
  const namespaces = new Map<string, Labels>();
  const pods: Pod[] = [];
  const services: Service[] = [];
  for (const { object, path } of objects) {
    const { kind, metadata, spec, status } = reader.fields(object, path);
    const read = { path, metadata: reader.fields(metadata ?? {}, `${path}.metadata`), spec, status };
    if (kind === "Namespace") {
      namespaces.set(
        reader.required(read.metadata.name, `${path}.metadata.name`),
        reader.labels(read.metadata.labels, `${path}.metadata.labels`),
      );
    } else if (kind === "Pod") {
      pods.push(...reader.pod(read));
    } else if (kind === "Service") {
      services.push(reader.service(read));
    }
  }
  if (pods.length === 0) {
    reader.report("inventory", undefined, "holds no running Pod, so every selector would match nothing");
  }
  for (const namespace of new Set([...pods, ...services].map((object) => object.namespace))) {
    if (!namespaces.has(namespace)) {
      reader.report(
        `namespace "${namespace}"`,
        undefined,
        "has a Pod or Service in the inventory but no Namespace, whose labels policies may ask for; add it",
      );
    }
  }
  reader.throwIfWrong("Not an inventory, which is `kubectl get namespaces,pods,services -A -o json`:");
  return { namespaces, pods: pods.sort(byName), services: services.sort(byName) };
}

type Named = Pick<Pod, "namespace" | "name">;

function byName(a: Named, b: Named): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}

interface Read {
  readonly path: string;
  readonly metadata: Fields;
  readonly spec: unknown;
  readonly status: unknown;
}

class InventoryReader extends InputReader {
  /** Nothing for a pod that has ended. */
  pod({ path, metadata, spec: specInput, status: statusInput }: Read): Pod[] {
    const status = this.fields(statusInput ?? {}, `${path}.status`);
    if (ENDED_PHASES.includes(status.phase)) {
      return [];
    }
    const spec = this.fields(specInput, `${path}.spec`);
    const containerPorts = this.ports(spec, "containers", path);
    // An init container with restart policy `Always` runs beside the others.
    const ports = [...containerPorts, ...this.ports(spec, "initContainers", path)];
    return [
      {
        ...this.name(metadata, path),
        labels: this.labels(metadata.labels, `${path}.metadata.labels`),
        addresses: this.podAddresses(status, metadata, path),
        namedPorts: ports.flatMap(({ name, ...port }) => (name === undefined ? [] : [{ name, ...port }])),
        containerPorts,
        hostNetwork: spec.hostNetwork === true,
      },
    ];
  }

  service({ path, metadata, spec: specInput }: Read): Service {
    const spec = this.fields(specInput, `${path}.spec`);
    const isExternal = spec.type === "ExternalName";
    const clusterIps = this.list(
      spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]),
      `${path}.spec.clusterIPs`,
    );
    const selector = this.labels(spec.selector, `${path}.spec.selector`);
    return {
      ...this.name(metadata, path),
      clusterIps: clusterIps.flatMap((text, index) =>
        isExternal || text === "None" || text === "" ? [] : this.address(text, `${path}.spec.clusterIPs[${index}]`),
      ),
      ports: this.list(spec.ports, `${path}.spec.ports`).map((port, index) =>
        this.servicePort(port, `${path}.spec.ports[${index}]`),
      ),
      selector: isExternal || Object.keys(selector).length === 0 ? undefined : selector,
    };
  }

  labels(input: unknown, path: string): Labels {
    const labels: Record<string, string> = {};
    for (const [key, value] of Object.entries(this.fields(input ?? {}, path))) {
      labels[key] = this.text(value, `${path}.${key}`) ?? "";
    }
    return labels;
  }

  required(input: unknown, path: string): string {
    const text = this.text(input, path);
    if (text === undefined || text === "") {
      this.report(path, input, "is missing");
    }
    return text ?? "";
  }

  private name(metadata: Fields, path: string): Named {
    return {
      name: this.required(metadata.name, `${path}.metadata.name`),
      namespace: this.required(metadata.namespace, `${path}.metadata.namespace`),
    };
  }

  private ports(spec: Fields, member: "containers" | "initContainers", path: string): ContainerPort[] {
    return this.list(spec[member], `${path}.spec.${member}`).flatMap((input, index) => {
      const at = `${path}.spec.${member}[${index}]`;
      const container = this.fields(input, at);
      if (member === "initContainers" && container.restartPolicy !== "Always") {
        return [];
      }
      return this.list(container.ports, `${at}.ports`).map((port, portIndex) =>
        this.containerPort(port, `${at}.ports[${portIndex}]`),
      );
    });
  }

  private containerPort(input: unknown, path: string): ContainerPort {
    const { name, protocol, containerPort } = this.fields(input, path);
    return {
      name: name === undefined ? undefined : this.required(name, `${path}.name`),
      protocol: this.protocol(protocol, `${path}.protocol`),
      port: this.portNumber(containerPort, `${path}.containerPort`),
    };
  }

  private podAddresses(status: Fields, metadata: Fields, path: string): Address[] {
    const listed = this.list(status.podIPs, `${path}.status.podIPs`).map(
      (entry, index) => this.fields(entry, `${path}.status.podIPs[${index}]`).ip,
    );
    const annotation = this.fields(metadata.annotations ?? {}, `${path}.metadata.annotations`)[POD_IPS_ANNOTATION];
    const single = status.podIP ?? (typeof annotation === "string" && annotation !== "" ? annotation : undefined);
    const texts = listed.length > 0 ? listed : String(single ?? "").split(",");
    return texts.filter((text) => text !== "").flatMap((text) => this.address(text, `${path}.status.podIP`));
  }

  private address(input: unknown, path: string): Address[] {
    const address = typeof input === "string" ? parseAddress(input.trim()) : undefined;
    if (address === undefined) {
      this.report(path, input, "must be an address");
      return [];
    }
    return [address];
  }

  private servicePort(input: unknown, path: string): ServicePort {
    const { protocol, port: portInput, targetPort } = this.fields(input, path);
    const port = this.portNumber(portInput, `${path}.port`);
    return {
      protocol: this.protocol(protocol, `${path}.protocol`),
      port,
      targetPort:
        targetPort === undefined || targetPort === 0
          ? port
          : typeof targetPort === "string"
            ? targetPort
            : this.portNumber(targetPort, `${path}.targetPort`),
    };
  }

  private protocol(input: unknown, path: string): PolicyProtocol {
    const protocol = POLICY_PROTOCOLS.find((known) => known === (input ?? "TCP"));
    if (protocol === undefined) {
      this.report(path, input, "must be TCP, UDP or SCTP");
    }
    return protocol ?? "TCP";
  }
}

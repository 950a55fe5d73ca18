import { nestedMap, zip } from "./addressMap.ts";
import { hostOf } from "./cidr.ts";
import { backendsOf, type Inventory, type Pod, type ServicePort, targetNumber } from "./inventory.ts";
import type { Point } from "./normalForm.ts";
import { type Cell, cellIndexAt, type Partition, partitionOf, type ServicePoint } from "./normalForm.ts";
import { spanAt, withPorts } from "./ports.ts";

/**
 * Judges each ClusterIP of a Service as that Service: by its backends at their target ports, which is where its packets
 * arrive. Ports that the Service does not have, and Services whose backends are not chosen by labels, are judged as a bare
 * address.
 */
export function withServices(partition: Partition, inventory: Inventory | undefined): Partition {
  const byLabel = (inventory?.services ?? []).filter(({ selector }) => selector !== undefined);
  const hosts = byLabel.flatMap((service) => {
    const backends = backendsOf(service, inventory as Inventory);
    const points = service.ports.map((port) => servicePoint(partition, port, backends));
    return service.clusterIps
      .filter(({ family }) => family === partition.family && points.length > 0)
      .map((address) => ({ cidr: hostOf(address), origin: { kind: "service", service, points } as const }));
  });
  if (hosts.length === 0) {
    return partition;
  }
  const services = nestedMap<(typeof hosts)[0], readonly (typeof hosts)[0][]>(
    partition.family,
    hosts,
    [],
    (_, same) => same,
  );
  const cellOf = (base: Cell, { origin }: (typeof hosts)[0]): Cell => ({
    table: origin.points.reduce(
      (table, { protocol, port, ...span }) => withPorts(table, protocol, span, { from: port, to: port }),
      base.table,
    ),
    origin: { ...origin, base },
  });
  return partitionOf(zip(partition, services, (cell, same) => same.reduce(cellOf, cell)));
}

/** One port of a Service; without a backend that has an address and a number for the target nobody can tell. */
function servicePoint(partition: Partition, servicePort: ServicePort, pods: readonly Pod[]): ServicePoint {
  const { protocol, port } = servicePort;
  const backends = pods.flatMap((pod): Point[] => {
    const target = targetNumber(servicePort, pod);
    const address = pod.addresses.find(({ family }) => family === partition.family);
    return target === undefined || address === undefined ? [] : [{ address, protocol, port: target }];
  });
  const spans = backends.flatMap(({ address, port }) => {
    const { table } = partition.cells[cellIndexAt(partition, address)] as Cell;
    return spanAt(table.spans[protocol] ?? [], port) ?? [];
  });
  const [verdict = "order-dependent", ...others] = new Set(spans.map(({ verdict }) => verdict));
  return {
    protocol,
    port,
    backends,
    verdict: others.length === 0 ? verdict : "order-dependent",
    grants: spans.flatMap(({ grants }) => grants),
  };
}

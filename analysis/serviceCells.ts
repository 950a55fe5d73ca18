import { nestedMap, zip } from "./addressMap.ts";
import { type Cidr, cidrKey, hostOf } from "./cidr.ts";
import type { Inventory, Service, ServicePort } from "./inventory.ts";
import { backendsOf, targetNumber } from "./inventory.ts";
import { type Cell, cellIndexAt, type Partition, partitionOf, type ServicePoint } from "./partition.ts";
import type { Point } from "./point.ts";
import { spanAt, withPort } from "./ports.ts";

/**
 * Judges each ClusterIP of a Service as that Service: by its backends at their target ports, which is where its packets
 * arrive. Ports that the Service does not have, and Services whose backends are not known, are judged as bare addresses.
 */
export function withServices(partition: Partition, inventory: Inventory | undefined): Partition {
  const cells = new Map<string | number, { readonly cidr: Cidr; readonly cell: Cell }>();
  for (const service of inventory?.services ?? []) {
    for (const address of service.clusterIps.filter(({ family }) => family === partition.family)) {
      const cidr = hostOf(address);
      const key = cidrKey(cidr);
      const base = cells.get(key)?.cell ?? (partition.cells[cellIndexAt(partition, address)] as Cell);
      const points = service.ports.flatMap((port) => servicePoint(partition, service, port, inventory as Inventory));
      if (points.length > 0) {
        const table = points.reduce(
          (table, { protocol, port, ...span }) => withPort(table, protocol, port, span),
          base.table,
        );
        cells.set(key, { cidr, cell: { table, origin: { kind: "service", service, points, base } } });
      }
    }
  }
  if (cells.size === 0) {
    return partition;
  }
  const hosts = nestedMap<{ cidr: Cidr; cell: Cell }, Cell | undefined>(
    partition.family,
    [...cells.values()],
    undefined,
    (_, [host]) => host?.cell,
  );
  return partitionOf(zip(partition, hosts, (cell, host) => host ?? cell));
}

/** One port of a Service; none where no backend has an address and a number for the target. */
function servicePoint(
  partition: Partition,
  service: Service,
  servicePort: ServicePort,
  inventory: Inventory,
): ServicePoint[] {
  const { protocol, port } = servicePort;
  const backends = backendsOf(service, inventory).flatMap((pod): Point[] => {
    const target = targetNumber(servicePort, pod);
    const address = pod.addresses.find(({ family }) => family === partition.family);
    return target === undefined || address === undefined ? [] : [{ address, protocol, port: target }];
  });
  const spans = backends.flatMap(({ address, port }) => {
    const { table } = partition.cells[cellIndexAt(partition, address)] as Cell;
    return spanAt(table.spans[protocol] ?? [], port) ?? [];
  });
  const verdicts = new Set(spans.map(({ verdict }) => verdict));
  const [verdict] = verdicts;
  return verdict === undefined
    ? []
    : [
        {
          protocol,
          port,
          backends,
          verdict: verdicts.size === 1 ? verdict : "order-dependent",
          grants: spans.flatMap(({ grants }) => grants),
        },
      ];
}

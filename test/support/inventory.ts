import { type Inventory, parseInventory } from "../../analysis/index.ts";

/** Objects as kubectl prints them, cut to what an inventory reads. */
export const namespaceObject = (name: string, labels: object = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "kubernetes.io/metadata.name": name, ...labels } },
});

/** A pod in namespace `keeperhub` unless said otherwise. */
export const podObject = (name: string, ip: string | undefined, more: PodOptions = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: more.namespace ?? "keeperhub", labels: more.labels ?? {}, ...more.metadata },
  spec: { containers: [{ name: "main", ports: more.ports ?? [] }], ...more.spec },
  status: { phase: "Running", ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }), ...more.status },
});

/** What {@link podObject} can be given. */
export interface PodOptions {
  readonly namespace?: string;
  readonly labels?: object;
  readonly ports?: readonly object[];
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

/** A Service in namespace `keeperhub`. */
export const serviceObject = (name: string, spec: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "keeperhub" },
  spec,
});

/** Reads objects, with the namespaces `keeperhub` and `kube-system`. */
export function inventoryOf(...objects: readonly object[]): Inventory {
  return parseInventory(
    [namespaceObject("keeperhub"), namespaceObject("kube-system"), ...objects].map((object, index) => ({
      object,
      path: `items[${index}]`,
    })),
  );
}

import { describe, expect, it } from "vitest";
import { formatAddress, type Inventory, parseInventory } from "../../analysis/index.ts";
import { inventoryOf, namespaceObject, podObject, serviceObject } from "../support/inventory.ts";

const addressesOf = ({ pods }: Inventory) => pods.map(({ name, addresses }) => [name, addresses.map(formatAddress)]);

describe("pods", () => {
  it("have their addresses, labels and named ports, in the order of their names", () => {
    const { pods } = inventoryOf(
      podObject("b", "10.1.0.2"),
      podObject("a", "10.1.0.1", {
        labels: { app: "web" },
        ports: [
          { name: "http", containerPort: 8080 },
          { containerPort: 9090 },
          { name: "dns", protocol: "UDP", containerPort: 53 },
        ],
      }),
    );
    expect(pods.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(pods[0]).toMatchObject({
      namespace: "keeperhub",
      labels: { app: "web" },
      hostNetwork: false,
      namedPorts: [
        { name: "http", protocol: "TCP", port: 8080 },
        { name: "dns", protocol: "UDP", port: 53 },
      ],
    });
  });

  it.each([
    [
      "both families",
      podObject("p", "10.1.0.1", { status: { podIPs: [{ ip: "10.1.0.1" }, { ip: "fd00::1" }] } }),
      ["10.1.0.1", "fd00::1"],
    ],
    ["podIP alone", podObject("p", "10.1.0.1", { status: { podIPs: undefined } }), ["10.1.0.1"]],
    [
      "the annotation of the VPC CNI while the kubelet has not written one",
      podObject("p", undefined, { metadata: { annotations: { "vpc.amazonaws.com/pod-ips": "10.1.0.9" } } }),
      ["10.1.0.9"],
    ],
    ["none yet", podObject("p", undefined), []],
  ])("take their addresses from %s", (_, object, expected) => {
    expect(addressesOf(inventoryOf(object, podObject("other", "10.9.9.9")))).toContainEqual(["p", expected]);
  });

  it.each(["Succeeded", "Failed"])("that have %s are left out", (phase) => {
    const inventory = inventoryOf(podObject("done", "10.1.0.1", { status: { phase } }), podObject("runs", "10.1.0.2"));
    expect(addressesOf(inventory)).toEqual([["runs", ["10.1.0.2"]]]);
  });

  it("take port names from sidecars, not from init containers that end", () => {
    const { pods } = inventoryOf(
      podObject("p", "10.1.0.1", {
        spec: {
          initContainers: [
            { ports: [{ name: "setup", containerPort: 1 }] },
            { restartPolicy: "Always", ports: [{ name: "mesh", containerPort: 2 }] },
          ],
        },
      }),
    );
    expect(pods[0]?.namedPorts.map(({ name }) => name)).toEqual(["mesh"]);
  });

  it("on the host network are marked", () => {
    expect(inventoryOf(podObject("p", "10.1.0.1", { spec: { hostNetwork: true } })).pods[0]?.hostNetwork).toBe(true);
  });
});

describe("Services", () => {
  const read = (spec: object) => inventoryOf(podObject("p", "10.1.0.1"), serviceObject("s", spec)).services[0];

  it("have ClusterIPs, ports and a selector", () => {
    const service = read({
      clusterIP: "172.20.0.10",
      clusterIPs: ["172.20.0.10", "fd00::10"],
      selector: { app: "web" },
      ports: [
        { port: 80, targetPort: "http" },
        { port: 53, protocol: "UDP" },
        { port: 443, targetPort: 8443 },
      ],
    });
    expect(service?.clusterIps.map(formatAddress)).toEqual(["172.20.0.10", "fd00::10"]);
    expect(service?.selector).toEqual({ app: "web" });
    expect(service?.ports).toEqual([
      { protocol: "TCP", port: 80, targetPort: "http" },
      { protocol: "UDP", port: 53, targetPort: 53 },
      { protocol: "TCP", port: 443, targetPort: 8443 },
    ]);
  });

  it.each([
    ["headless", { clusterIP: "None", clusterIPs: ["None"], selector: { app: "web" } }, { app: "web" }],
    [
      "an external name",
      { type: "ExternalName", externalName: "example.com", clusterIP: "172.20.0.9", selector: { app: "web" } },
      undefined,
    ],
    ["without a selector", { clusterIP: "None", selector: {} }, undefined],
  ])("that are %s have no ClusterIP", (_, spec, selector) => {
    expect(read(spec)).toMatchObject({ clusterIps: [], selector });
  });
});

it("leaves other kinds out", () => {
  expect(inventoryOf(podObject("p", "10.1.0.1"), { kind: "ConfigMap", metadata: {} }).pods).toHaveLength(1);
});

it.each<[string, object[], string[]]>([
  [
    "nothing runs",
    [namespaceObject("keeperhub")],
    ["inventory: holds no running Pod, so every selector would match nothing"],
  ],
  [
    "a namespace is missing",
    [podObject("p", "10.1.0.1")],
    [
      'namespace "keeperhub": has a Pod or Service in the inventory but no Namespace, whose labels policies may ask for; add it',
    ],
  ],
  [
    "everything else is wrong at once",
    [
      namespaceObject("keeperhub"),
      podObject("p", "10.1.0.300", { labels: { app: 7 } }),
      podObject("q", "10.1.0.2", { ports: [{ name: "x", protocol: "ICMP", containerPort: 70000 }] }),
      serviceObject("s", { clusterIP: "172.20.0.0/16", ports: [{ port: 0, targetPort: 99999 }] }),
      { kind: "Pod", metadata: {}, spec: {} },
    ],
    [
      "items[1].metadata.labels.app is 7: must be a string",
      'items[1].status.podIP is "10.1.0.300": must be an address',
      'items[2].spec.containers[0].ports[0].protocol is "ICMP": must be TCP, UDP or SCTP',
      "items[2].spec.containers[0].ports[0].containerPort is 70000: must be a number from 1 to 65535",
      'items[3].spec.clusterIP is "172.20.0.0/16": must be an address',
      "items[3].spec.ports[0].port is 0: must be a number from 1 to 65535",
      "items[3].spec.ports[0].targetPort is 99999: must be a number from 1 to 65535",
      "items[4].metadata.name: is missing",
      "items[4].metadata.namespace: is missing",
      'namespace "": has a Pod or Service in the inventory but no Namespace, whose labels policies may ask for; add it',
    ],
  ],
])("is refused where %s", (_, objects, problems) => {
  const read = () => parseInventory(objects.map((object, index) => ({ object, path: `items[${index}]` })));
  expect(read).toThrow(
    `Not an inventory, which is \`kubectl get namespaces,pods,services -A -o json\`:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );
});

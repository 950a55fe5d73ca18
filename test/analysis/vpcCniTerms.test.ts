import { expect, it } from "vitest";
import { parsePoint, type Semantics, verdict } from "../../analysis/index.ts";
import { inventoryOf, podObject, serviceObject } from "../support/inventory.ts";
import { analyse, KUBERNETES, policy } from "../support/policies.ts";

const V4: Semantics = { name: "vpc-cni", ipFamily: "ipv4" };
const V6: Semantics = { name: "vpc-cni", ipFamily: "ipv6" };
const WEB = { app: "web" };
const http = (containerPort: number) => ({ labels: WEB, ports: [{ name: "http", containerPort }] });

/** Two pods that call port `http` differently, and one Service of each kind in front of them. */
const CLUSTER = inventoryOf(
  podObject("web-0", "10.1.0.1", http(8080)),
  podObject("web-1", "10.1.0.2", http(9090)),
  serviceObject("named", { clusterIP: "172.20.0.1", selector: WEB, ports: [{ port: 80, targetPort: "http" }] }),
  serviceObject("numbered", { clusterIP: "172.20.0.2", selector: WEB, ports: [{ port: 80, targetPort: 8080 }] }),
  serviceObject("high", { clusterIP: "172.20.0.3", selector: WEB, ports: [{ port: 9500, targetPort: 8080 }] }),
  serviceObject("bare", { clusterIP: "172.20.0.4", ports: [{ port: 80, targetPort: 8080 }] }),
  serviceObject("dual", {
    clusterIPs: ["172.20.0.5", "fd00::5"],
    selector: WEB,
    ports: [{ port: 80, targetPort: 8080 }],
  }),
);

const web = { matchLabels: WEB };
const notDb = { matchExpressions: [{ key: "app", operator: "NotIn", values: ["db"] }] };

// What `pkg/resolvers/endpoints.go` of amazon-network-policy-controller-k8s 1.1.7 does with ClusterIPs.
it.each<[string, object, object[] | undefined, string, string, Semantics]>([
  ["a named target port by its name", web, [{ port: "http" }], "172.20.0.1:80", "allow", V4],
  [
    "a number, where every backend keeps to the policy",
    web,
    [{ port: 8080 }, { port: 9090 }],
    "172.20.0.1:80",
    "allow",
    V4,
  ],
  ["a range that holds every backend's port", web, [{ port: 8080, endPort: 9090 }], "172.20.0.1:80", "allow", V4],
  ["a number, where one backend would bypass the policy", web, [{ port: 8080 }], "172.20.0.1:80", "deny", V4],
  ["a number of another protocol", web, [{ port: 8080 }, { protocol: "UDP", port: 9090 }], "172.20.0.1:80", "deny", V4],
  ["an endPort, copied as it is", web, [{ port: 8080, endPort: 9000 }], "172.20.0.2:9000", "allow", V4],
  ["an endPort, not beyond itself", web, [{ port: 8080, endPort: 9000 }], "172.20.0.2:9001", "deny", V4],
  ["an endPort below the Service's port", web, [{ port: 8080, endPort: 9000 }], "172.20.0.3:9500", "allow", V4],
  ["which adds no port below", web, [{ port: 8080, endPort: 9000 }], "172.20.0.3:9000", "deny", V4],
  ["a protocol alone: every port of it", web, [{ protocol: "TCP" }], "172.20.0.2:7", "allow", V4],
  ["a protocol alone: no port of another", web, [{ protocol: "TCP" }], "172.20.0.2:80/udp", "deny", V4],
  ["no ports: every protocol", web, undefined, "172.20.0.2/icmp", "allow", V4],
  ["a port that no Service leads to", web, [{ port: 8081 }], "172.20.0.2:80", "deny", V4],
  ["no selector, for a peer that asks for nothing", {}, [{ port: 8080 }], "172.20.0.4:80", "allow", V4],
  ["no selector, for a peer that refuses a label", notDb, [{ port: 8080 }], "172.20.0.4:80", "allow", V4],
  ["no selector, for a peer that asks for a label", web, [{ port: 8080 }], "172.20.0.4:80", "deny", V4],
  ["the first ClusterIP", web, [{ port: 8080 }], "172.20.0.5:80", "allow", V4],
  ["not the second", web, [{ port: 8080 }], "[fd00::5]:80", "deny", V6],
])("a ClusterIP has %s", (_, podSelector, ports, point, expected, semantics) => {
  const analysis = analyse([policy([{ to: [{ podSelector }], ...(ports && { ports }) }])], {
    semantics,
    inventory: CLUSTER,
  });
  expect(verdict(analysis, parsePoint(point))).toBe(expected);
});

/** Pods and Services as in the reports about the controller's port names (NPC PRs #210, #220, #223, #225). */
const SHOP = inventoryOf(
  podObject("a", "10.1.0.5", {
    labels: { app: "srv" },
    ports: [
      { name: "http", containerPort: 8080 },
      { name: "web", containerPort: 7000 },
    ],
  }),
  podObject("b", "10.1.0.6", {
    labels: { app: "srv" },
    ports: [
      { name: "http", containerPort: 9090 },
      { name: "metrics", containerPort: 9090 },
      { name: "web", containerPort: 7001 },
    ],
  }),
  podObject("s", "10.1.0.7", {
    labels: { app: "side" },
    spec: {
      initContainers: [{ name: "proxy", restartPolicy: "Always", ports: [{ name: "prom", containerPort: 15090 }] }],
    },
  }),
  podObject("d", "10.1.0.8", {
    labels: { app: "dual" },
    status: { podIPs: [{ ip: "10.1.0.8" }, { ip: "fd00::8" }] },
  }),
  serviceObject("srv", {
    clusterIP: "172.20.5.5",
    selector: { app: "srv" },
    ports: [{ port: 80, targetPort: "http" }],
  }),
  serviceObject("num", { clusterIP: "172.20.5.6", selector: { app: "srv" }, ports: [{ port: 81, targetPort: 7000 }] }),
  serviceObject("side", {
    clusterIP: "172.20.5.7",
    selector: { app: "side" },
    ports: [{ port: 90, targetPort: "prom" }],
  }),
  serviceObject("bare", { clusterIP: "172.20.5.8", ports: [{ port: 82, targetPort: "web" }] }),
);

it.each<[string, object, object[] | undefined, string, string, Semantics]>([
  [
    "skips named entries when it looks for a bypass, so that b's 9090 counts as not allowed",
    { app: "srv" },
    [{ port: 8080 }, { port: "metrics" }],
    "172.20.5.5:80",
    "deny",
    V4,
  ],
  [
    "resolves a name to the number that a Service targets",
    { app: "srv" },
    [{ port: "web" }],
    "172.20.5.6:81",
    "allow",
    V4,
  ],
  ["looks for no bypass of a name", { app: "srv" }, [{ port: "http" }], "172.20.5.5:80", "allow", V4],
  ["does not read a sidecar's port names", { app: "side" }, [{ port: "prom" }], "10.1.0.7:15090", "deny", V4],
  ["which Kubernetes does", { app: "side" }, [{ port: "prom" }], "10.1.0.7:15090", "allow", KUBERNETES],
  ["but finds a target of the same name", { app: "side" }, [{ port: "prom" }], "172.20.5.7:90", "allow", V4],
  ["and none by a sidecar's number", { app: "side" }, [{ port: 15090 }], "172.20.5.7:90", "deny", V4],
  [
    "takes every pod of the namespace to be behind a Service without a selector",
    {},
    [{ port: 7000 }, { port: 7001 }],
    "172.20.5.8:82",
    "allow",
    V4,
  ],
  ["and looks for a bypass among them", {}, [{ port: 7000 }], "172.20.5.8:82", "deny", V4],
  ["takes a pod's first address", { app: "dual" }, undefined, "10.1.0.8:1", "allow", V4],
  ["alone", { app: "dual" }, undefined, "[fd00::8]:1", "deny", V6],
])("the controller %s", (_, labels, ports, point, expected, semantics) => {
  const rule = { to: [{ podSelector: { matchLabels: labels } }], ...(ports && { ports }) };
  expect(verdict(analyse([policy([rule])], { semantics, inventory: SHOP }), parsePoint(point))).toBe(expected);
});

import { expect, it } from "vitest";
import { parsePoint, type Semantics, verdict } from "../../analysis/index.ts";
import { inventoryOf, podObject, serviceObject } from "../support/inventory.ts";
import { analyse, policy } from "../support/policies.ts";

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

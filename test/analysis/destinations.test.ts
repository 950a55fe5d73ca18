import { describe, expect, it } from "vitest";
import {
  check,
  explain,
  explainObject,
  formatAddress,
  formatPart,
  type Inventory,
  type ObjectDestination,
  parseAssertions,
  parsePoint,
  type Semantics,
} from "../../analysis/index.ts";
import { inventoryOf, podObject, serviceObject } from "../support/inventory.ts";
import { analyse, block, KUBERNETES, policy } from "../support/policies.ts";

const VPC_CNI: Semantics = { name: "vpc-cni", ipFamily: "ipv4" };

const toPods = (labels: object, ...ports: object[]) => ({ to: [{ podSelector: { matchLabels: labels } }], ports });

const at = (kind: ObjectDestination["kind"], name: string, port: number, protocol: "TCP" | "UDP" = "TCP") =>
  ({ kind, namespace: "keeperhub", name, protocol, port }) as const;

function judge(
  rules: readonly object[],
  semantics: Semantics,
  inventory: Inventory | undefined,
  destination: ObjectDestination,
) {
  const analysis = analyse([policy(rules)], { semantics, ...(inventory === undefined ? {} : { inventory }) });
  const { verdict, parts, ...rest } = explainObject(analysis, destination);
  const judged = parts.map(
    ({ what, explanation: { point, verdict: each } }) =>
      `${what} ${formatAddress(point.address)}:${point.port} ${each}`,
  );
  return { verdict, judged, ...rest };
}

const WEB = { app: "web" };

/** Two backends that call port `http` differently, behind a ClusterIP and behind a headless Service. */
const CLUSTER = inventoryOf(
  podObject("web-0", "10.1.0.1", { labels: WEB, ports: [{ name: "http", containerPort: 8080 }] }),
  podObject("web-1", "10.1.0.2", { labels: WEB, ports: [{ name: "http", containerPort: 9090 }] }),
  podObject("starting", undefined, { labels: { app: "starting" } }),
  serviceObject("named", { clusterIP: "172.20.0.1", selector: WEB, ports: [{ port: 80, targetPort: "http" }] }),
  serviceObject("numbered", { clusterIP: "172.20.0.2", selector: WEB, ports: [{ port: 80, targetPort: 8080 }] }),
  serviceObject("headless", { clusterIP: "None", selector: WEB, ports: [{ port: 8080, targetPort: 9999 }] }),
  serviceObject("empty", { clusterIP: "172.20.0.3", selector: { app: "none" }, ports: [{ port: 80 }] }),
);

describe("a Service", () => {
  it.each<[string, readonly object[], Semantics, string, number, string, string[]]>([
    [
      "is allowed if all backends are, at their target ports",
      [toPods(WEB, { port: 8080 }, { port: 9090 })],
      KUBERNETES,
      "named",
      80,
      "allow",
      ["pod keeperhub/web-0 10.1.0.1:8080 allow", "pod keeperhub/web-1 10.1.0.2:9090 allow"],
    ],
    [
      "is mixed if only some are",
      [toPods(WEB, { port: 8080 })],
      KUBERNETES,
      "named",
      80,
      "mixed",
      ["pod keeperhub/web-0 10.1.0.1:8080 allow", "pod keeperhub/web-1 10.1.0.2:9090 deny"],
    ],
    [
      "is denied by a rule for its own port, which is not where its packets arrive",
      [toPods(WEB, { port: 80 })],
      KUBERNETES,
      "numbered",
      80,
      "deny",
      ["pod keeperhub/web-0 10.1.0.1:8080 deny", "pod keeperhub/web-1 10.1.0.2:8080 deny"],
    ],
    [
      "is judged by its ClusterIP on EKS, to which the target port is translated back",
      [toPods(WEB, { port: 8080 })],
      VPC_CNI,
      "numbered",
      80,
      "allow",
      ["ClusterIP 172.20.0.2:80 allow"],
    ],
    [
      "is denied on EKS where the rule asks for a label that its selector has not",
      [toPods({ app: "web", tier: "x" }, { port: 8080 })],
      VPC_CNI,
      "numbered",
      80,
      "deny",
      ["ClusterIP 172.20.0.2:80 deny"],
    ],
    [
      "is allowed on EKS by a block that holds its ClusterIP, whatever its backends",
      [block("172.20.0.0/16")],
      VPC_CNI,
      "named",
      80,
      "allow",
      ["ClusterIP 172.20.0.1:80 allow"],
    ],
    [
      "without a ClusterIP means the pods, at the port as it is written",
      [toPods(WEB, { port: 8080 })],
      VPC_CNI,
      "headless",
      8080,
      "allow",
      ["pod keeperhub/web-0 10.1.0.1:8080 allow", "pod keeperhub/web-1 10.1.0.2:8080 allow"],
    ],
    ["without backends is unknown to Kubernetes", [block("0.0.0.0/0")], KUBERNETES, "empty", 80, "unknown", []],
  ])("%s", (_, rules, semantics, name, port, verdict, judged) => {
    expect(judge(rules, semantics, CLUSTER, at("service", name, port))).toMatchObject({ verdict, judged });
  });

  it("says how it was judged", () => {
    const { text } = judge([toPods(WEB, { port: 8080 })], KUBERNETES, CLUSTER, at("service", "named", 80));
    expect(text).toBe(
      "service/keeperhub/named:80/tcp is allowed in part: judged by its 2 backends at the target port.",
    );
  });

  it("has to have the port", () => {
    expect(() => judge([], KUBERNETES, CLUSTER, at("service", "named", 80, "UDP"))).toThrow(
      "Service keeperhub/named has no port 80/udp; it has 80/tcp",
    );
  });
});

it("agrees with its ClusterIP, whatever is known of its backends", () => {
  const api = inventoryOf(
    podObject("web-0", "10.1.0.1", { labels: WEB }),
    serviceObject("api", { clusterIP: "172.20.0.4", ports: [{ port: 443 }] }),
    serviceObject("empty", { clusterIP: "172.20.0.3", selector: { app: "none" }, ports: [{ port: 80 }] }),
  );
  for (const rules of [[block("0.0.0.0/0")], [block("10.0.0.0/8")]]) {
    const analysis = analyse([policy(rules)], { inventory: api });
    const without = analyse([policy(rules)]);
    const byAddress = (text: string) => explain(analysis, parsePoint(text));
    // A Service without a selector is what its address is.
    expect(explainObject(analysis, at("service", "api", 443)).verdict).toBe(byAddress("172.20.0.4:443").verdict);
    expect(byAddress("172.20.0.4:443").verdict).toBe(explain(without, parsePoint("172.20.0.4:443")).verdict);
    // Nobody knows where packets for one without backends would arrive, and a port that it lacks is an address's.
    expect(explainObject(analysis, at("service", "empty", 80)).verdict).toBe("unknown");
    expect(byAddress("172.20.0.3:80")).toMatchObject({ verdict: "order-dependent", service: { backends: [] } });
    expect(byAddress("172.20.0.3:80").text).toContain(
      "172.20.0.3:80/tcp (in 172.16.0.0/12, private use (RFC 1918)) cannot be told because",
    );
    expect(byAddress("172.20.0.3:81").verdict).toBe(explain(without, parsePoint("172.20.0.3:81")).verdict);
    const results = ["allow", "deny"].map((expect) => {
      const assertion = { name: "a", expect, to: ["172.20.0.3"], ports: [80], protocols: ["TCP"] };
      return check(analysis, parseAssertions({ assertions: [assertion] }))[0];
    });
    expect(results.map((result) => result?.outcome)).toEqual(["inconclusive", "holds"]);
    expect(results[1]?.apart).toEqual(["Service keeperhub/empty, behind which the inventory has no running pod"]);
  }
});

describe("a pod", () => {
  it.each([
    ["web-0", 8080, "allow"],
    ["web-0", 8081, "deny"],
    ["starting", 8080, "unknown"],
  ])("%s:%i is judged by its address: %s", (name, port, verdict) => {
    expect(judge([toPods(WEB, { port: "http" })], KUBERNETES, CLUSTER, at("pod", name, port)).verdict).toBe(verdict);
  });

  it("has to be in the inventory", () => {
    expect(() => judge([], KUBERNETES, CLUSTER, at("pod", "wbe-0", 1))).toThrow(
      "the inventory has no pod keeperhub/wbe-0; in that namespace it has starting, web-0, web-1",
    );
  });

  it("on the host network is its node to Kubernetes, and still a pod to the AWS controller", () => {
    const host = inventoryOf(podObject("agent", "10.1.0.10", { labels: WEB, spec: { hostNetwork: true } }));
    const rules = [toPods(WEB, { port: 8080 })];
    expect(judge(rules, KUBERNETES, host, at("pod", "agent", 8080)).verdict).toBe("deny");
    expect(judge(rules, VPC_CNI, host, at("pod", "agent", 8080)).verdict).toBe("allow");
  });
});

describe("without an inventory", () => {
  const rules = [
    toPods(WEB, { port: 8080 }),
    {
      to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
      ports: [{ port: 8080 }],
    },
    { to: [{ namespaceSelector: { matchLabels: { team: "x" } } }], ports: [{ port: 8080 }] },
  ];

  it("a pod is unknown, and the sets of pods that may hold it are named", () => {
    const { verdict, candidates, text } = judge(rules, KUBERNETES, undefined, at("pod", "web-0", 8080));
    expect(verdict).toBe("unknown");
    expect(candidates.map((candidate) => candidate.text)).toEqual([
      "all pods in namespaces team=x",
      "pods app=web in namespace keeperhub",
    ]);
    expect(text).toBe(
      "pod/keeperhub/web-0:8080/tcp cannot be judged without an inventory of pods and Services: it may lead to all pods in " +
        "namespaces team=x; or to pods app=web in namespace keeperhub.",
    );
  });

  it("a port that no rule for pods allows leaves only blocks", () => {
    expect(judge(rules, KUBERNETES, undefined, at("pod", "web-0", 22))).toMatchObject({
      verdict: "unknown",
      candidates: [],
    });
  });

  it("the port of a Service says nothing about the container's", () => {
    expect(judge(rules, KUBERNETES, undefined, at("service", "web", 80)).candidates).toHaveLength(2);
  });
});

it("is allowed, inventory or not, where no policy isolates the sender", () => {
  const analysis = analyse([policy([], { spec: { policyTypes: ["Ingress"] } })]);
  expect(explainObject(analysis, at("pod", "web-0", 22))).toMatchObject({ verdict: "allow", parts: [] });
});

it("names the object before its address", () => {
  const analysis = analyse([policy([])], { inventory: CLUSTER });
  const [part] = explainObject(analysis, at("pod", "web-0", 22)).parts;
  expect(part && formatPart(part)).toMatch(
    /^pod keeperhub\/web-0, 10\.1\.0\.1:22\/tcp \(in 10\.0\.0\.0\/8, .*is denied/,
  );
});

import fc from "fast-check";
import { expect, it } from "vitest";
import {
  check,
  divergences,
  explain,
  formatPoint,
  formatPorts,
  formatRange,
  type Point,
  parseAssertions,
  parseNetworkPolicies,
  parsePoint,
  podDivergences,
  regions,
} from "../../analysis/index.ts";
import { SELECTED_BY_EVERY_POLICY } from "../../analysis/networkPolicy.ts";
import { policies } from "../support/arbitraries.ts";
import { inventoryOf, podObject, serviceObject } from "../support/inventory.ts";
import { analyse, KUBERNETES, policy } from "../support/policies.ts";

const EKS = { name: "vpc-cni", ipFamily: "ipv4" } as const;
const DNS_PORT = [{ protocol: "UDP", port: 53 }];
const DNS = {
  name: "dns",
  expect: "allow",
  to: [{ namespace: "kube-system", labels: { "k8s-app": "kube-dns" } }],
  protocols: ["UDP"],
  ports: [53],
};
const outcome = (rules: object[], options: Parameters<typeof analyse>[1]) =>
  check(analyse([policy(rules)], options), parseAssertions({ assertions: [DNS] }))[0]?.outcome;
const cluster = (ip: string) =>
  inventoryOf(podObject("dns", ip, { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } }), {
    ...serviceObject("kube-dns", {
      clusterIP: "172.20.0.10",
      selector: { "k8s-app": "kube-dns" },
      ports: [{ port: 53, protocol: "UDP", targetPort: 53 }],
    }),
    metadata: { name: "kube-dns", namespace: "kube-system" },
  });

const ANYWHERE = [
  { ports: DNS_PORT },
  { to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] } }] },
];
const BY_NAMESPACE_LABEL = [{ to: [{ namespaceSelector: { matchLabels: { name: "kube-system" } } }], ports: DNS_PORT }];

it.each([
  ["DNS without to beside 0/0 with excepts, on EKS", ANYWHERE, EKS, undefined, "fails"],
  ["the same as specified", ANYWHERE, KUBERNETES, undefined, "holds"],
  ["the same on EKS with an inventory", ANYWHERE, EKS, "10.1.0.9", "fails"],
  ["DNS without to alone", [{ ports: DNS_PORT }], EKS, undefined, "holds"],
  ["a namespace by a label that only an inventory knows", BY_NAMESPACE_LABEL, KUBERNETES, undefined, "inconclusive"],
  ["which the inventory's namespace lacks", BY_NAMESPACE_LABEL, KUBERNETES, "10.1.0.9", "fails"],
])("an assertion about pods: %s", (_, rules, semantics, ip, expected) => {
  expect(outcome(rules, { semantics, ...(ip && { inventory: cluster(ip) }) })).toBe(expected);
});

it("an address that is a Service's ClusterIP is judged as that Service", () => {
  const rules = [
    { to: [{ namespaceSelector: {}, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }], ports: DNS_PORT },
  ];
  const analysis = analyse([policy(rules)], { semantics: KUBERNETES, inventory: cluster("10.1.0.9") });
  expect(explain(analysis, parsePoint("172.20.0.10:53/udp"))).toMatchObject({ verdict: "allow", reason: "service" });
  expect(explain(analysis, parsePoint("172.20.0.10:54/udp"))).toMatchObject({ verdict: "deny", service: undefined });
});

it("labels of a policy that is not for egress leave EKS open or closed, which only an inventory tells", () => {
  const rules = [{ to: [{ podSelector: {} }] }];
  const ingress = [policy(rules, { spec: { policyTypes: ["Ingress"] } })];
  expect(analyse(ingress, { semantics: EKS }).ifIsolated?.isolated).toBe(true);
  expect(analyse(ingress, { semantics: KUBERNETES }).ifIsolated).toBeUndefined();
  expect(analyse(ingress, { semantics: EKS, inventory: cluster("10.1.0.9") }).ifIsolated).toBeUndefined();
});

const ports = (count: number, from: number) => Array.from({ length: count }, (_, index) => ({ port: from + index }));
const web = { podSelector: { matchLabels: { app: "web" } } };
it.each<[string, object[], string | undefined, string[]]>([
  ["25 ports to one set of pods", [{ to: [web], ports: ports(25, 8000) }], undefined, ["slot-overflow"]],
  ["24 of them", [{ to: [web], ports: ports(24, 8000) }], undefined, []],
  [
    "13 and 12 in two rules",
    [
      { to: [web], ports: ports(13, 8000) },
      { to: [web], ports: ports(12, 9000) },
    ],
    undefined,
    ["slot-overflow"],
  ],
  [
    "an old agent and the internet",
    [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }] }, { to: [web], ports: ports(1, 8000) }],
    "1.2.3",
    ["every-port-leak"],
  ],
  [
    "the same with a newer one",
    [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }] }, { to: [web], ports: ports(1, 8000) }],
    "1.2.4",
    [],
  ],
])("hazards of pods by label are told from the rules alone: %s", (_, rules, agentVersion, shapes) => {
  const found = podDivergences(parseNetworkPolicies([policy(rules)]), {
    semantics: { ...EKS, ...(agentVersion && { agentVersion }) },
    source: SELECTED_BY_EVERY_POLICY,
  });
  expect([...new Set(found.map(({ shape }) => shape))]).toEqual(shapes);
});

const SHOP = inventoryOf(
  podObject("web", "10.1.1.7", { labels: { app: "web" }, ports: [{ name: "http", containerPort: 80 }] }),
  podObject("db", "10.1.0.9", { labels: { app: "db" } }),
  serviceObject("web", {
    clusterIP: "172.20.0.7",
    selector: { app: "web" },
    ports: [{ port: 443, targetPort: "http" }],
  }),
  serviceObject("both", { clusterIP: "172.20.0.8", ports: [{ port: 443 }] }),
  serviceObject("none", { clusterIP: "172.20.0.9", selector: { app: "none" }, ports: [{ port: 443 }] }),
);

it("explain, check, regions and divergences never contradict one another on one input", () => {
  const labels = fc.constantFrom<object[][]>(
    [],
    [{ to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 80 }] }],
  );
  const isIn = (
    { address, protocol, port }: Point,
    box: Pick<ReturnType<typeof regions>[0], "range" | "ports">,
    protocols: readonly string[],
  ) =>
    box.range.family === address.family &&
    box.range.first <= address.value &&
    address.value <= box.range.last &&
    box.ports.from <= port &&
    port <= box.ports.to &&
    protocols.includes(protocol);
  fc.assert(
    fc.property(policies, labels, fc.constantFrom(undefined, SHOP), fc.nat(), (drawn, more, inventory, seed) => {
      const all = [...drawn, policy(more)];
      const options = inventory === undefined ? {} : { inventory };
      const [specified, enforced] = [KUBERNETES, EKS].map((semantics) => analyse(all, { semantics, ...options }));
      if (specified === undefined || enforced === undefined) {
        return;
      }
      const disagreements = divergences(parseNetworkPolicies(all), {
        semantics: EKS,
        source: SELECTED_BY_EVERY_POLICY,
        ...options,
      });
      for (const [analysis, other] of [
        [specified, enforced],
        [enforced, specified],
      ] as const) {
        const found = regions(analysis).filter(({ protocol }) => ["TCP", "UDP", "SCTP"].includes(protocol));
        for (const [index, region] of found.entries()) {
          if ((index + seed) % 7 !== 0) {
            continue;
          }
          const { family, first } = region.range;
          const point = { address: { family, value: first }, protocol: region.protocol, port: region.ports.from };
          const what = formatPoint(point);
          const explanation = explain(analysis, point);
          expect([what, explanation.verdict]).toEqual([what, region.verdict]);
          const [allow, deny] = (["allow", "deny"] as const).map((expect) => {
            const to = [formatRange({ family, first, last: first }).split("/")[0]];
            const assertion = {
              name: "a",
              expect,
              to,
              protocols: [region.protocol],
              ports: [formatPorts({ from: point.port, to: point.port })],
            };
            return check(analysis, parseAssertions({ assertions: [assertion] }))[0]?.outcome;
          });
          const aborts = analysis.aborts.length > 0;
          const isUnknown = explanation.service?.backends.length === 0;
          const [allows, denies] = [region.verdict === "allow", isUnknown || region.verdict === "deny"];
          const outcome = (holds: boolean) => (aborts ? "inconclusive" : holds ? "holds" : "fails");
          expect([what, allow]).toEqual([what, isUnknown ? "inconclusive" : outcome(allows)]);
          expect([what, deny]).toEqual([what, outcome(denies)]);
          const elsewhere = explain(other, point).verdict;
          const box = disagreements.find(({ protocols, ...each }) => isIn(point, each, protocols));
          // Nothing answers on other ports of a ClusterIP, so no disagreement is listed there.
          const isClusterIp = inventory !== undefined && /^172\.20\.0\.[789]:/.test(what);
          if (!isClusterIp || what === "172.20.0.7:443/tcp") {
            expect([what, box !== undefined]).toEqual([what, elsewhere !== region.verdict]);
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

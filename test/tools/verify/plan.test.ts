import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NetworkPolicy } from "../../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../../analysis/parseNetworkPolicy.ts";
import { formatPoint, parsePoint, verdict } from "../../../analysis/point.ts";
import type { Semantics } from "../../../analysis/semantics.ts";
import { planTargets } from "../../../tools/verify/plan.ts";
import type { Snapshot } from "../../../tools/verify/snapshot.ts";
import type { NamedTarget } from "../../../tools/verify/targetsFile.ts";
import {
  analysesOf,
  healthyPods,
  KUBERNETES,
  pod,
  service,
  snapshot,
  stackPolicy,
  VPC_CNI,
} from "../../support/verifyCluster.ts";

const NAMED: NamedTarget[] = [
  { name: "database", point: parsePoint("10.1.100.10:5432/tcp") },
  { name: "public", point: parsePoint("1.1.1.1:443/tcp") },
  { name: "another host", point: parsePoint("10.1.7.7:443/tcp") },
];

function plan(
  cluster: Snapshot,
  {
    policy = stackPolicy(),
    semantics = VPC_CNI,
    named = NAMED,
  }: { policy?: NetworkPolicy; semantics?: Semantics; named?: NamedTarget[] } = {},
) {
  return planTargets({ ...analysesOf(policy, cluster, semantics), snapshot: cluster, named });
}

const rows = ({ targets }: ReturnType<typeof plan>) =>
  targets.map((target) => `${target.expected} ${formatPoint(target.point)} ${target.name}`);

describe("planTargets", () => {
  it("tries what the rules allow first, then what must be denied, each where something listens", () => {
    expect(rows(plan(snapshot()))).toEqual([
      "allow 10.1.3.2:53/tcp pod kube-system/coredns-a",
      "allow 172.20.0.10:53/tcp Service kube-system/kube-dns",
      "allow 10.1.3.2:53/udp pod kube-system/coredns-a",
      "allow 172.20.0.10:53/udp Service kube-system/kube-dns",
      "allow 10.1.3.4:8787/tcp pod keeperhub/sandbox-a",
      "allow 172.20.0.87:8787/tcp Service keeperhub/sandbox",
      "allow 10.1.3.5:3080/tcp pod keeperhub/executor-a",
      "allow 172.20.0.88:80/tcp Service keeperhub/executor",
      "allow 10.1.100.10:5432/tcp database",
      "allow 1.1.1.1:443/tcp public",
      "deny 169.254.169.254:80/tcp EC2 instance metadata",
      "deny 169.254.170.23:80/tcp EKS Pod Identity credentials",
      "deny 172.20.0.1:443/tcp Service default/kubernetes",
      "deny 10.1.20.200:443/tcp API server, a host of the network",
      "deny 10.1.3.2:9153/tcp pod kube-system/coredns-a, on another port",
      "deny 10.1.3.4:8788/tcp pod keeperhub/sandbox-a, on another port",
      "deny 10.1.3.5:3081/tcp pod keeperhub/executor-a, on another port",
      "deny 10.1.3.6:3000/tcp pod keeperhub/web-a, which no rule names",
      "deny 10.1.7.7:443/tcp another host",
    ]);
  });

  it("numbers targets without a gap and tries each destination once", () => {
    const { targets } = plan(snapshot(), {
      named: [...NAMED, { name: "again", point: parsePoint("10.1.7.7:443/tcp") }],
    });
    expect(targets.map(({ id }) => id)).toEqual(targets.map((_, index) => `t${index + 1}`));
    expect(new Set(targets.map(({ point }) => formatPoint(point))).size).toBe(targets.length);
  });

  it("says why it expects what it expects, and where the agent differs from Kubernetes", () => {
    const { targets } = plan(snapshot());
    const find = (address: string) => targets.find((target) => formatPoint(target.point) === address);
    expect(find("10.1.7.7:443/tcp")?.why).toMatch(/is denied by rule 4 of .*except 10\.0\.0\.0\/8/);
    // Under Kubernetes the same Service is judged by the pods behind it.
    const [, dns] = plan(snapshot(), { semantics: KUBERNETES }).targets;
    expect(dns).toMatchObject({ expected: "allow", name: "Service kube-system/kube-dns" });
    expect(dns?.why).toMatch(
      /it is Service kube-system\/kube-dns, whose packets arrive at its backends: 10\.1\.3\.2:53\/tcp .*is allowed/,
    );
    // One label too many in the rule: the pods stay open, the AWS controller drops the ClusterIP.
    const narrow = service("keeperhub", "sandbox", {}, "172.20.0.87", [{ port: 8787 }]);
    const odd = snapshot({
      services: [{ ...narrow, spec: { ...narrow.spec, selector: { tier: "sandbox" } } }],
      pods: healthyPods().map((each) =>
        each.metadata.name === "sandbox-a"
          ? { ...each, metadata: { ...each.metadata, labels: { ...each.metadata.labels, tier: "sandbox" } } }
          : each,
      ),
    });
    expect(plan(odd).targets.find((target) => formatPoint(target.point) === "172.20.0.87:8787/tcp")).toMatchObject({
      expected: "deny",
      specified: "allow",
    });
  });

  it.each([
    ["all of its hosts", ["10.1.20.200/32", "10.1.21.200/32"], "allow"],
    ["none of them", ["10.9.0.0/16"], "deny"],
    ["one of them", ["10.1.20.200/32"], "order-dependent"],
  ])("judges the API server's Service under kubernetes by its hosts: %s allowed", (_, cidrs, expected) => {
    const spec = { podSelector: {}, egress: [{ to: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }] };
    const [policy] = parseNetworkPolicies([{ metadata: { name: "p", namespace: "keeperhub" }, spec }]);
    const { targets } = plan(snapshot(), { policy: policy as NetworkPolicy, semantics: KUBERNETES });
    expect(targets.find(({ name }) => name === "Service default/kubernetes")).toMatchObject({ expected });
  });

  it("expects exactly what the analysis says", () => {
    const address = fc.constantFrom(
      "10.1.100.10",
      "10.1.7.7",
      "1.1.1.1",
      "172.20.0.10",
      "169.254.169.254",
      "192.0.2.1",
    );
    const named = fc.record({ address, port: fc.integer({ min: 1, max: 65535 }) });
    const cluster = snapshot();
    const analyses = analysesOf(stackPolicy(), cluster);
    fc.assert(
      fc.property(fc.array(named, { maxLength: 5 }), (extra) => {
        const points = extra.map(({ address, port }) => parsePoint(`${address}:${port}/tcp`));
        const { targets } = plan(cluster, { named: points.map((point) => ({ name: "x", point })) });
        for (const target of targets) {
          expect(target.expected).toBe(verdict(analyses.enforced, target.point));
        }
        const tried = targets.map(({ point }) => formatPoint(point));
        expect(points.every((point) => tried.includes(formatPoint(point)))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("asks for a listener where a rule has address blocks and nobody named one", () => {
    const { uncovered } = plan(snapshot(), { named: [] });
    expect(uncovered.filter(({ isRequired }) => isRequired)).toEqual([
      {
        what: expect.stringMatching(/^rule 3 .*10\.1\.100\.0\/24.*, TCP 5432$/),
        why: expect.stringContaining("targets file"),
        isRequired: true,
      },
      {
        what: expect.stringMatching(/^rule 4 .*0\.0\.0\.0\/0/),
        why: expect.stringContaining("targets file"),
        isRequired: true,
      },
    ]);
    // The right host on a wrong port proves nothing of the rule.
    const ssh = plan(snapshot(), { named: [{ name: "ssh", point: parsePoint("10.1.100.10:22/tcp") }] });
    expect(ssh.uncovered.filter(({ isRequired }) => isRequired).map(({ what }) => what.slice(0, 6))).toEqual([
      "rule 3",
      "rule 4",
    ]);
  });

  it("takes a pod that is up, and says when there is none", () => {
    const starting = healthyPods().map((each) =>
      each.metadata.name === "sandbox-a"
        ? pod("keeperhub", "sandbox-a", each.metadata.labels ?? {}, "10.1.3.4", { ready: false })
        : each,
    );
    const second = pod("keeperhub", "sandbox-b", { "app.kubernetes.io/instance": "keeperhub-sandbox" }, "10.1.3.44");
    expect(rows(plan(snapshot({ pods: [...starting, second] })))).toContain(
      "allow 10.1.3.44:8787/tcp pod keeperhub/sandbox-b",
    );
    const { uncovered, targets } = plan(snapshot({ pods: starting }));
    expect(targets.some(({ name }) => name.includes("sandbox"))).toBe(false);
    expect(uncovered).toContainEqual({
      what: expect.stringMatching(/^rule 1 .*keeperhub-sandbox/),
      why: expect.stringMatching(/^no running pod has these labels/),
      isRequired: true,
    });
  });

  it("never chooses a node by itself, and says that it left the control plane out where it is on the nodes", () => {
    const onNode = snapshot({
      apiServer: {
        service: { metadata: { name: "kubernetes" }, spec: { clusterIP: "172.20.0.1", ports: [{ port: 443 }] } },
        endpoints: { endpoints: [{ addresses: ["10.1.20.7"] }], ports: [{ port: 6443 }] },
      },
    });
    expect(rows(plan(onNode)).filter((row) => row.includes("kubernetes") || row.includes("API server"))).toEqual([]);
    const hostPod = pod("keeperhub", "sandbox-a", { "app.kubernetes.io/instance": "keeperhub-sandbox" }, "10.1.20.7", {
      spec: { hostNetwork: true },
    });
    const { uncovered } = plan(
      snapshot({ pods: [...healthyPods().filter(({ metadata }) => metadata.name !== "sandbox-a"), hostPod] }),
    );
    expect(uncovered).toContainEqual(
      expect.objectContaining({ isRequired: true, what: expect.stringMatching(/^rule 1/) }),
    );
  });

  it("leaves a family alone that pods do not have, and watches both in an IPv6 cluster", () => {
    const ipv4 = plan(snapshot());
    expect(ipv4.uncovered.filter(({ isRequired }) => !isRequired)).toEqual([
      {
        what: "EC2 instance metadata ([fd00:ec2::254]:80/tcp)",
        why: expect.stringContaining("no ipv6 address"),
        isRequired: false,
      },
      {
        what: "EKS Pod Identity credentials ([fd00:ec2::23]:80/tcp)",
        why: expect.stringContaining("no ipv6 address"),
        isRequired: false,
      },
    ]);
    const pods = [
      pod("kube-system", "coredns-a", { "k8s-app": "kube-dns" }, "2600:1f18::2", { hostIP: "2600:1f18::a" }),
    ];
    const cluster = snapshot({ pods, services: [], apiServer: {} });
    const semantics: Semantics = { name: "vpc-cni", ipFamily: "ipv6" };
    const ipv6 = rows(plan(cluster, { policy: stackPolicy("ipv6"), semantics }));
    expect(ipv6).toContain("deny [fd00:ec2::254]:80/tcp EC2 instance metadata");
    // The agent of an IPv6 cluster does not look at IPv4, so the way out that pods have there stays open.
    expect(ipv6).toContain("allow 169.254.169.254:80/tcp EC2 instance metadata");
  });

  it("says which ports it can't try, without asking for more", () => {
    const ports = [
      { protocol: "UDP", port: 123 },
      { protocol: "TCP", port: 6379, endPort: 6380 },
    ];
    const [policy] = parseNetworkPolicies([
      {
        metadata: { name: "p", namespace: "keeperhub" },
        spec: {
          podSelector: { matchLabels: { app: "workflow-runner" } },
          policyTypes: ["Egress"],
          egress: [
            { to: [{ ipBlock: { cidr: "10.1.30.0/24" } }], ports },
            { to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: ports.slice(0, 1) },
          ],
        },
      },
    ]) as [NetworkPolicy];
    const named = [{ name: "cache", point: parsePoint("10.1.30.5:6380/tcp") }];
    const { uncovered } = plan(snapshot(), { policy, named });
    expect(uncovered.slice(0, 2)).toEqual([
      {
        what: expect.stringMatching(/^rule 0 .*UDP 123$/),
        why: expect.stringContaining("can't be tried"),
        isRequired: false,
      },
      {
        what: expect.stringMatching(/^rule 1 .*UDP 123$/),
        why: expect.stringContaining("can't be tried"),
        isRequired: false,
      },
    ]);
    expect(uncovered.some(({ isRequired }) => isRequired)).toBe(false);
  });

  it("takes the ports of a rule without ports from what the pod declares", () => {
    const [policy] = parseNetworkPolicies([
      {
        metadata: { name: "p", namespace: "keeperhub" },
        spec: {
          podSelector: { matchLabels: { app: "workflow-runner" } },
          policyTypes: ["Egress"],
          egress: [{ to: [{ podSelector: { matchLabels: { app: "web" } } }] }],
        },
      },
    ]) as [NetworkPolicy];
    expect(rows(plan(snapshot(), { policy, named: [] }))[0]).toBe("allow 10.1.3.6:3000/tcp pod keeperhub/web-a");
  });
});

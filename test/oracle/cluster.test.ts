import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAddress } from "./addresses.ts";
import { anyCase, type Case, selector } from "./arbitraries.ts";
import { type Cluster, type Container, emittedInCluster, type PodObject, verdictInCluster } from "./cluster.ts";
import { engineVerdicts } from "./engine.ts";
import { boundaryPoints } from "./points.ts";
import { type Peer, PORT_PROTOCOLS, type Point } from "./policy.ts";
import { vpcCniPod } from "./vpcCni.ts";

const NUMBERS = [53, 80, 443, 8080, 9090];
const labels = fc.constantFrom<Record<string, string>[]>(
  { app: "web" },
  { app: "web", tier: "job" },
  { app: "workflow-runner" },
  { tier: "web" },
  {},
);
const protocol = fc.constantFrom("TCP", "TCP", "UDP");
const container = (restartPolicy?: string): fc.Arbitrary<Container> =>
  fc
    .array(
      fc.record(
        { name: fc.constantFrom("http", "metrics"), protocol, containerPort: fc.constantFrom(...NUMBERS) },
        { requiredKeys: ["protocol", "containerPort"] },
      ),
      { maxLength: 2 },
    )
    .map((ports) => ({ name: "c", ports, ...(restartPolicy && { restartPolicy }) }));

const namespace = fc.constantFrom("default", "default", "ci");

/** Addresses where the blocks of the cases are, in both families; each is used once. */
const POD_IPS = ["10.1.0.7", "10.128.0.0", "10.0.0.9", "203.0.113.5"] as const;
const POD_IPS_V6 = ["2001:db8:1::7", "fd00::9", "2001:db8:8000::1", "a01::5"] as const;
const SERVICE_IPS = ["10.1.128.0", "172.20.0.10", "10.0.0.1"] as const;
const SERVICE_IPS_V6 = ["fd00:ec2::254", "fd00::10", "2001:db8::1"] as const;

const pod = (index: number): fc.Arbitrary<PodObject> =>
  fc
    .record({
      namespace,
      labels,
      hostNetwork: fc.boolean().map((host) => host && index % 2 === 1),
      phase: fc.constantFrom("Running", "Running", "Running", "Succeeded", "Failed", "Pending"),
      own: fc.array(container(), { maxLength: 2 }),
      init: fc.array(fc.oneof(container("Always"), container()), { maxLength: 1 }),
      families: fc.constantFrom(["ipv4"], ["ipv6"], ["ipv4", "ipv6"], ["ipv6", "ipv4"]),
    })
    .map(({ namespace, labels, hostNetwork, phase, own, init, families }) => {
      const ips = families.map((family) => (family === "ipv4" ? POD_IPS : POD_IPS_V6)[index] ?? "");
      return {
        kind: "Pod",
        metadata: { name: `p${index}`, namespace, labels },
        spec: { hostNetwork, containers: own, initContainers: init },
        // The first pod runs, for an inventory without any is refused.
        status: { phase: index === 0 ? "Running" : phase, podIP: ips[0] ?? "", podIPs: ips.map((ip) => ({ ip })) },
      };
    });

const service = (index: number) =>
  fc
    .record({
      namespace,
      selector: fc.option(
        labels.filter((found) => Object.keys(found).length > 0),
        { nil: undefined },
      ),
      ports: fc.uniqueArray(
        fc.record({
          protocol,
          port: fc.constantFrom(...NUMBERS),
          targetPort: fc.constantFrom<(number | string)[]>(...NUMBERS, "http", "metrics"),
        }),
        { minLength: 1, maxLength: 3, selector: ({ protocol, port }) => `${protocol} ${port}` },
      ),
      families: fc.constantFrom(["ipv4"], ["ipv6"], ["ipv4", "ipv6"]),
    })
    .map(({ namespace, selector, ports, families }) => {
      const ips = families.map((family) => (family === "ipv4" ? SERVICE_IPS : SERVICE_IPS_V6)[index] ?? "");
      const spec = { clusterIP: ips[0] ?? "", clusterIPs: ips, ports, ...(selector && { selector }) };
      return { kind: "Service" as const, metadata: { name: `s${index}`, namespace }, spec };
    });

const cluster: fc.Arbitrary<Cluster> = fc.record({
  namespaces: fc.record({ default: labels, ci: labels }),
  pods: fc.integer({ min: 1, max: 4 }).chain((count) => fc.tuple(...[...Array(count).keys()].map(pod))),
  services: fc.integer({ min: 0, max: 3 }).chain((count) => fc.tuple(...[...Array(count).keys()].map(service))),
});

/** Cases in which most peers are given by labels, and most ports are those of pods. */
const clusterCase = fc
  .tuple(
    anyCase,
    fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
    fc.infiniteStream(selector),
    fc.infiniteStream(fc.constantFrom(...NUMBERS)),
  )
  .map(([subject, choices, selectors, numbers]): Case => {
    const next = <Value>(stream: { next(): IteratorResult<Value> }) => stream.next().value as Value;
    const relabel = (peer: Peer): Peer => {
      const choice = next(choices);
      return choice === 0
        ? peer
        : choice === 1
          ? { podSelector: next(selectors), namespaceSelector: next(selectors) }
          : { podSelector: next(selectors) };
    };
    const policies = subject.policies.map(({ spec, ...policy }) => ({
      ...policy,
      spec: {
        ...spec,
        egress: (spec?.egress ?? []).map(({ to, ports, ...rule }) => ({
          ...rule,
          ...(to && { to: to.map(relabel) }),
          ...(ports && {
            ports: ports.map((entry) =>
              typeof entry.port === "number" && entry.endPort === undefined && ports.length < 6
                ? { ...entry, port: next(numbers) }
                : entry,
            ),
          }),
        })),
      },
    }));
    return { ...subject, policies };
  });

function pointsOf(subject: Case, { pods, services }: Cluster): Point[] {
  const ips = [
    ...pods.flatMap(({ status }) => status.podIPs.map(({ ip }) => ip)),
    ...services.flatMap(({ spec }) => spec.clusterIPs),
  ];
  return [
    ...ips.flatMap((ip) =>
      PORT_PROTOCOLS.flatMap((protocol) => [...NUMBERS, 0, 1, 81].map((port) => ({ ip, protocol, port }))),
    ),
    ...boundaryPoints(subject, { portsEach: 1, portless: false }),
  ];
}

const objectsOf = ({ namespaces, pods, services }: Cluster) => [
  ...Object.entries(namespaces).map(([name, labels]) => ({ kind: "Namespace", metadata: { name, labels } })),
  ...pods,
  ...services,
];

describe("policies in a cluster whose pods and Services are known", () => {
  it.each(["kubernetes", "vpc-cni"] as const)("are read by the engine as by the model: %s", (semantics) => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(clusterCase, cluster, (subject, objects) => {
        const { policies, source, ipFamily, nodeIp, agent } = subject;
        const options = semantics === "kubernetes" ? { semantics } : { semantics, ipFamily, nodeIp, agent };
        const pod = vpcCniPod(policies, source, subject, (selected) => emittedInCluster(selected, objects));
        const points = pointsOf(subject, objects);
        const engine = engineVerdicts(policies, source, points, options, objectsOf(objects));
        if (semantics === "vpc-cni" && pod.aborts) {
          expect(engine.aborts).toBe(true);
          return;
        }
        const expected = points.map(({ ip, protocol, port }) =>
          semantics === "kubernetes"
            ? verdictInCluster(policies, source, objects, readAddress(ip), protocol, port)
            : pod.verdictAt(readAddress(ip), protocol, port),
        );
        for (const verdict of expected) {
          seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        }
        const wrong = points
          .map(
            ({ ip, protocol, port }, index) =>
              `${ip} ${protocol} ${port}: ${expected[index]} ${engine.verdicts[index]}`,
          )
          .filter((_, index) => expected[index] !== engine.verdicts[index]);
        expect(wrong).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(Math.min(seen.get("allow") ?? 0, seen.get("deny") ?? 0)).toBeGreaterThan(100);
  });
});

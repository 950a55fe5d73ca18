import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reach } from "../../analysis/index.ts";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { type AnySpec, describeDrift } from "../../runner/drift.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { policies } from "../support/arbitraries.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { keeperhubFacts } from "../support/networkFacts.ts";
import { analyse } from "../support/policies.ts";

interface Edited {
  podSelector: { matchLabels: Record<string, string> };
  policyTypes: string[];
  ingress?: unknown[];
  egress: { to?: unknown[]; ports?: unknown[] }[];
}

const desired: AnySpec = buildRunnerPolicy(KEEPERHUB_CONTRACT, keeperhubFacts()).policy.spec;

const RUNNER = { namespace: "keeperhub", labels: { app: "workflow-runner" } };

/** What is said of a live policy that somebody edited. */
function drift(edit: (spec: Edited) => void): string[] {
  const live = structuredClone(desired) as Edited;
  edit(live);
  return describeDrift(live, desired, RUNNER);
}

const internetExcepts = (spec: Edited, peer = 0) =>
  (spec.egress[4]?.to as { ipBlock: { except: string[] } }[] | undefined)?.[peer]?.ipBlock.except ?? [];

describe("describeDrift", () => {
  it("is silent about equal specs and about order", () => {
    expect(drift(() => {})).toEqual([]);
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (numbers) => {
        const shuffle = (items: unknown[] | undefined) => items?.sort(() => (numbers.next().value ?? 0) - 0.5);
        expect(
          drift((spec) => {
            shuffle(spec.egress);
            for (const rule of spec.egress) {
              shuffle(rule.to);
              shuffle(rule.ports);
            }
          }),
        ).toEqual([]);
      }),
    );
  });

  it.each<[string, (spec: Edited) => void, string[]]>([
    [
      "a rule for a block",
      (spec) => spec.egress.push({ to: [{ ipBlock: { cidr: "10.9.0.0/16" } }] }),
      ["it also allows 10.9.0.0/16 on every port (10.0.0.0/8, private use (RFC 1918))"],
    ],
    [
      "the instance metadata, by its name",
      (spec) => spec.egress.push({ to: [{ ipBlock: { cidr: "169.254.169.254/32" } }], ports: [{ port: 80 }] }),
      [
        "it also allows 169.254.169.254/32 on 80/TCP (EC2 instance metadata (IMDS) 169.254.169.254; 169.254.0.0/16, link-local (RFC 3927))",
      ],
    ],
    [
      "a rule for every pod of a namespace",
      (spec) =>
        spec.egress.push({ to: [{ namespaceSelector: { matchLabels: { team: "x" } } }], ports: [{ port: "http" }] }),
      ['it also allows all pods in namespaces team=x on "http"/TCP'],
    ],
    [
      "the loss of a rule",
      (spec) => spec.egress.splice(0, 1),
      ["it does not allow pods k8s-app=kube-dns in namespace kube-system on 53/TCP, 53/UDP"],
    ],
    [
      "an appended peer",
      (spec) => spec.egress[3]?.to?.push({ ipBlock: { cidr: "10.1.7.0/24" } }),
      ["it also allows 10.1.7.0/24 on 5432/TCP (10.0.0.0/8, private use (RFC 1918))"],
    ],
    [
      "a removed peer",
      (spec) => spec.egress[3]?.to?.pop(),
      ["it does not allow 10.1.102.0/24 on 5432/TCP (10.0.0.0/8, private use (RFC 1918))"],
    ],
    [
      "an appended port",
      (spec) => spec.egress[3]?.ports?.push({ protocol: "TCP", port: 22 }),
      ["for 10.1.100.0-10.1.102.255 it also allows 22/TCP (10.0.0.0/8, private use (RFC 1918))"],
    ],
    [
      "another port",
      (spec) => Object.assign(spec.egress[3]?.ports?.[0] ?? {}, { port: 5433 }),
      ["for 10.1.100.0-10.1.102.255 it allows 5433/TCP instead of 5432/TCP (10.0.0.0/8, private use (RFC 1918))"],
    ],
    [
      "all ports",
      (spec) => delete spec.egress[3]?.ports,
      ["for 10.1.100.0-10.1.102.255 it also allows every port (10.0.0.0/8, private use (RFC 1918))"],
    ],
    [
      "a dropped except",
      (spec) => {
        const excepts = internetExcepts(spec);
        excepts.splice(excepts.indexOf("100.64.0.0/10"), 1);
      },
      ["it also allows 100.64.0.0/10 on every port (shared address space (RFC 6598))"],
    ],
    [
      "an added except",
      (spec) => internetExcepts(spec).push("8.8.8.0/24"),
      ["it does not allow 8.8.8.0/24 on every port (public internet)"],
    ],
    [
      "the internet narrowed to a port",
      (spec) => Object.assign(spec.egress[4] ?? {}, { ports: [{ protocol: "TCP", port: 443 }] }),
      [
        "for 0.0.0.0/0 except 14 blocks it allows only 443/TCP, not every port (public internet)",
        expect.stringMatching(
          /^for ::\/0 except fc00::\/7, fe80::\/10 it allows only 443\/TCP, not every port \(public/,
        ),
      ],
    ],
    [
      "a rule for everything",
      (spec) => spec.egress.push({}),
      [
        "it also allows every destination on every port: everything is open, the EC2 instance metadata (169.254.169.254:80/tcp) first",
      ],
    ],
    [
      "more pods",
      (spec) => Object.assign(spec, { podSelector: {} }),
      ["it selects every pod, not app=workflow-runner"],
    ],
    [
      "another type",
      (spec) => spec.policyTypes.push("Ingress"),
      ['its policyTypes is ["Egress","Ingress"], not ["Egress"]'],
    ],
    ["ingress rules", (spec) => Object.assign(spec, { ingress: [{}] }), ["its ingress is [{}], not missing"]],
    [
      "what it cannot read",
      (spec) => spec.egress.push({ to: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }),
      [expect.stringMatching(/^what it allows can't be told\. .*prefix length 33/s)],
    ],
  ])("tells of %s", (_, edit, lines) => {
    expect(drift(edit)).toEqual(lines);
  });

  it.each<[string, (spec: Edited) => void, string]>([
    [
      "it no longer selects them",
      (spec) => Object.assign(spec.podSelector.matchLabels, { app: "nobody" }),
      "it selects app=nobody, not app=workflow-runner",
    ],
    [
      "egress is switched off",
      (spec) => Object.assign(spec, { policyTypes: ["Ingress"] }),
      'its policyTypes is ["Ingress"], not ["Egress"]',
    ],
  ])("says that everything is open to the runners where %s", (_, edit, why) => {
    expect(drift(edit)).toEqual([
      why,
      "it no longer restricts the runners: unless another policy does, everything is open to them, the EC2 instance metadata (169.254.169.254:80/tcp) first",
    ]);
  });

  it("is silent about another way to write the same", () => {
    const seed = keeperhubManifest("10.1").spec as unknown as Edited;
    const named = structuredClone(seed) as unknown as { egress: { to: Record<string, unknown>[] }[] };
    const own = { matchLabels: { "kubernetes.io/metadata.name": "keeperhub" } };
    let rewritten = 0;
    for (const peer of named.egress.flatMap(({ to }) => to)) {
      if (peer.podSelector !== undefined && peer.namespaceSelector === undefined) {
        peer.namespaceSelector = own;
        rewritten += 1;
      } else if (JSON.stringify(peer.namespaceSelector) === JSON.stringify(own)) {
        delete peer.namespaceSelector;
        rewritten += 1;
      }
    }
    expect(rewritten).toBeGreaterThan(0);
    expect(describeDrift(named as AnySpec, seed as unknown as AnySpec, RUNNER)).toEqual([]);
    expect(
      drift((spec) => spec.egress.push({ to: [{ ipBlock: { cidr: "10.1.100.0/25" } }], ports: [{ port: 5432 }] })),
    ).toEqual([]);
  });

  it("tells of a policy without any egress rule", () => {
    const lines = describeDrift({ podSelector: desired.podSelector, policyTypes: ["Egress"] }, desired, RUNNER);
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.every((line) => line.startsWith("it does not allow "))).toBe(true);
  });

  it.each<[string, (spec: Edited) => void, unknown[]]>([
    [
      "what only the agent takes away",
      (spec) =>
        spec.egress.push({
          to: [{ ipBlock: { cidr: "10.1.0.0/16", except: ["10.1.100.0/25"] } }],
          ports: [{ port: 5432 }],
        }),
      [
        "it also allows 10.1.0.0/16 except 10.1.100.0-10.1.102.255 on 5432/TCP (10.0.0.0/8, private use (RFC 1918))",
        "on EKS it does not allow 10.1.100.0/25 on 5432/TCP (10.0.0.0/8, private use (RFC 1918))",
      ],
    ],
    [
      "ports that the agent drops at random",
      (spec) =>
        Object.assign(spec.egress[3] ?? {}, {
          ports: Array.from({ length: 26 }, (_, index) => ({ port: 5400 + index })),
        }),
      [
        expect.stringMatching(/^for .* it allows 5400-5425\/TCP instead/),
        expect.stringMatching(/^on EKS .*\(at random\)/),
      ],
    ],
    [
      "what the agent cannot load",
      (spec) => internetExcepts(spec, 1).push("64:ff9b::/96"),
      [
        expect.stringMatching(/^it does not allow 64:ff9b::\/96/),
        "on EKS it cannot be loaded: the agent keeps what was loaded before",
      ],
    ],
  ])("tells of %s", (_, edit, lines) => {
    const live = structuredClone(desired) as Edited;
    edit(live);
    expect(describeDrift(live, desired, RUNNER, { name: "vpc-cni", ipFamily: "ipv4" })).toEqual(lines);
  });

  it("agrees with the exact difference on every pair", () => {
    fc.assert(
      fc.property(policies, policies, ([one], [other]) => {
        const [a, b] = [one, other].map((policy) => (policy as { spec: AnySpec }).spec) as [AnySpec, AnySpec];
        const [x, y] = [one, other].map((policy) => Reach.of(analyse([policy as object], { source: RUNNER })));
        expect(describeDrift(a, b, RUNNER).length === 0).toBe((x as Reach).equals(y as Reach));
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { type AnySpec, describeDrift } from "../../runner/drift.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { keeperhubFacts } from "../support/networkFacts.ts";

interface Edited {
  podSelector: { matchLabels: Record<string, string> };
  policyTypes: string[];
  ingress?: unknown[];
  egress: { to?: unknown[]; ports?: unknown[] }[];
}

const desired: AnySpec = buildRunnerPolicy(KEEPERHUB_CONTRACT, keeperhubFacts()).policy.spec;

/** What is said of a live policy that somebody edited. */
function drift(edit: (spec: Edited) => void): string[] {
  const live = structuredClone(desired) as Edited;
  edit(live);
  return describeDrift(live, desired);
}

const internetExcepts = (spec: Edited) =>
  (spec.egress[4]?.to as { ipBlock: { except: string[] } }[] | undefined)?.[0]?.ipBlock.except ?? [];

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
      (spec) => spec.egress.push({ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }),
      ["it also allows 10.0.0.0/8 on every port"],
    ],
    ["a rule for everything", (spec) => spec.egress.push({}), ["it also allows every destination on every port"]],
    [
      "a rule for every pod of a namespace",
      (spec) =>
        spec.egress.push({ to: [{ namespaceSelector: { matchLabels: { team: "x" } } }], ports: [{ port: "http" }] }),
      ["it also allows every pod in namespace team=x on http/TCP"],
    ],
    [
      "a rule with an except",
      (spec) =>
        spec.egress.push({
          to: [{ ipBlock: { cidr: "::/1", except: ["fc00::/8"] } }],
          ports: [{ port: 1, endPort: 9, protocol: "UDP" }],
        }),
      ["it also allows ::/1 except fc00::/8 on 1-9/UDP"],
    ],
    [
      "the loss of a rule",
      (spec) => spec.egress.splice(0, 1),
      [
        "it does not allow pods k8s-app=kube-dns in namespace kubernetes.io/metadata.name=kube-system on 53/TCP, 53/UDP",
      ],
    ],
    [
      "an appended peer",
      (spec) => spec.egress[3]?.to?.push({ ipBlock: { cidr: "10.1.7.0/24" } }),
      ["it also allows 10.1.7.0/24 on 5432/TCP"],
    ],
    ["a removed peer", (spec) => spec.egress[3]?.to?.pop(), ["it does not allow 10.1.102.0/24"]],
    [
      "an appended port",
      (spec) => spec.egress[3]?.ports?.push({ protocol: "TCP", port: 22 }),
      ["for 10.1.100.0/24, 10.1.101.0/24, 10.1.102.0/24 it also allows 22/TCP"],
    ],
    [
      "another port",
      (spec) => Object.assign(spec.egress[3]?.ports?.[0] ?? {}, { port: 5433 }),
      [
        "for 10.1.100.0/24, 10.1.101.0/24, 10.1.102.0/24 it also allows 5433/TCP",
        "for 10.1.100.0/24, 10.1.101.0/24, 10.1.102.0/24 it does not allow 5432/TCP",
      ],
    ],
    [
      "all ports",
      (spec) => delete spec.egress[3]?.ports,
      ["for 10.1.100.0/24, 10.1.101.0/24, 10.1.102.0/24 it allows every port"],
    ],
    [
      "a dropped except",
      (spec) => {
        const excepts = internetExcepts(spec);
        excepts.splice(excepts.indexOf("100.64.0.0/10"), 1);
      },
      ["under 0.0.0.0/0 it does not except 100.64.0.0/10"],
    ],
    [
      "an added except",
      (spec) => internetExcepts(spec).push("8.8.8.0/24"),
      ["under 0.0.0.0/0 it also excepts 8.8.8.0/24"],
    ],
    [
      "another selector",
      (spec) => Object.assign(spec.podSelector.matchLabels, { app: "nobody" }),
      ['podSelector is {"matchLabels":{"app":"nobody"}}, not {"matchLabels":{"app":"workflow-runner"}}'],
    ],
    [
      "another type",
      (spec) => spec.policyTypes.push("Ingress"),
      ['policyTypes is ["Egress","Ingress"], not ["Egress"]'],
    ],
    ["ingress rules", (spec) => Object.assign(spec, { ingress: [{}] }), ["ingress is [{}], not missing"]],
  ])("tells of %s", (_, edit, lines) => {
    expect(drift(edit)).toEqual(lines);
  });

  it("tells of a policy without any egress rule", () => {
    const lines = describeDrift({ podSelector: desired.podSelector, policyTypes: ["Egress"] }, desired);
    expect(lines).toHaveLength(desired.egress?.length ?? 0);
    expect(lines.every((line) => line.startsWith("it does not allow "))).toBe(true);
  });
});

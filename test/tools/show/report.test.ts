import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import type { EgressRule } from "../../../runner/networkPolicy.ts";
import { differences, jsonReport, type StackReport, textReport, yamlReport } from "../../../tools/show/report.ts";

const INTERNET: EgressRule = { to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "127.0.0.0/8"] } }] };

const DNS: EgressRule = {
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 8000, endPort: 8010 },
  ],
};

function report(stack: string, egress: readonly EgressRule[] = [DNS, INTERNET], region = "us-east-1"): StackReport {
  return {
    stack,
    warnings: [],
    facts: {
      vpc: { id: "vpc-1", region, ipv4Cidrs: ["10.1.0.0/16"], ipv6Cidrs: [] },
      databaseSubnets: [{ id: "subnet-1", cidrs: ["10.1.100.0/24"] }],
      cluster: { name: "main", ipFamily: "ipv4" },
      addOn: { networkPolicyEnabled: "unknown", acknowledged: ["vpc-cni-not-managed"] },
    },
    policy: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "block", namespace: "here" },
      spec: { podSelector: { matchLabels: { app: "runner" } }, policyTypes: ["Egress"], egress },
    },
  };
}

describe("the report for a person", () => {
  it("shows each rule with its ports and where it leads", () => {
    const lines = textReport([report("one")]).split("\n");
    expect(lines).toContain("  rule  ports          destination");
    expect(lines).toContain("  0     53/UDP         pods k8s-app=kube-dns in kube-system");
    expect(lines).toContain("        8000-8010/TCP");
    expect(lines).toContain("  1     all ports      0.0.0.0/0 except");
    expect(lines).toContain("                         10.0.0.0/8, 127.0.0.0/8");
  });

  it("says what is not known and what was acknowledged", () => {
    const text = textReport([report("one")]);
    expect(text).toMatch(/Service block +unknown/);
    expect(text).toMatch(/vpc-cni add-on +none/);
    expect(text).toMatch(/network policy +unknown/);
    expect(text).toMatch(/acknowledged +vpc-cni-not-managed/);
  });

  it("names the differences of several stacks, and none of one", () => {
    expect(textReport([report("one")])).not.toContain("Differences");
    expect(textReport([report("one"), report("two")])).toMatch(/Differences between one and two\n {2}none\n$/);
    expect(textReport([report("one"), report("two", [DNS, INTERNET], "eu-west-1")])).toMatch(
      /region +us-east-1 +eu-west-1/,
    );
  });
});

describe("the differences of stacks", () => {
  it("are none where they say the same", () => {
    expect(differences([report("one"), report("two")])).toEqual([]);
  });

  it("are a fact, a destination, an except and a port that not all have, and nothing else", () => {
    const changed: EgressRule[] = [
      { ...DNS, ports: [{ protocol: "UDP", port: 53 }] },
      {
        to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "192.0.2.0/24"] } }, { ipBlock: { cidr: "::/0" } }],
      },
    ];
    expect(differences([report("one"), report("two", changed, "eu-west-1")])).toEqual([
      { what: "region", values: [["us-east-1"], ["eu-west-1"]] },
      { what: "rule 0 ports", values: [["8000-8010/TCP"], []] },
      { what: "rule 1 to", values: [[], ["::/0"]] },
      { what: "rule 1 except", values: [["127.0.0.0/8"], ["192.0.2.0/24"]] },
    ]);
  });

  it("show a rule that only one stack has", () => {
    expect(differences([report("one", [DNS]), report("two")])).toEqual([
      { what: "rule 1 to", values: [[], ["0.0.0.0/0"]] },
      { what: "rule 1 except", values: [[], ["10.0.0.0/8", "127.0.0.0/8"]] },
      { what: "rule 1 ports", values: [[], ["all ports"]] },
    ]);
  });
});

describe("the reports for machines", () => {
  it("are one manifest for each stack", () => {
    const documents = loadAll(yamlReport([report("one"), report("two")]));
    expect(documents).toEqual([report("one").policy, report("two").policy]);
  });

  it("are everything as JSON", () => {
    const content = JSON.parse(jsonReport([report("one"), report("two", [DNS])]));
    expect(content.stacks.map(({ stack }: StackReport) => stack)).toEqual(["one", "two"]);
    expect(content.stacks[0].policy).toEqual(report("one").policy);
    expect(content.differences).toHaveLength(3);
  });
});

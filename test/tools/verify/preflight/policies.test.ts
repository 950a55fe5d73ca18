import { describe, expect, it } from "vitest";
import type { VpcCniSemantics } from "../../../../analysis/semantics.ts";
import type { PolicyEndpointObject, PolicyObject } from "../../../../tools/verify/objects.ts";
import {
  judgeControl,
  judgeLivePolicy,
  judgeNewerKinds,
  judgeOtherPolicies,
} from "../../../../tools/verify/preflight/policies.ts";
import { judgePolicyEndpoints, judgeProbeEndpoint } from "../../../../tools/verify/preflight/policyEndpoints.ts";
import { KUBERNETES, snapshot, stackPolicy, stackPolicyObject, VPC_CNI } from "../../../support/verifyCluster.ts";

const RUNNER = { app: "workflow-runner" };

function policy(name: string, spec: object): PolicyObject {
  return { metadata: { name, namespace: "keeperhub" }, spec: { policyTypes: ["Egress"], ...spec } };
}

function live(change: (spec: ReturnType<typeof stackPolicyObject>["spec"]) => object = (spec) => spec): PolicyObject {
  const { metadata, spec } = stackPolicyObject();
  return { metadata, spec: change(spec) as PolicyObject["spec"] };
}

describe("judgeLivePolicy", () => {
  const judge = (...policies: PolicyObject[]) =>
    judgeLivePolicy(stackPolicy(), policies, { name: "vpc-cni", ipFamily: "ipv4" });

  it("accepts the same meaning in another form", () => {
    const turned = live((spec) => ({
      ...spec,
      egress: [...spec.egress].reverse().flatMap((rule) => rule.to.map((peer) => ({ ...rule, to: [peer] }))),
    }));
    expect(judge(turned)).toEqual([
      { check: "live policy", level: "ok", text: expect.stringContaining("says what the program's says") },
    ]);
  });

  it.each<[string, PolicyObject[], RegExp]>([
    [
      "there is none",
      [policy("other", { podSelector: {} })],
      /has no NetworkPolicy keeperhub\/workflow-runner-block-imds; the namespace has other/,
    ],
    [
      "it selects other pods",
      [live((spec) => ({ ...spec, podSelector: { matchLabels: { app: "web" } } }))],
      /it selects app=web, not app=workflow-runner/,
    ],
    ["it selects every pod", [live((spec) => ({ ...spec, podSelector: {} }))], /it selects every pod/],
    [
      "it no longer isolates",
      [live((spec) => ({ ...spec, policyTypes: ["Ingress"] }))],
      /it no longer restricts the runners/,
    ],
    [
      "an except is gone",
      [
        live((spec) => ({
          ...spec,
          egress: spec.egress.map((rule) => ({
            ...rule,
            to: rule.to.map((peer) =>
              "ipBlock" in peer && peer.ipBlock.except
                ? {
                    ipBlock: {
                      ...peer.ipBlock,
                      except: peer.ipBlock.except.filter((cidr) => cidr !== "100.64.0.0/10"),
                    },
                  }
                : peer,
            ),
          })),
        })),
      ],
      /it also allows 100\.64\.0\.0\/10 on every port \(shared address space \(RFC 6598\)\)/,
    ],
    [
      "a destination is gone",
      [live((spec) => ({ ...spec, egress: spec.egress.slice(1) }))],
      /it does not allow pods k8s-app=kube-dns in namespace kube-system on 53\/TCP, 53\/UDP/,
    ],
    [
      "it can't be analysed",
      [live((spec) => ({ ...spec, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }] }))],
      /can't be analysed[\s\S]*prefix length 33/,
    ],
  ])("contradicts when %s", (_, policies, text) => {
    const findings = judge(...policies);
    expect(findings[0]).toMatchObject({ check: "live policy", level: "contradiction", remedy: expect.any(String) });
    expect(findings.map((finding) => finding.text).join("\n")).toMatch(text);
  });

  it("names at most a handful of differences", () => {
    const many = live((spec) => ({
      ...spec,
      egress: Array.from({ length: 40 }, (_, index) => ({ to: [{ ipBlock: { cidr: `10.${index * 2}.0.0/16` } }] })),
    }));
    expect(judge(many).length).toBeLessThanOrEqual(8);
    expect(judge(many).map(({ text }) => text)).toContainEqual(expect.stringMatching(/and \d+ more ranges/));
  });
});

describe("judgeOtherPolicies", () => {
  const judge = (others: PolicyObject[], semantics = KUBERNETES, labelSets: Record<string, string>[] = [RUNNER]) =>
    judgeOtherPolicies({
      program: stackPolicy(),
      semantics,
      snapshot: snapshot({ networkPolicies: [live(), ...others] }),
      labelSets,
    });

  const wide = policy("debug", {
    podSelector: { matchLabels: RUNNER },
    egress: [{ to: [{ ipBlock: { cidr: "10.1.7.0/24" } }] }],
  });

  it("says what a second policy opens", () => {
    expect(judge([wide])).toEqual([
      {
        check: "other policies",
        level: "contradiction",
        text: expect.stringMatching(/keeperhub\/debug selects runner pods too\. .*: it also allows 10\.1\.7\.0\/24/),
        remedy: expect.stringContaining("podSelector"),
      },
    ]);
  });

  it("does not mind policies for other pods, or ones that open nothing", () => {
    const elsewhere = policy("web", { podSelector: { matchLabels: { app: "web" } }, egress: [{}] });
    const nothing = policy("deny", { podSelector: {}, egress: [] });
    expect(judge([elsewhere])).toEqual([expect.objectContaining({ level: "ok" })]);
    expect(judge([nothing])).toEqual([
      { check: "other policies", level: "note", text: expect.stringContaining("changes nothing") },
    ]);
    expect(judge([])).toEqual([expect.objectContaining({ level: "ok" })]);
  });

  it("looks at the labels that live runners carry, not only at those of the policy", () => {
    const byWorkflow = policy("one-workflow", { podSelector: { matchLabels: { workflow: "17" } }, egress: [{}] });
    expect(judge([byWorkflow])[0]?.level).toBe("ok");
    expect(judge([byWorkflow], KUBERNETES, [RUNNER, { ...RUNNER, workflow: "17" }])[0]?.level).toBe("contradiction");
  });

  it("knows that the AWS agent lets the except of one policy take from another", () => {
    const hole = policy("internet", {
      podSelector: { matchLabels: RUNNER },
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.1.100.0/25"] } }] }],
    });
    const lines = judge([hole], VPC_CNI).map(({ text }) => text);
    expect(lines.join("\n")).toMatch(
      /keeperhub\/internet selects runner pods too.*: it does not allow 10\.1\.100\.0\/25/,
    );
    expect(judge([hole], KUBERNETES).some(({ text }) => text.includes("does not allow"))).toBe(false);
  });

  it("doubts what it can't read", () => {
    const odd = policy("odd", { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }] });
    expect(judge([odd])).toEqual([
      expect.objectContaining({ level: "doubt", text: expect.stringContaining("keeperhub/odd can't be analysed") }),
    ]);
  });
});

describe("judgeControl", () => {
  const CONTROL = { "app.kubernetes.io/name": "egress-verify" };

  it("is free where no policy isolates the egress of its labels", () => {
    const ingressOnly = {
      metadata: { name: "in", namespace: "keeperhub" },
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    };
    expect(judgeControl(CONTROL, "keeperhub", [live(), ingressOnly])).toEqual([
      expect.objectContaining({ level: "ok" }),
    ]);
  });

  it("is spoiled by a default-deny, and by a default-allow that counts as isolation just the same", () => {
    const deny = policy("default-deny", { podSelector: {} });
    const dns = policy("dns-only", {
      podSelector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] },
      egress: [{ ports: [{ protocol: "UDP", port: 53 }] }],
    });
    expect(
      judgeControl(CONTROL, "keeperhub", [live(), deny, dns]).map(({ level, text }) => [
        level,
        text.split(" also ")[0],
      ]),
    ).toEqual([
      ["doubt", "NetworkPolicy keeperhub/default-deny"],
      ["doubt", "NetworkPolicy keeperhub/dns-only"],
    ]);
  });
});

describe("judgeNewerKinds", () => {
  const judge = (cluster: object[], application: object[] = []) =>
    judgeNewerKinds({
      namespaceLabels: { team: "keeper" },
      labelSets: [RUNNER],
      clusterNetworkPolicies: cluster.map((spec, index) => ({
        metadata: { name: `c${index}` },
        spec: spec as PolicyObject["spec"],
      })),
      applicationNetworkPolicies: application.map((spec, index) => ({
        metadata: { name: `a${index}`, namespace: "keeperhub" },
        spec: spec as PolicyObject["spec"],
      })),
    }).map(({ level, text }) => `${level} ${text.split(" may ")[0]}`);

  it("doubts those that may choose runner pods", () => {
    const cluster = [
      { subject: { namespaces: { matchLabels: { team: "keeper" } } } },
      { subject: { namespaces: { matchLabels: { team: "other" } } } },
      { subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "web" } } } } },
      { subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: RUNNER } } } },
      { subject: { somethingNew: true } },
      {},
    ];
    expect(
      judge(cluster, [{ podSelector: {} }, { podSelector: { matchLabels: { app: "web" } } }, { podSelector: 1 }]),
    ).toEqual([
      "doubt ApplicationNetworkPolicy keeperhub/a0",
      "doubt ApplicationNetworkPolicy keeperhub/a2",
      "doubt ClusterNetworkPolicy c0",
      "doubt ClusterNetworkPolicy c3",
      "doubt ClusterNetworkPolicy c4",
      "doubt ClusterNetworkPolicy c5",
    ]);
    expect(judge([])).toEqual([expect.stringMatching(/^ok /)]);
  });
});

describe("judgePolicyEndpoints", () => {
  const semantics = VPC_CNI as VpcCniSemantics;
  const program = stackPolicy();

  /** What the AWS controller makes of the stack's policy in the healthy cluster. */
  function resolved(changes: Partial<PolicyEndpointObject["spec"]> = {}): PolicyEndpointObject {
    const tcp = (port: number) => ({ protocol: "TCP", port });
    const { egress } = stackPolicyObject().spec;
    return {
      metadata: { name: "workflow-runner-block-imds-abcde", namespace: "keeperhub" },
      spec: {
        policyRef: { name: "workflow-runner-block-imds", namespace: "keeperhub" },
        podSelector: { matchLabels: RUNNER },
        podIsolation: ["Egress"],
        podSelectorEndpoints: [{ name: "run-17-x2x9z", podIP: "10.1.3.9" }],
        egress: [
          { cidr: "10.1.3.2", ports: [{ protocol: "UDP", port: 53 }, tcp(53)] },
          { cidr: "172.20.0.10", ports: [{ protocol: "UDP", port: 53 }, tcp(53)] },
          { cidr: "10.1.3.4", ports: [tcp(8787)] },
          { cidr: "172.20.0.87", ports: [tcp(8787)] },
          { cidr: "10.1.3.5", ports: [tcp(3080)] },
          { cidr: "172.20.0.88", ports: [tcp(80)] },
          ...egress.slice(3).flatMap(({ to, ports }) =>
            to.flatMap((peer) =>
              "ipBlock" in peer
                ? [
                    {
                      cidr: peer.ipBlock.cidr,
                      ...(peer.ipBlock.except && { except: peer.ipBlock.except }),
                      ...(ports && { ports }),
                    },
                  ]
                : [],
            ),
          ),
        ],
        ...changes,
      },
    };
  }

  const judge = (...policyEndpoints: PolicyEndpointObject[]) =>
    judgePolicyEndpoints(program, semantics, snapshot({ policyEndpoints }));

  it("finds what the controller should have made in step", () => {
    expect(judge(resolved())).toEqual([
      { check: "policy endpoints", level: "ok", text: "1 PolicyEndpoints are in step with the policy" },
    ]);
  });

  it("takes several chunks of one policy together", () => {
    const { egress = [] } = resolved().spec;
    expect(judge(resolved({ egress: egress.slice(0, 4) }), resolved({ egress: egress.slice(4) }))).toEqual([
      expect.objectContaining({ level: "ok" }),
    ]);
  });

  it.each<[string, PolicyEndpointObject[], RegExp]>([
    ["there is none", [], /has made no PolicyEndpoint/],
    [
      "it selects what the policy once selected",
      [resolved({ podSelector: { matchLabels: { app: "old" } } })],
      /selects app=old, the policy app=workflow-runner/,
    ],
    ["it does not isolate", [resolved({ podIsolation: [] })], /does not isolate egress/],
    [
      "a pod of a peer is missing",
      [resolved({ egress: (resolved().spec.egress ?? []).slice(1) })],
      /not in step: it does not allow 10\.1\.3\.2\/32/,
    ],
    [
      "a pod that is gone is still there",
      [
        resolved({
          egress: [...(resolved().spec.egress ?? []), { cidr: "10.1.3.77", ports: [{ protocol: "TCP", port: 8787 }] }],
        }),
      ],
      /not in step: it also allows 10\.1\.3\.77\/32/,
    ],
    ["it can't be read", [resolved({ egress: [{ cidr: "nowhere" }] })], /can't be analysed/],
  ])("contradicts when %s", (_, endpoints, text) => {
    const findings = judge(...endpoints);
    expect(findings.map(({ level }) => level)).toEqual(findings.map(() => "contradiction"));
    expect(findings.map((finding) => finding.text).join("\n")).toMatch(text);
  });

  it("says nothing where the cluster has no such kind", () => {
    expect(judgePolicyEndpoints(program, semantics, snapshot())).toEqual([expect.objectContaining({ level: "note" })]);
  });

  it("doubts that a probing pod is enforced which the controller does not name", () => {
    expect(judgeProbeEndpoint(program, [resolved()], "10.1.3.9")).toEqual([]);
    expect(judgeProbeEndpoint(program, [resolved()], "10.1.3.10")).toEqual([
      expect.objectContaining({ level: "doubt" }),
    ]);
  });
});

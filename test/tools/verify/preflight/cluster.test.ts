import { describe, expect, it } from "vitest";
import type { NetworkPolicy } from "../../../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../../../analysis/parseNetworkPolicy.ts";
import { parsePoint } from "../../../../analysis/point.ts";
import type { PodObject } from "../../../../tools/verify/objects.ts";
import { formatRight, judgeAccess, peerNamespaces, rightsFor } from "../../../../tools/verify/preflight/access.ts";
import { judgeEnforcer } from "../../../../tools/verify/preflight/enforcer.ts";
import { worstLevel } from "../../../../tools/verify/preflight/finding.ts";
import { judgePeers } from "../../../../tools/verify/preflight/peers.ts";
import { judgePlan, preflight } from "../../../../tools/verify/preflight/preflight.ts";
import { judgeRunnerPods } from "../../../../tools/verify/preflight/runnerPods.ts";
import type { EnforcerState } from "../../../../tools/verify/snapshot.ts";
import type { Target } from "../../../../tools/verify/targets.ts";
import {
  healthyPods,
  healthyServices,
  pod,
  service,
  snapshot,
  stackPolicy,
  VPC_CNI,
} from "../../../support/verifyCluster.ts";

const RUNNER = { app: "workflow-runner" };

describe("judgePeers", () => {
  const judge = (services = healthyServices(), pods = healthyPods()) =>
    judgePeers(stackPolicy(), snapshot({ services, pods }).inventory);

  it("finds the healthy cluster's peers running and reachable", () => {
    expect(judge()).toEqual([
      {
        check: "peers",
        level: "ok",
        text: "rule 0 (pods k8s-app=kube-dns in namespace kube-system): 1 running, behind kube-dns",
      },
      {
        check: "peers",
        level: "ok",
        text: expect.stringMatching(/^rule 1 .*keeperhub-sandbox.*: 1 running, behind sandbox$/),
      },
      { check: "peers", level: "ok", text: expect.stringMatching(/^rule 2 .*: 1 running, behind executor$/) },
    ]);
  });

  it("doubts a rule whose pods do not run", () => {
    const pods = healthyPods().filter(({ metadata }) => metadata.name !== "executor-a");
    expect(judge(healthyServices(), pods).find(({ level }) => level === "doubt")?.text).toMatch(
      /^rule 2 .*no running pod has these labels/,
    );
  });

  it("doubts a Service whose selector lacks a label of the rule: the AWS controller drops its address", () => {
    const pods = healthyPods().map((each) =>
      each.metadata.name === "sandbox-a"
        ? { ...each, metadata: { ...each.metadata, labels: { ...each.metadata.labels, tier: "sandbox" } } }
        : each,
    );
    const services = [
      ...healthyServices().filter(({ metadata }) => metadata.name !== "sandbox"),
      service("keeperhub", "sandbox", { tier: "sandbox" }, "172.20.0.87", [{ port: 8787 }]),
    ];
    expect(judge(services, pods).find(({ level }) => level === "doubt")?.text).toMatch(
      /rule 1 .*Service keeperhub\/sandbox selects tier=sandbox, which lacks labels of the rule.*ClusterIP denied/,
    );
    // A headless Service has no address to drop.
    const headless = services.map((each) =>
      each.metadata.name === "sandbox" ? { ...each, spec: { ...each.spec, clusterIP: "None" } } : each,
    );
    expect(judge(headless, pods).every(({ level }) => level === "ok")).toBe(true);
  });

  it("doubts a rule with the Service's port where the pods listen on another", () => {
    const services = [
      ...healthyServices().filter(({ metadata }) => metadata.name !== "executor"),
      service(
        "keeperhub",
        "executor",
        { "app.kubernetes.io/serviceName": "keeperhub-executor-common" },
        "172.20.0.88",
        [{ port: 3080, targetPort: 9090 }],
      ),
    ];
    expect(judge(services).find(({ level }) => level === "doubt")?.text).toMatch(
      /allows TCP 3080, the port of Service keeperhub\/executor, but the pods listen on 9090/,
    );
  });

  it("notes a peer on the host's network, which opens its node", () => {
    const pods = healthyPods().map((each) =>
      each.metadata.name === "coredns-a" ? { ...each, spec: { ...each.spec, hostNetwork: true } } : each,
    );
    expect(judge(healthyServices(), pods).find(({ level }) => level === "note")?.text).toMatch(
      /coredns-a is on the host's network/,
    );
  });
});

describe("judgeRunnerPods", () => {
  const judge = (...pods: PodObject[]) => judgeRunnerPods(stackPolicy(), pods);
  const runner = (name: string, owner: string | undefined, spec: Partial<PodObject["spec"]> = {}) =>
    pod("keeperhub", name, RUNNER, "10.1.3.9", { spec, ...(owner !== undefined && { owner }) });

  it("accepts Jobs' pods without a way around the policy", () => {
    expect(judge(runner("run-17-abcde", "run-17"), runner("run-18-abcde", "run-18"))).toEqual([
      expect.objectContaining({ level: "ok", text: expect.stringContaining("2 runner pods") }),
    ]);
  });

  it("says when there is none, and leaves the pods of a verify run out", () => {
    const probe = pod(
      "keeperhub",
      "egress-verify-runner-x-abcde",
      { ...RUNNER, "runner-egress/verify-run": "x" },
      "10.1.3.9",
    );
    expect(judge(probe)).toEqual([expect.objectContaining({ level: "note" })]);
    expect(judge(pod("other", "run-1-abcde", RUNNER, "10.1.3.9"))).toEqual([
      expect.objectContaining({ level: "note" }),
    ]);
  });

  it.each<[string, PodObject[], string, RegExp]>([
    [
      "the host's network",
      [runner("run-17-abcde", "run-17", { hostNetwork: true })],
      "contradiction",
      /on the host's network, where no policy applies/,
    ],
    ["no Job", [runner("run-17-abcde", undefined)], "doubt", /belongs to no Job/],
    ["a long name", [runner(`${"r".repeat(58)}-abcde`, "r".repeat(58))], "doubt", /name of 58 characters/],
    [
      "NET_RAW by default",
      [runner("run-17-abcde", "run-17", { containers: [{ name: "main" }] })],
      "doubt",
      /NET_RAW in main/,
    ],
    [
      "NET_RAW in an init container",
      [
        runner("run-17-abcde", "run-17", {
          initContainers: [
            { name: "init", securityContext: { capabilities: { add: ["CAP_NET_RAW"], drop: ["ALL"] } } },
          ],
        }),
      ],
      "doubt",
      /NET_RAW in init/,
    ],
    [
      "a privileged container",
      [
        runner("run-17-abcde", "run-17", {
          containers: [{ name: "main", securityContext: { privileged: true, capabilities: { drop: ["ALL"] } } }],
        }),
      ],
      "doubt",
      /NET_RAW in main/,
    ],
    [
      "two Jobs with one stem",
      [runner("run-abcde", "first"), runner("run-fghij", "second")],
      "doubt",
      /pods of first and second are all named run-…/,
    ],
  ])("finds %s", (_, pods, level, text) => {
    const findings = judge(...pods);
    expect(findings).toEqual([
      expect.objectContaining({
        check: "runner pods",
        level,
        text: expect.stringMatching(text),
        remedy: expect.any(String),
      }),
    ]);
  });
});

describe("judgeEnforcer", () => {
  const state = (image: string, args: string[] = ["--enable-network-policy=true"], on = "true"): EnforcerState => ({
    configMap: { "enable-network-policy-controller": on },
    agent: { image, args },
  });

  it.each<[string, EnforcerState, string, RegExp]>([
    ["both switches on", state("x/agent:v1.3.7-eksbuild.2"), "ok", /agent 1\.3\.7 are on/],
    ["the controller off", state("x/agent:v1.3.7", undefined, "false"), "contradiction", /the controller is off/],
    ["the agent off", state("x/agent:v1.3.7", ["--enable-network-policy=false"]), "contradiction", /the agent is off/],
    ["an old agent", state("x/agent:v1.2.3-eksbuild.1"), "contradiction", /older than 1\.2\.4 opens every port/],
    ["an image by digest", state("x/agent@sha256:abc"), "doubt", /version can't be read/],
    ["Auto Mode", { configMap: { "enable-network-policy-controller": "true" }, agent: undefined }, "note", /Auto Mode/],
    ["another CNI", { configMap: undefined, agent: undefined }, "note", /no VPC CNI/],
    [
      "no ConfigMap",
      { ...state("x/agent:v1.3.7"), configMap: undefined },
      "contradiction",
      /the controller is off.*null/,
    ],
  ])("with %s", (_, enforcer, level, text) => {
    expect(judgeEnforcer(enforcer)).toEqual([expect.objectContaining({ level, text: expect.stringMatching(text) })]);
  });
});

describe("rights", () => {
  it("are asked for one by one, and each missing one stops the run with its purpose", () => {
    const rights = rightsFor(stackPolicy(), "keeperhub");
    expect(new Set(rights.map(formatRight)).size).toBe(rights.length);
    const findings = judgeAccess(rights.map((right) => ({ ...right, isAllowed: right.resource !== "pods" })));
    expect(findings.map(({ level, text }) => `${level} ${text}`)).toEqual([
      "stop you may not list pods in namespace keeperhub, to follow the probes and see the runners",
      "stop you may not get pods/log in namespace keeperhub, to read the results",
      "stop you may not list pods in namespace kube-system, to find live pods and Services behind the policy's peers",
    ]);
  });

  it("reach as far as the policy's peers do", () => {
    expect(peerNamespaces(stackPolicy())).toEqual(["keeperhub", "kube-system"]);
    const [anywhere] = parseNetworkPolicies([
      {
        metadata: { name: "p", namespace: "a" },
        spec: { podSelector: {}, egress: [{ to: [{ namespaceSelector: { matchLabels: { team: "x" } } }] }] },
      },
    ]) as [NetworkPolicy];
    expect(peerNamespaces(anywhere)).toBeUndefined();
    expect(rightsFor(anywhere, "a").map(formatRight)).toEqual(
      expect.arrayContaining(["list pods", "list services", "list namespaces"]),
    );
  });

  it("include the control's namespace", () => {
    expect(rightsFor(stackPolicy(), "elsewhere").map(formatRight)).toEqual(
      expect.arrayContaining([
        "create jobs.batch in namespace elsewhere",
        "list networkpolicies.networking.k8s.io in namespace elsewhere",
      ]),
    );
  });
});

describe("judgePlan", () => {
  const target = (changes: Partial<Target> = {}): Target => ({
    id: "t1",
    name: "database",
    point: parsePoint("10.1.100.10:5432/tcp"),
    kind: "tcp",
    source: "named",
    expected: "allow",
    why: "by rule 3",
    ...changes,
  });

  it("takes the word of the targets file seriously", () => {
    const named = [{ name: "database", point: parsePoint("10.1.100.10:5432/tcp"), expect: "deny" as const }];
    expect(judgePlan({ targets: [target()], uncovered: [] }, named)).toEqual([
      expect.objectContaining({
        level: "contradiction",
        text: expect.stringContaining(
          "expects deny for database (10.1.100.10:5432/tcp), the policy says allow: by rule 3",
        ),
      }),
    ]);
    expect(judgePlan({ targets: [target()], uncovered: [] }, [{ ...named[0], expect: "allow" } as never])).toEqual([]);
  });

  it("does not call that verified which the agent lets through against the specification", () => {
    expect(judgePlan({ targets: [target({ specified: "deny" })], uncovered: [] }, [])).toEqual([
      expect.objectContaining({ level: "contradiction" }),
    ]);
    expect(judgePlan({ targets: [target({ expected: "deny", specified: "allow" })], uncovered: [] }, [])).toEqual([
      expect.objectContaining({ level: "note" }),
    ]);
  });

  it("stops without targets, and with more than a round can take", () => {
    expect(judgePlan({ targets: [], uncovered: [] }, [])).toEqual([expect.objectContaining({ level: "stop" })]);
    expect(judgePlan({ targets: Array.from({ length: 41 }, () => target()), uncovered: [] }, [])).toEqual([
      expect.objectContaining({ level: "stop" }),
    ]);
  });
});

describe("preflight", () => {
  it("finds nothing to object to in a healthy cluster", () => {
    const findings = preflight({
      program: stackPolicy(),
      semantics: VPC_CNI,
      snapshot: snapshot(),
      controlNamespace: "keeperhub",
      controlLabels: { role: "control" },
    });
    expect(findings.filter(({ level }) => level !== "ok").map(({ check, level }) => `${level} ${check}`)).toEqual([
      "note policy endpoints",
    ]);
    expect(worstLevel(findings)).toBe("note");
    expect(worstLevel([])).toBe("ok");
  });
});

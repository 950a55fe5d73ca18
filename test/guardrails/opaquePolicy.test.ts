import { describe, expect, it } from "vitest";
import { isOpaqueKind, opaquePolicies } from "../../guardrails/index.ts";
import { declare } from "../support/declarations.ts";

const AWS = "networking.k8s.aws/v1alpha1";
const judge = (kind: string, spec: object, metadata: object = {}, apiVersion = AWS) =>
  opaquePolicies("urn", { apiVersion, kind, metadata: { name: "x", ...metadata }, spec }, declare())[0]?.what;
const named = (...names: string[]) => ({
  matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: names }],
});

it.each([
  [AWS, "ClusterNetworkPolicy", true],
  [AWS, "ApplicationNetworkPolicy", true],
  [AWS, "PolicyEndpoint", true],
  ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", true],
  ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", true],
  ["cilium.io/v2", "CiliumNetworkPolicy", true],
  ["projectcalico.org/v3", "GlobalNetworkPolicy", true],
  ["networking.k8s.io/v1", "NetworkPolicy", false],
  ["v1", "constructor", false],
])("%s %s: %s", (apiVersion, kind, expected) => {
  expect(isOpaqueKind(apiVersion, kind)).toBe(expected);
});

describe("whether such a policy may select runner pods", () => {
  it.each([
    ["a selector for them", { podSelector: { matchLabels: { app: "workflow-runner" } } }, {}, true],
    ["no selector", {}, {}, true],
    ["a selector that cannot be read", { podSelector: { matchLabel: {} } }, {}, true],
    ["a selector for others", { podSelector: { matchLabels: { app: "api" } } }, {}, false],
    ["another namespace", {}, { namespace: "shop" }, false],
    ["an unknown namespace", {}, { namespace: undefined }, true],
  ])("namespaced, %s: %s", (_, spec, metadata, expected) => {
    expect(judge("ApplicationNetworkPolicy", spec, { namespace: "keeperhub", ...metadata }) !== undefined).toBe(
      expected,
    );
  });

  it.each([
    ["every namespace", { namespaces: {} }, true],
    ["no subject", undefined, true],
    ["their namespace", { namespaces: named("shop", "keeperhub") }, true],
    ["a label that a namespace may have", { namespaces: { matchLabels: { team: "x" } } }, true],
    ["other namespaces", { namespaces: named("shop") }, false],
    ["pods of every namespace", { pods: { namespaceSelector: {}, podSelector: {} } }, true],
    ["other pods", { pods: { podSelector: { matchLabels: { app: "api" } } } }, false],
    ["pods of another namespace", { pods: { namespaceSelector: named("shop"), podSelector: {} } }, false],
  ])("cluster-wide, %s", (_, subject, expected) => {
    expect(judge("ClusterNetworkPolicy", { subject }) !== undefined).toBe(expected);
  });

  it("is told by kind and name", () => {
    expect(judge("ClusterNetworkPolicy", {})).toMatch(/^ClusterNetworkPolicy x may select runner pods/);
    expect(judge("ApplicationNetworkPolicy", {}, { namespace: "keeperhub" })).toMatch(
      /^ApplicationNetworkPolicy keeperhub\/x may select runner pods/,
    );
  });

  const CILIUM = "cilium.io/v2";
  const runners = { matchLabels: { app: "workflow-runner" } };
  const api = { matchLabels: { app: "api" } };
  it.each<[string, string, string, object, object, boolean]>([
    // The agent applies it to the pods that it lists, wherever it is, and never reads the selector.
    ["lists no pods", "PolicyEndpoint", AWS, { podSelector: runners, podSelectorEndpoints: [] }, {}, false],
    [
      "lists a pod of theirs",
      "PolicyEndpoint",
      AWS,
      { podSelector: api, podSelectorEndpoints: [{ name: "run-1", namespace: "keeperhub" }] },
      { namespace: "shop" },
      true,
    ],
    [
      "lists pods of another namespace",
      "PolicyEndpoint",
      AWS,
      { podSelectorEndpoints: [{ namespace: "shop" }] },
      {},
      false,
    ],
    ["lists pods that are unknown", "PolicyEndpoint", AWS, { podSelector: api }, { namespace: "shop" }, true],
    ["lists pods that are unknown", "ClusterPolicyEndpoint", AWS, { subject: { namespaces: named("shop") } }, {}, true],
    ["has a podSelector, which it does not read", "CiliumNetworkPolicy", CILIUM, { podSelector: api }, {}, true],
    [
      "selects them",
      "CiliumNetworkPolicy",
      CILIUM,
      { endpointSelector: { matchLabels: { "k8s:app": "workflow-runner" } } },
      {},
      true,
    ],
    [
      "selects others",
      "CiliumNetworkPolicy",
      CILIUM,
      { endpointSelector: { matchLabels: { "any:app": "api" } } },
      {},
      false,
    ],
    [
      "selects others of several sources",
      "CiliumNetworkPolicy",
      CILIUM,
      { endpointSelector: { matchLabels: { "container:x": "y", "k8s:app": "api" } } },
      {},
      true,
    ],
    [
      "selects pods of another namespace",
      "CiliumClusterwideNetworkPolicy",
      CILIUM,
      { endpointSelector: { matchLabels: { "k8s:io.kubernetes.pod.namespace": "shop" } } },
      {},
      false,
    ],
    [
      "selects pods of their namespace by expression",
      "CiliumClusterwideNetworkPolicy",
      CILIUM,
      {
        endpointSelector: {
          matchExpressions: [{ key: "k8s:io.kubernetes.pod.namespace", operator: "In", values: ["keeperhub"] }],
        },
      },
      {},
      true,
    ],
    ["selects nodes", "CiliumClusterwideNetworkPolicy", CILIUM, { nodeSelector: {} }, {}, false],
    [
      "has a podSelector, which it does not read",
      "NetworkPolicy",
      "projectcalico.org/v3",
      { podSelector: api },
      { namespace: "keeperhub" },
      true,
    ],
    [
      "selects others",
      "NetworkPolicy",
      "projectcalico.org/v3",
      { selector: "app == 'api'" },
      { namespace: "keeperhub" },
      false,
    ],
    ["selects them", "GlobalNetworkPolicy", "projectcalico.org/v3", { selector: 'app == "workflow-runner"' }, {}, true],
    [
      "selects by an expression that is not read",
      "GlobalNetworkPolicy",
      "projectcalico.org/v3",
      { selector: "app == 'api' || all()" },
      {},
      true,
    ],
    ["selects all", "GlobalNetworkPolicy", "projectcalico.org/v3", {}, {}, true],
  ])("by what its kind has: %s (%s)", (_, kind, apiVersion, spec, metadata, expected) => {
    expect(judge(kind, spec, metadata, apiVersion) !== undefined).toBe(expected);
  });

  it("by each of the specs that a Cilium policy may have", () => {
    const policy = (...selectors: object[]) => ({
      apiVersion: CILIUM,
      kind: "CiliumNetworkPolicy",
      metadata: { name: "x", namespace: "keeperhub" },
      specs: selectors.map((endpointSelector) => ({ endpointSelector })),
    });
    expect(opaquePolicies("urn", policy(api), declare())).toEqual([]);
    expect(opaquePolicies("urn", policy(api, runners), declare())).toHaveLength(1);
  });
});

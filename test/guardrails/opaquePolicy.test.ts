import { describe, expect, it } from "vitest";
import { isOpaqueKind, opaquePolicy } from "../../guardrails/index.ts";
import { declare } from "../support/declarations.ts";

const AWS = "networking.k8s.aws/v1alpha1";
const judge = (kind: string, spec: object, metadata: object = {}, apiVersion = AWS) =>
  opaquePolicy("urn", { apiVersion, kind, metadata: { name: "x", ...metadata }, spec }, declare())?.what;
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
    expect(judge("ClusterNetworkPolicy", {})).toBe("ClusterNetworkPolicy x");
    expect(judge("ApplicationNetworkPolicy", {}, { namespace: "keeperhub" })).toBe(
      "ApplicationNetworkPolicy keeperhub/x",
    );
  });
});

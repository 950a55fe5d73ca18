import { describe, expect, it } from "vitest";
import { differencesFrom, type PlannedUpdate, plannedUpdate } from "../../ci/steps/approval.ts";
import { movedSince } from "../../ci/steps/before.ts";
import type { PlannedResource, StackPlan } from "../../tools/review/plan.ts";

const FACTS = {
  vpc: { id: "vpc-1", region: "us-east-1", ipv4Cidrs: ["10.1.0.0/16"], ipv6Cidrs: [] },
  databaseSubnets: [{ id: "subnet-1", cidrs: ["10.1.100.0/24"] }],
};
const POLICY = {
  name: "runner",
  namespace: "keeperhub",
  spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr: "10.1.100.0/24" } }] }] },
};
const CLUSTER = { kubeconfig: JSON.stringify({ clusters: [{ name: "prod", cluster: { server: "https://one" } }] }) };
const APPROVED: PlannedUpdate = {
  stack: "prod",
  commit: "a".repeat(40),
  facts: FACTS,
  cluster: CLUSTER,
  policy: POLICY,
};

function resource(type: string, inputs: Record<string, unknown>): PlannedResource {
  const urn = `urn:pulumi:prod::runner-egress::${type}::runner-egress`;
  return { urn, type, operations: ["create"], before: undefined, after: { inputs, outputs: {} } };
}

function plan(more: Partial<StackPlan> = {}): StackPlan {
  const { name, namespace, spec } = POLICY;
  const resources = [
    resource("runner-egress:index:RunnerEgress", { facts: FACTS }),
    resource("pulumi:providers:kubernetes", CLUSTER),
    resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", { metadata: { name, namespace }, spec }),
  ];
  return {
    stack: "prod",
    resources,
    isComplete: true,
    changes: {},
    findings: [],
    packs: [],
    judged: new Map(),
    errors: [],
    warnings: [],
    ...more,
  };
}

describe("an approval", () => {
  it("is the commit, the facts, the cluster and the policy of a plan", () => {
    expect(plannedUpdate(plan(), APPROVED.commit)).toEqual(APPROVED);
  });

  it.each([
    ["fails", plan({ errors: ["no VPC"] })],
    ["has no policy", plan({ resources: plan().resources.slice(0, 2) })],
    ["has two policies", plan({ resources: [...plan().resources, ...plan().resources.slice(2)] })],
    ["has no cluster", plan({ resources: plan().resources.filter(({ type }) => !type.startsWith("pulumi:")) })],
    ["has no facts", plan({ resources: plan().resources.slice(1) })],
  ])("is not given for a plan that %s", (_, failing) => {
    expect(plannedUpdate(failing, APPROVED.commit)).toBeUndefined();
  });
});

describe("what differs from an approval", () => {
  it("is nothing for the same, in whatever order its members are", () => {
    const { facts, policy, cluster, commit, stack } = structuredClone(APPROVED);
    expect(differencesFrom(APPROVED, { policy, facts, cluster, stack, commit })).toEqual([]);
  });

  it.each<[string, Partial<PlannedUpdate>, RegExp]>([
    ["another stack", { stack: "staging" }, /approved was the stack prod, this is staging/],
    ["another commit", { commit: "b".repeat(40) }, /approved was commit a{40}, this is b{40}/],
    [
      "a new block of the VPC",
      { facts: { ...FACTS, vpc: { ...FACTS.vpc, ipv4Cidrs: ["10.1.0.0/16", "100.64.0.0/16"] } } },
      /100\.64\.0\.0\/16/,
    ],
    ["facts that are gone", { facts: {} }, /the looked-up facts differ/],
    ["another cluster", { cluster: { context: "prod" } }, /the cluster connection differs from the approved one/],
    ["another namespace", { policy: { ...POLICY, namespace: "other" } }, /keeperhub\/runner, this is other\/runner/],
    [
      "a rule more",
      { policy: { ...POLICY, spec: { ...POLICY.spec, egress: [...POLICY.spec.egress, {}] } } },
      /it also allows every destination on every port/,
    ],
  ])("tells %s", (_, change, told) => {
    const reasons = differencesFrom(APPROVED, { ...APPROVED, ...change });
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(told);
  });
});

describe("a deploy after its approval", () => {
  const before = { spec: { policyTypes: ["Egress"], egress: [] }, commit: "0".repeat(40) };
  const approved = { ...APPROVED, before };
  const later = "b".repeat(40);

  it.each([
    ["what was live at the preview", before],
    ["what the approved deploy itself wrote", { spec: POLICY.spec, commit: APPROVED.commit }],
    ["its policy, written by a deploy that failed afterwards", { spec: POLICY.spec, commit: before.commit }],
  ])("finds %s", (_, now) => {
    expect(movedSince(approved, now)).toEqual([]);
  });

  it.each([
    [
      "another deploy",
      { ...before, commit: later },
      [`from commit ${before.commit} when it was previewed, now from ${later}`],
    ],
    [
      "a policy that somebody opened",
      { ...before, spec: { ...before.spec, egress: [{}] } },
      ["it also allows every destination on every port"],
    ],
    ["no policy any more", { ...before, spec: null }, ["the live policy is gone"]],
  ])("tells %s", (_, now, told) => {
    expect(movedSince(approved, now)).toEqual(told.map((text) => expect.stringContaining(text)));
  });

  it("tells a policy that came in the meantime, and a first deploy", () => {
    const nothing = { ...approved, before: { spec: null, commit: null } };
    expect(movedSince(nothing, { spec: { egress: [] }, commit: later })).toEqual([
      expect.stringContaining(`from commit none when it was previewed, now from ${later}`),
      expect.stringContaining("a policy is live that was not there"),
    ]);
  });
});

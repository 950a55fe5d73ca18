import { describe, expect, it } from "vitest";
import { networkPolicy, type Plain, packConfig, runnerPolicy, runPack, UNKNOWN, urnOf } from "../support/policyPack.ts";

const run = (edit: (policy: Plain) => void = () => {}, ...others: Parameters<typeof runPack>[0][number][]) => {
  const policy = runnerPolicy("staging");
  edit(policy);
  return runPack([networkPolicy(policy), ...others], packConfig("staging"));
};
const wide = { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] };

describe("values that are unknown at preview", () => {
  it.each<[string, (policy: Plain) => void]>([
    ["spec.egress[3].to[0].ipBlock.cidr", (p) => (p.spec.egress[3].to[0].ipBlock.cidr = UNKNOWN)],
    ["spec.egress[4].to[0].ipBlock.except[2]", (p) => (p.spec.egress[4].to[0].ipBlock.except[2] = UNKNOWN)],
    ["spec.egress", (p) => (p.spec.egress = UNKNOWN)],
    ["spec.podSelector.matchLabels.app", (p) => (p.spec.podSelector.matchLabels.app = UNKNOWN)],
    ["metadata.namespace", (p) => (p.metadata.namespace = UNKNOWN)],
    ["spec", (p) => (p.spec = UNKNOWN)],
  ])("%s: never pass silently, and never as mere advice, and are said once", async (path, edit) => {
    const { fired, messages } = await run(edit);
    expect(fired).toEqual(["conclusive"]);
    expect(messages.conclusive).toHaveLength(1);
    for (const message of Object.values(messages).flat()) {
      expect(message).toMatch(new RegExp(`cannot conclude: .*${path.replace(/[[\].]/g, "\\$&")} is unknown until up`));
    }
  });

  it("do not matter where they have no say", async () => {
    const { fired } = await run((policy) => {
      policy.metadata.annotations = { a: UNKNOWN };
      policy.metadata.uid = UNKNOWN;
      policy.status = UNKNOWN;
    });
    expect(fired).toEqual([]);
  });

  it("of the selector do not matter in another namespace", async () => {
    const spec = { ...wide, podSelector: UNKNOWN };
    expect((await run(() => {}, networkPolicy({ metadata: { name: "x", namespace: "shop" }, spec }))).fired).toEqual(
      [],
    );
  });

  it("do not matter in a policy for other pods", async () => {
    const spec = { podSelector: { matchLabels: { app: "api" } }, egress: UNKNOWN };
    expect(
      (await run(() => {}, networkPolicy({ metadata: { name: "api", namespace: "keeperhub" }, spec }))).fired,
    ).toEqual([]);
  });

  it("matter in a policy that may select the runners, and what is known is judged all the same", async () => {
    const second = networkPolicy({
      metadata: { name: "second", namespace: "keeperhub" },
      spec: { podSelector: {}, egress: UNKNOWN },
    });
    const { messages } = await run((policy) => policy.spec.egress[4].to[0].ipBlock.except.splice(1, 1), second);
    expect(messages["private-reach"]).toEqual([expect.stringContaining("10.0.0.1:443/tcp")]);
    expect(messages.conclusive).toEqual([
      expect.stringContaining(
        "cannot conclude: NetworkPolicy keeperhub/second may select runner pods, and spec.egress is unknown",
      ),
    ]);
  });
});

describe("the resources of a plan", () => {
  it("are reported by their URN", async () => {
    const second = networkPolicy({ metadata: { name: "second", namespace: "keeperhub" }, spec: wide });
    const { messages, urns } = await run(() => {}, second);
    const message = messages["private-reach"]?.[0] ?? "";
    expect(message).toContain("rule 0 of keeperhub/second");
    expect(urns.get(message)).toBe(urnOf(second));
  });

  it("go where their provider puts them", async () => {
    const lost = { metadata: { name: "second" }, spec: wide };
    expect((await run(() => {}, networkPolicy(lost))).fired).toEqual([]);
    expect((await run(() => {}, networkPolicy(lost, { providerProps: { namespace: "keeperhub" } }))).fired).toEqual([
      "private-reach",
      "union",
    ]);
  });

  it.each(["namespace", "kubeconfig", "context"])(
    "may go where the runners are while the %s of their provider is unknown",
    async (setting) => {
      const lost = { metadata: { name: "second" }, spec: wide };
      const { messages } = await run(() => {}, networkPolicy(lost, { providerProps: { [setting]: UNKNOWN } }));
      expect(messages).toEqual({
        conclusive: [expect.stringContaining("may select runner pods, and metadata.namespace is unknown until up")],
      });
      const elsewhere = { metadata: { name: "second", namespace: "shop" }, spec: wide };
      const { fired } = await run(() => {}, networkPolicy(elsewhere, { providerProps: { [setting]: UNKNOWN } }));
      expect(fired).toEqual([]);
    },
  );

  it("may show nothing while their provider is unknown, which is told once", async () => {
    const second = networkPolicy({ metadata: { name: "second", namespace: "keeperhub" }, spec: { egress: UNKNOWN } });
    const early = await run(() => {}, second);
    expect(early.messages.conclusive).toEqual([expect.stringContaining("keeperhub/second may select runner pods")]);
    const hidden = { ...second, props: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" } };
    const { messages } = await run(() => {}, hidden);
    expect(messages).toEqual({
      conclusive: [expect.stringContaining("may select runner pods, and metadata, spec are unknown until up")],
    });
  });

  it("may be policies of the removed API version, which are not read", async () => {
    const old = networkPolicy(
      { apiVersion: "extensions/v1beta1", metadata: { name: "old", namespace: "keeperhub" }, spec: wide },
      { type: "kubernetes:extensions/v1beta1:NetworkPolicy" },
    );
    const { messages } = await run(() => {}, old);
    expect(messages.conclusive).toEqual([expect.stringContaining("only networking.k8s.io/v1 can be analysed")]);
  });

  const POLICIES = (...names: string[]) => ({ "NetworkPolicy/networking.k8s.io/v1": names });
  const release = (props: Plain) => ({ type: "kubernetes:helm.sh/v3:Release", name: "release", props });

  it.each([
    ["in another namespace", { name: "x", namespace: "shop" }, false],
    ["without policies", { name: "x", namespace: "keeperhub", resourceNames: { "Pod/v1": ["a/b"] } }, false],
    [
      "with policies",
      { name: "x", namespace: "keeperhub", resourceNames: { "NetworkPolicy.networking.k8s.io/v1": ["a"] } },
      true,
    ],
    ["elsewhere, with policies of its own", { name: "x", namespace: "shop", resourceNames: POLICIES("shop/a") }, false],
    ["elsewhere, with a policy here", { name: "x", namespace: "shop", resourceNames: POLICIES("keeperhub/a") }, true],
    [
      "elsewhere, with a policy for the whole cluster",
      { name: "x", namespace: "shop", resourceNames: { "ClusterNetworkPolicy/networking.k8s.aws/v1alpha1": ["a"] } },
      true,
    ],
    ["whose objects are unknown", { name: "x", namespace: "keeperhub", resourceNames: UNKNOWN }, true],
    ["in a namespace that is unknown", { name: "x", namespace: UNKNOWN }, true],
  ])("may be a Helm release %s", async (_, props, matters) => {
    const { messages } = await run(() => {}, release(props));
    expect(messages).toEqual(
      matters
        ? {
            conclusive: [
              expect.stringContaining(
                "cannot conclude: Helm release x may create NetworkPolicies for runner pods, and the plan does not show its objects",
              ),
            ],
          }
        : {},
    );
  });

  it("may be a list, whose policies are judged before they are written", async () => {
    const list = {
      type: "kubernetes:networking.k8s.io/v1:NetworkPolicyList",
      name: "list",
      props: { items: [{ ...networkPolicy({ metadata: { name: "x", namespace: "keeperhub" }, spec: wide }).props }] },
    };
    const { fired, urns } = await runPack([list], packConfig("staging"), { stack: false });
    expect(fired).toEqual(["private-reach"]);
    expect([...urns.values()]).toEqual([urnOf(list)]);
  });

  it("may be a list whose items are unknown", async () => {
    const { messages } = await run(() => {}, {
      type: "kubernetes:networking.k8s.io/v1:NetworkPolicyList",
      name: "list",
      props: { items: UNKNOWN },
    });
    expect(messages.conclusive).toEqual([expect.stringContaining("items is unknown until up")]);
  });

  it("that are no policies do not matter", async () => {
    expect(
      (await run(() => {}, { type: "aws:ec2/vpc:Vpc", name: "vpc", props: { cidrBlock: UNKNOWN } })).fired,
    ).toEqual([]);
  });
});

describe("patches", () => {
  const patch = (spec: Plain, name = "workflow-runner-block-imds") =>
    networkPolicy(
      { metadata: { name, namespace: "keeperhub" }, spec },
      { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name: "patch" },
    );

  it("replace members of the spec as a whole", async () => {
    const { messages } = await run(() => {}, patch({ egress: [] }));
    expect(messages["required-destinations"]?.length).toBeGreaterThan(3);
    expect(Object.keys(messages)).toEqual(["required-destinations"]);
    expect((await run(() => {}, patch({ podSelector: {} }))).fired).toEqual(["isolation"]);
  });

  it("are reported by their own URN", async () => {
    const bad = patch({ egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] });
    const { messages, urns } = await run(() => {}, bad);
    expect(urns.get(messages["private-reach"]?.[0] ?? "")).toBe(urnOf(bad));
  });

  it("of a policy beside the plan have to say all that matters", async () => {
    const all = { podSelector: { matchLabels: { app: "api" } }, policyTypes: ["Egress"], egress: [] };
    expect((await run(() => {}, patch(all, "api"))).fired).toEqual([]);
    const { policyTypes, ...some } = all;
    expect((await run(() => {}, patch(some, "api"))).messages.conclusive).toEqual([
      expect.stringContaining("spec.policyTypes is unknown until up"),
    ]);
  });

  it("with unknown values are not read", async () => {
    const { messages } = await run(() => {}, patch({ egress: UNKNOWN }));
    expect(messages.conclusive).toEqual([expect.stringContaining("spec.egress is unknown until up")]);
  });
});

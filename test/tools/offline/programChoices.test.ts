import { describe, expect, it } from "vitest";
import type { LiveObject } from "../../../tools/offline/clusterApi.ts";
import { readRecordedFacts, recordedFactsPath } from "../../../tools/offline/recordedFactsFile.ts";
import { COMPONENT, callsOf, errorsOf, only, POLICY, project, run, warningsOf } from "./support/runs.ts";

const metadata = { name: "workflow-runner-block-imds", namespace: "keeperhub", resourceVersion: "41" };

/** The policy that the clusters had before June 2026, applied with kubectl. */
const EARLIER: LiveObject = {
  metadata,
  spec: {
    podSelector: { matchLabels: { app: "workflow-runner" } },
    policyTypes: ["Egress"],
    egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } }] }],
  },
};

/** The policy as the stack registers it, on the cluster. */
async function applied(change: (spec: { egress: unknown[] }) => void = () => {}): Promise<LiveObject> {
  const { inputs } = only(await run("staging"), POLICY);
  const { annotations } = inputs.metadata as { annotations: Record<string, string> };
  const spec = structuredClone(inputs.spec) as { egress: unknown[] };
  change(spec);
  return { metadata: { ...metadata, annotations }, spec };
}

const DEPLOYED = { policyName: "workflow-runner-block-imds", namespace: "keeperhub" };

describe("a policy that is there already", { timeout: 60_000 }, () => {
  it("is taken over in place where the stack adopts it", async () => {
    const result = await run("staging", { live: [EARLIER], config: { "runner-egress:adopt": "true" } });
    expect(errorsOf(result)).toBe("");
    expect(only(result, POLICY).importId).toBe("keeperhub/workflow-runner-block-imds");
    expect(only(result, POLICY).inputs).toMatchObject({
      metadata: { annotations: { "pulumi.com/patchForce": "true" } },
    });
    expect(warningsOf(result)).toContain("takes it over in place");
  });

  it("stops the stack otherwise, before the policy is registered, and says what to set", async () => {
    const result = await run("staging", { live: [EARLIER] });
    expect(result.succeeded).toBe(false);
    expect(errorsOf(result)).toContain("runner-egress:adopt");
    expect(result.registrations.map(({ type }) => type)).not.toContain(POLICY);
    expect(result.registrations.map(({ type }) => type)).not.toContain(COMPONENT);
  });

  it("is left as it is where it is the stack's own", async () => {
    const result = await run("staging", { live: [await applied()], deployed: DEPLOYED });
    expect(result.diagnostics).toEqual([]);
    expect(only(result, POLICY)).toEqual(only(await run("staging"), POLICY));
  });

  it("is repaired where somebody appended a rule to it, and the warning says what that lets through", async () => {
    const live = await applied(({ egress }) => egress.push({ to: [{ ipBlock: { cidr: "10.1.7.7/32" } }] }));
    const result = await run("staging", { live: [live], deployed: DEPLOYED });
    expect(result.succeeded).toBe(true);
    expect(warningsOf(result)).toContain("10.1.7.7");
    const { annotations } = only(result, POLICY).inputs.metadata as { annotations: Record<string, string> };
    expect(annotations).not.toEqual(live.metadata.annotations);
  });
});

describe("the network", { timeout: 60_000 }, () => {
  it("gives the same result byte for byte, whatever the order in which AWS answers", async () => {
    const straight = await run("prod");
    const recorded = await readRecordedFacts(recordedFactsPath(project, "prod"));
    const reversed = await run("prod", {
      facts: { ...recorded, databaseSubnets: new Map([...recorded.databaseSubnets].reverse()) },
    });
    expect(JSON.stringify(reversed.registrations)).toBe(JSON.stringify(straight.registrations));
    expect(JSON.stringify(reversed.stackOutputs)).toBe(JSON.stringify(straight.stackOutputs));
  });

  it("stops the stack where the engine answers lookups with nothing, as it does for an unknown provider", async () => {
    const result = await run("prod", { answer: ({ token }) => (token.startsWith("aws:") ? {} : undefined) });
    expect(result.succeeded).toBe(false);
    expect(result.registrations.map(({ type }) => type)).not.toContain(POLICY);
    for (const key of [
      "runner-egress:vpc",
      "runner-egress:databaseSubnets",
      "runner-egress:cluster",
      "add-on vpc-cni",
    ]) {
      expect(errorsOf(result)).toContain(key);
    }
  });

  it("stops the stack where the policy would be ignored, unless that is acknowledged", async () => {
    const recorded = await readRecordedFacts(recordedFactsPath(project, "staging"));
    const facts = {
      ...recorded,
      vpcCni: { version: "v1.21.1-eksbuild.1", networkPolicyEnabled: false, ipv4Egress: true },
    };
    const refused = await run("staging", { facts });
    expect(refused.succeeded).toBe(false);
    expect(errorsOf(refused)).toContain("runner-egress:acknowledge.network-policy-disabled");

    const config = { "runner-egress:acknowledge": JSON.stringify({ "network-policy-disabled": "a test" }) };
    const accepted = await run("staging", { facts, config });
    expect(errorsOf(accepted)).toBe("");
    expect(warningsOf(accepted)).toContain("Acknowledged (network-policy-disabled): a test");
    expect(accepted.stackOutputs).toMatchObject({ facts: { addOn: { acknowledged: ["network-policy-disabled"] } } });
  });

  it("is not asked of EKS where the cluster is a kubeconfig context, and the policy is read through that", async () => {
    const config = {
      "runner-egress:cluster": JSON.stringify({ context: "tunnel", ipFamily: "ipv4" }),
      "runner-egress:acknowledge": JSON.stringify({ "vpc-cni-not-managed": "a test" }),
    };
    const result = await run("staging", { config, live: [EARLIER] });
    expect(callsOf(result.invocations).filter((call) => call.includes("eks"))).toEqual([]);
    expect(errorsOf(result)).toContain("NetworkPolicy keeperhub/workflow-runner-block-imds");
    const alone = await run("staging", { config });
    expect(errorsOf(alone)).toBe("");
    // Not the path in KUBECONFIG, which is another one on each machine.
    expect(only(alone, "pulumi:providers:kubernetes").inputs).toMatchObject({ context: "tunnel", kubeconfig: "" });
  });
});

describe("the config", { timeout: 60_000 }, () => {
  it("is reported with every problem at once, before anything is looked up", async () => {
    const result = await run("staging", {
      config: {
        "runner-egress:vpc": JSON.stringify({ id: "vpc-1", name: "techops-staging" }),
        "runner-egress:adopt": "yes",
        "runner-egress:destinatons": "{}",
        "aws:allowedAccountIds": JSON.stringify(["12"]),
      },
    });
    expect(result.succeeded).toBe(false);
    const errors = errorsOf(result);
    for (const key of [
      "runner-egress:vpc",
      "runner-egress:adopt",
      "runner-egress:destinatons",
      "aws:allowedAccountIds",
    ]) {
      expect(errors).toContain(key);
    }
    expect(errors).toContain("did you mean destinations?");
    expect(errors).not.toContain("    at ");
    expect(result.invocations).toEqual([]);
    expect(result.registrations.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
  });
});

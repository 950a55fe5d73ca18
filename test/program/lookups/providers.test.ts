import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { awsProvider, kubernetesProvider } from "../../../program/lookups/providers.ts";
import { stackConfig } from "../../support/awsAnswers.ts";

const registered: Record<string, unknown>[] = [];

beforeAll(() =>
  pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      registered.push(inputs);
      return { id: name, state: inputs };
    },
    call: () => ({}),
  }),
);

beforeEach(() => {
  registered.length = 0;
});

async function inputsOf(create: () => unknown): Promise<Record<string, unknown>> {
  create();
  await vi.waitFor(() => expect(registered).toHaveLength(1));
  return registered[0] ?? {};
}

it("asks AWS as the config says, in no other account", async () => {
  const allowedAccountIds = ["012345678901", "123456789012"];
  expect(await inputsOf(() => awsProvider({ region: "us-east-1", profile: "ops", allowedAccountIds }))).toMatchObject({
    region: "us-east-1",
    profile: "ops",
    allowedAccountIds: JSON.stringify(allowedAccountIds),
  });
});

it("leaves to AWS what the config leaves out", async () => {
  const inputs = await inputsOf(() => awsProvider({ region: "us-east-1" }));
  expect(inputs.region).toBe("us-east-1");
  expect([inputs.profile, inputs.allowedAccountIds]).toEqual([undefined, undefined]);
});

it.each([
  [{ eks: "techops" }, { kubeconfig: {} }, "eks/us-east-1/techops", "{}", undefined],
  [{ eks: "techops", context: "tunnel" }, { context: "tunnel" }, "eks/us-east-1/techops", "", "tunnel"],
  [{ context: "lab", ipFamily: "ipv4" }, { context: "lab" }, "context/lab", "", "lab"],
] as const)("knows the cluster %j by what does not change", async (cluster, reached, id, kubeconfig, context) => {
  vi.stubEnv("KUBECONFIG", "/one:/two");
  const inputs = await inputsOf(() => kubernetesProvider(stackConfig({ cluster }), reached));
  vi.unstubAllEnvs();
  expect(inputs.clusterIdentifier).toBe(id);
  expect(inputs.kubeconfig).toBe(kubeconfig);
  expect(inputs.context).toBe(context);
});

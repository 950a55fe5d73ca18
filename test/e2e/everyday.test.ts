import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, requirePolicy } from "./support/cluster.ts";
import { Network } from "./support/network.ts";
import { type ConfigEntries, configFor, Project, type Stack } from "./support/stack.ts";

const NAME = "e2e-everyday";
const PACK = ["--policy-pack", "policy-pack"];

describe("everyday edits of a stack's config, with the policy pack on", () => {
  let project: Project;
  let network: Network;
  let stack: Stack;
  let config: ConfigEntries;

  beforeAll(async () => {
    project = await Project.copy();
    [network] = await Promise.all([Network.create({ name: NAME, prefix: "10.66" }), createNamespace(NAME)]);
    config = configFor(network, NAME);
    stack = await project.stack("staging", config);
    await network.recordFacts(project, "staging");
    expect(await stack.up(...PACK)).toMatchObject({ status: 0 });
  });
  afterAll(() => project.remove());

  /** The blocks, labels and ports of the live rules, in one text. */
  const live = async () => JSON.stringify((await requirePolicy(NAME)).spec.egress);

  const EDITS: readonly (readonly [string, ConfigEntries, string])[] = [
    [
      "a new service, and a default destination less",
      {
        "runner-egress:destinations": {
          executor: null,
          services: { queue: { podLabels: { app: "queue" }, ports: ["5672/TCP"] } },
        },
      },
      '"app":"queue"',
    ],
    ["a database port", { "runner-egress:destinations": { database: { ports: ["6432/TCP"] } } }, "6432"],
    [
      "a tighter internet, an endpoint that must stay reachable",
      {
        "runner-egress:destinations": { internet: { ports: ["443/TCP"], except: ["140.82.112.0/20"] } },
        "runner-egress:mustReach": { endpoints: ["https://rpc.example.com"] },
      },
      "140.82.112.0/20",
    ],
  ];

  it.each(EDITS)("%s: one file, and previewed and deployed", async (_, edit, told) => {
    await stack.configure({ "runner-egress:mustReach": undefined, ...edit });
    const up = await stack.up(...PACK);
    expect(up.status, up.output).toBe(0);
    expect(up.output).not.toContain("warning");
    expect(await live()).toContain(told);
  });

  it("a renamed policy with its acknowledgement is previewed, and without it refused", async () => {
    const runner = { namespace: NAME, policyName: "runner-egress" };
    await stack.configure({ "runner-egress:runner": runner });
    expect((await stack.preview(...PACK)).output).toContain("runner-egress:acknowledge.policy-identity-change");
    const acknowledge = { "policy-identity-change": { reason: "TECH-440", expires: "9999-12-31" } };
    await stack.configure({ "runner-egress:acknowledge": acknowledge });
    const preview = await stack.preview(...PACK);
    expect(preview.status, preview.output).toBe(0);
    await stack.configure({ ...config, "runner-egress:acknowledge": undefined });
  });

  const UNSAFE: readonly (readonly [string, ConfigEntries, string])[] = [
    [
      "a metadata address",
      { cidrs: { imds: { cidrs: ["169.254.169.254/32"], ports: ["80/TCP"] } } },
      "runner-egress:destinations.cidrs.imds: it breaks the guardrail metadata-endpoints",
    ],
    [
      "a private block of nobody knows whom",
      { cidrs: { data: { cidrs: ["10.200.0.0/16"], ports: ["443/TCP"] } } },
      'runner-egress:destinations.cidrs.data.cidrs is "10.200.0.0/16": is private and lies in no block of the VPC',
    ],
  ];

  it.each(UNSAFE)(
    "%s as a destination is refused with the key, and nothing is touched",
    async (_, destinations, told) => {
      const [policy, state] = [await requirePolicy(NAME), await stack.state()];
      await stack.configure({ "runner-egress:destinations": destinations });
      for (const outcome of [await stack.preview(...PACK), await stack.up(...PACK)]) {
        expect(outcome.status).not.toBe(0);
        expect(outcome.output.replace(/\s+/g, " ")).toContain(told);
      }
      expect(await requirePolicy(NAME)).toEqual(policy);
      expect(await stack.state()).toEqual(state);
      await stack.configure({ "runner-egress:destinations": undefined });
    },
  );

  it("a stack without recorded facts is refused by the pack with the command that records them", async () => {
    const dev = await project.stack("dev", config);
    const preview = await dev.preview(...PACK);
    expect(preview.status).not.toBe(0);
    expect(preview.output.replace(/\s+/g, " ")).toContain("npm run record -- --stack dev");
    expect(await dev.state()).toEqual([]);
  });
});

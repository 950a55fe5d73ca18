import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, kubectl, livePolicy, requirePolicy } from "./support/cluster.ts";
import { Network } from "./support/network.ts";
import { Project, type Stack } from "./support/stack.ts";

const STACKS = [
  { name: "staging", region: "us-east-1", prefix: "10.1", namespace: "keeperhub" },
  // In this cluster, which is the only one, the other stack has keeperhub already.
  { name: "prod", region: "us-east-2", prefix: "10.0", namespace: "keeperhub-prod" },
];

describe("the stacks of this repository, from nothing", () => {
  let project: Project;
  const stacks = new Map<string, Stack>();
  beforeAll(async () => {
    project = await Project.copy();
  });
  afterAll(() => project.remove());

  it.each(STACKS)("$name comes up as its own preview says", async ({ name, region, prefix, namespace }) => {
    const [network] = await Promise.all([
      Network.create({ name: `techops-${name}`, region, prefix }),
      createNamespace(namespace),
    ]);
    const stack = await project.stack(name, {
      "runner-egress:cluster": { eks: network.name, context: process.env.E2E_CONTEXT },
      "runner-egress:runner": { namespace },
    });
    stacks.set(name, stack);
    await network.recordFacts(project, name);

    const preview = await stack.preview();
    expect(preview.output).toContain("+ 5 to create");
    expect(preview.status).toBe(0);
    expect(await livePolicy(namespace)).toBeUndefined();

    const up = await stack.up();
    expect(up.output).toContain("+ 5 created");
    expect(up.output).not.toContain("warning");
    expect(up.status).toBe(0);

    const { spec } = await requirePolicy(namespace);
    expect(spec.podSelector).toEqual({ matchLabels: { app: "workflow-runner" } });
    expect(spec.policyTypes).toEqual(["Egress"]);
    expect(spec.egress.map(({ ports = [] }) => ports.map(({ port, protocol }) => `${port}/${protocol}`))).toEqual([
      ["53/TCP", "53/UDP"],
      ["8787/TCP"],
      ["3080/TCP"],
      ["5432/TCP"],
      [],
    ]);
    expect(spec.egress[3]?.to).toEqual([100, 101, 102].map((n) => ({ ipBlock: { cidr: `${prefix}.${n}.0/24` } })));
    expect(spec.egress[4]?.to).toMatchObject([
      { ipBlock: { cidr: "0.0.0.0/0", except: expect.arrayContaining(["10.0.0.0/8", "169.254.0.0/16"]) } },
      { ipBlock: { cidr: "::/0", except: ["fc00::/7", "fe80::/10"] } },
    ]);
  });

  it.each(STACKS)("$name says in its outputs what the rules rest on", async ({ name, region, prefix, namespace }) => {
    expect(await stacks.get(name)?.outputs()).toMatchObject({
      policyName: "workflow-runner-block-imds",
      namespace,
      facts: {
        vpc: { region, ipv4Cidrs: [`${prefix}.0.0/16`], ipv6Cidrs: [] },
        databaseSubnets: expect.arrayContaining([expect.objectContaining({ cidrs: [`${prefix}.100.0/24`] })]),
        cluster: { name: `techops-${name}`, ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
        addOn: { version: "v1.21.1-eksbuild.1", networkPolicyEnabled: true },
      },
    });
  });

  it.each(STACKS)(
    "$name has nothing to change in a second preview, with and without a look at the cluster",
    async ({ name }) => {
      for (const args of [[], ["--refresh"]]) {
        const { status, output } = await (stacks.get(name) as Stack).preview("--expect-no-changes", ...args);
        expect(output).toContain("5 unchanged");
        expect(status).toBe(0);
      }
    },
  );

  it.each(STACKS)("$name is protected: destroy is refused and removes nothing", async ({ name, namespace }) => {
    const stack = stacks.get(name) as Stack;
    const [policy, state] = [await requirePolicy(namespace), await stack.state()];
    const { status, output } = await stack.destroy();
    expect(status).not.toBe(0);
    expect(output).toMatch(/protect/);
    expect(await requirePolicy(namespace)).toEqual(policy);
    expect(await stack.state()).toEqual(state);
  });

  it("gives offline manifests that the API server accepts, too", async () => {
    const manifests = await project.mustRun("npm", ["start", "--silent", "--", "--output", "yaml"]);
    const { status, output } = await kubectl(["apply", "--dry-run=server", "-f", "-"], manifests);
    expect(output.match(/workflow-runner-block-imds .*server dry run/g)).toHaveLength(STACKS.length);
    expect(status).toBe(0);
  });
});

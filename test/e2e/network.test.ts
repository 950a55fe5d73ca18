import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EgressPolicySpec } from "../../rules/networkPolicy.ts";
import { requirePolicy } from "./support/cluster.ts";
import type { Network } from "./support/network.ts";
import { Project, type Stack } from "./support/stack.ts";
import { createWorld } from "./support/world.ts";

const NAME = "e2e-network";
const POLICY = "NetworkPolicy::runner-egress-policy";

describe("a network that changes under the policy", () => {
  let project: Project;
  let network: Network;
  let stack: Stack;
  beforeAll(async () => {
    project = await Project.copy();
    ({ network, stack } = await createWorld(project, { name: NAME, prefix: "10.40" }));
    expect(await stack.up()).toMatchObject({ status: 0 });
  });
  afterAll(() => project.remove());

  /** The spec before and after, where a preview changes the policy and, but for outputs and inputs shown, nothing else. */
  async function plannedChange(): Promise<{ before: EgressPolicySpec; after: EgressPolicySpec }> {
    const steps = await stack.changes();
    expect(
      steps.map(({ op, urn }) => `${op} ${urn.split("::").slice(-2).join("::")}`).filter((s) => s.includes("Policy")),
    ).toEqual([expect.stringMatching(/^update .*NetworkPolicy::runner-egress-policy$/)]);
    expect(steps.map(({ op }) => op)).not.toEqual(expect.arrayContaining(["replace"]));
    const step = steps.find(({ urn }) => urn.endsWith(POLICY));
    return {
      before: step?.oldState?.inputs.spec as EgressPolicySpec,
      after: step?.newState?.inputs.spec as EgressPolicySpec,
    };
  }

  const blocks = (spec: EgressPolicySpec) =>
    spec.egress.flatMap(({ to }, rule) =>
      to.flatMap((peer) =>
        "ipBlock" in peer
          ? [
              `rule ${rule} to ${peer.ipBlock.cidr}`,
              ...(peer.ipBlock.except ?? []).map((cidr) => `rule ${rule} except ${cidr}`),
            ]
          : [],
      ),
    );

  async function expectOnly(change: { added?: string[]; removed?: string[] }): Promise<void> {
    const { before, after } = await plannedChange();
    const [old, current] = [blocks(before), blocks(after)];
    expect(current.filter((block) => !old.includes(block))).toEqual(change.added ?? []);
    expect(old.filter((block) => !current.includes(block))).toEqual(change.removed ?? []);
    const withoutBlocks = (spec: EgressPolicySpec) => ({ ...spec, egress: spec.egress.map(({ ports }) => ports) });
    expect(withoutBlocks(after)).toEqual(withoutBlocks(before));
    expect(await stack.up()).toMatchObject({ status: 0 });
    expect((await requirePolicy(NAME)).spec).toEqual(after);
    expect(await stack.preview("--expect-no-changes")).toMatchObject({ status: 0 });
  }

  it("by a new database subnet allows that one too, and nothing else", async () => {
    await network.addDatabaseSubnet("10.40.103.0/24");
    const { output } = await stack.preview("--diff");
    expect(output).toMatch(/\+ .*10\.40\.103\.0\/24/);
    await expectOnly({ added: ["rule 3 to 10.40.103.0/24"] });
  });

  it("by a secondary block of public addresses excepts that one too, and nothing else", async () => {
    const association = await network.associate("44.32.0.0/16");
    await expectOnly({ added: ["rule 4 except 44.32.0.0/16"] });
    await network.disassociate(association);
    await expectOnly({ removed: ["rule 4 except 44.32.0.0/16"] });
  });

  it("by a secondary block that is excepted already changes the facts and not the rules", async () => {
    await network.associate("100.64.0.0/16");
    const steps = await stack.changes();
    expect(steps.filter(({ urn }) => urn.endsWith(POLICY))).toEqual([]);
    expect(await stack.up()).toMatchObject({ status: 0 });
    expect(await stack.outputs()).toMatchObject({ facts: { vpc: { ipv4Cidrs: ["10.40.0.0/16", "100.64.0.0/16"] } } });
  });
});

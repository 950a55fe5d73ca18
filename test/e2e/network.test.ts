import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EgressPolicySpec } from "../../runner/networkPolicy.ts";
import { requirePolicy } from "./support/cluster.ts";
import type { Network } from "./support/network.ts";
import { listUnder, Project, type Stack } from "./support/stack.ts";
import { createWorld } from "./support/world.ts";

const NAME = "e2e-network";
/** The end of the policy's URN. */
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

  /**
   * A preview plans this one change and tells it in words; an update makes it, and then there is nothing to do.
   *
   * @param told what the preview says that changes
   * @param blocks blocks that the plan adds and takes away
   */
  async function expectChange(told: string, blocks: { added?: string[]; removed?: string[] }): Promise<void> {
    const preview = await stack.preview();
    expect(listUnder("against the live policy, this changes:", preview.output)).toEqual([told]);
    expect(preview.status).toBe(0);

    const steps = await stack.changes();
    expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(["update"]));
    const policy = steps.find(({ urn }) => urn.endsWith(POLICY));
    const before = policy?.oldState?.inputs.spec as EgressPolicySpec;
    const after = policy?.newState?.inputs.spec as EgressPolicySpec;
    const [old, current] = [blocksOf(before), blocksOf(after)];
    expect(current.filter((block) => !old.includes(block))).toEqual(blocks.added ?? []);
    expect(old.filter((block) => !current.includes(block))).toEqual(blocks.removed ?? []);
    expect(withoutBlocks(after)).toEqual(withoutBlocks(before));

    expect(await stack.up()).toMatchObject({ status: 0 });
    expect((await requirePolicy(NAME)).spec).toEqual(after);
    expect(await stack.preview("--expect-no-changes")).toMatchObject({ status: 0 });
  }

  it("by a new database subnet allows that one too, and nothing else", async () => {
    await network.addDatabaseSubnet("10.40.103.0/24");
    await expectChange("it also allows 10.40.103.0/24 on 5432/TCP (10.0.0.0/8, private use (RFC 1918))", {
      added: ["rule 3 to 10.40.103.0/24"],
    });
  });

  it("by a secondary block of public addresses excepts that one too, as long as it is associated", async () => {
    const association = await network.associate("44.32.0.0/16");
    const except = "rule 4 except 44.32.0.0/16";
    await expectChange("it does not allow 44.32.0.0/16 on every port (public internet)", { added: [except] });
    await network.disassociate(association);
    await expectChange("it also allows 44.32.0.0/16 on every port (public internet)", { removed: [except] });
  });

  it("by a secondary block that is excepted already changes the facts and not the rules", async () => {
    await network.associate("100.64.0.0/16");
    const steps = await stack.changes();
    expect(steps.filter(({ urn }) => urn.endsWith(POLICY))).toEqual([]);
    expect(await stack.up()).toMatchObject({ status: 0 });
    expect(await stack.outputs()).toMatchObject({ facts: { vpc: { ipv4Cidrs: ["10.40.0.0/16", "100.64.0.0/16"] } } });
  });
});

/** Each block of a spec with its rule. */
function blocksOf({ egress }: EgressPolicySpec): string[] {
  return egress.flatMap(({ to }, index) =>
    to.flatMap((peer) => {
      if (!("ipBlock" in peer)) {
        return [];
      }
      const { cidr, except = [] } = peer.ipBlock;
      return [`rule ${index} to ${cidr}`, ...except.map((block) => `rule ${index} except ${block}`)];
    }),
  );
}

/** Everything else of a spec. */
function withoutBlocks({ egress, ...spec }: EgressPolicySpec): unknown {
  return {
    ...spec,
    egress: egress.map(({ to, ports }) => ({ ports, pods: to.filter((peer) => !("ipBlock" in peer)) })),
  };
}

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { editPolicy, kubectl, livePolicy, POLICY_NAME, patchPolicy, requirePolicy } from "./support/cluster.ts";
import { listUnder, Project, type Stack } from "./support/stack.ts";
import { createWorld } from "./support/world.ts";

const NAME = "e2e-drift";

/** How a preview begins to tell what it found. */
const WARNING = "somebody changed it since this stack applied it";

/** The rules, in the order of the policy. */
const SANDBOX = 1;
const DATABASE = 3;

describe("a policy that somebody changes by hand", () => {
  let project: Project;
  let stack: Stack;
  let applied: Awaited<ReturnType<typeof requirePolicy>>;
  beforeAll(async () => {
    project = await Project.copy();
    ({ stack } = await createWorld(project, { name: NAME, prefix: "10.30" }));
    expect(await stack.up()).toMatchObject({ status: 0 });
    applied = await requirePolicy(NAME);
  });
  afterAll(() => project.remove());

  /** A plain `up` puts everything back, in the same object, and then there is nothing to do. */
  async function expectRepair(): Promise<void> {
    const up = await stack.up();
    expect(up.output).toMatch(/~ 2 updated/);
    expect(up.status).toBe(0);
    const repaired = await requirePolicy(NAME);
    expect(repaired.spec).toEqual(applied.spec);
    expect(repaired.metadata.uid).toBe(applied.metadata.uid);
    const after = await stack.preview("--expect-no-changes", "--refresh");
    expect(after.output).toContain("5 unchanged");
    expect(after.output).not.toContain(WARNING);
    expect(after.status).toBe(0);
  }

  it("with kubectl edit is found by the refresh of a drift check and repaired by up", async () => {
    await editPolicy(NAME, "port: 5432", "port: 22");
    const { status, output } = await stack.preview("--refresh", "--expect-no-changes");
    expect(status).not.toBe(0);
    expect(output).toMatch(/no changes were expected.* but changes were proposed/);
    expect(output).toContain("[diff: ~metadata,spec]");
    await expectRepair();
  });

  it.each([
    {
      what: "a rule",
      operation: { op: "add", path: "/spec/egress/-", value: { to: [{ ipBlock: { cidr: "10.30.7.7/32" } }] } },
      shown: "it also allows 10.30.7.7/32 on every port",
    },
    {
      what: "a peer",
      operation: { op: "add", path: `/spec/egress/${DATABASE}/to/-`, value: { ipBlock: { cidr: "10.30.8.0/24" } } },
      shown: "it also allows 10.30.8.0/24 on 5432/TCP",
    },
    {
      what: "a port",
      operation: { op: "add", path: `/spec/egress/${SANDBOX}/ports/-`, value: { protocol: "TCP", port: 22 } },
      shown: " on 22/TCP",
    },
  ])("by appending $what is shown by a plain preview as what it lets through", async ({ operation, shown }) => {
    await patchPolicy(NAME, [operation]);
    const { status, output } = await stack.preview();
    expect(status).toBe(0);
    expect(listUnder(WARNING, output)).toEqual([expect.stringContaining(shown)]);
    expect(output).toMatch(/~ 2 to update/);
    await expectRepair();
  });

  it("so that a block is no longer excepted is shown as what it lets through", async () => {
    const except = applied.spec.egress[4]?.to[0];
    const index = except && "ipBlock" in except ? except.ipBlock.except?.indexOf("169.254.0.0/16") : -1;
    await patchPolicy(NAME, [{ op: "remove", path: `/spec/egress/4/to/0/ipBlock/except/${index}` }]);
    const { output } = await stack.preview();
    expect(listUnder(WARNING, output)).toEqual([
      expect.stringMatching(
        /^it also allows 169\.254\.0\.0\/16 on every port \(EC2 instance metadata \(IMDS\) 169\.254\.169\.254; /,
      ),
    ]);
    await expectRepair();
  });

  it("by deleting it is told by a plain preview, and up --refresh creates it again", async () => {
    await kubectl(["-n", NAME, "delete", "networkpolicy", POLICY_NAME]);
    const { output } = await stack.preview();
    expect(output).toContain("somebody deleted it");
    expect(output).toContain("pulumi up --refresh");
    const up = await stack.up("--refresh");
    expect(up.status).toBe(0);
    expect((await livePolicy(NAME))?.spec).toEqual(applied.spec);
    const after = await stack.preview("--expect-no-changes");
    expect(after.output).not.toContain("warning");
    expect(after.status).toBe(0);
  });
});

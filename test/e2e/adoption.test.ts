import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { earlierManifest, kubectl, requirePolicy } from "./support/cluster.ts";
import { Project } from "./support/stack.ts";
import { createWorld, type World } from "./support/world.ts";

const NAME = "e2e-adoption";

describe("the policy that kubectl applied before this stack existed", () => {
  let project: Project;
  let world: World;
  beforeAll(async () => {
    project = await Project.copy();
    world = await createWorld(project, { name: NAME, prefix: "10.20" });
    expect(await kubectl(["apply", "-f", "-"], earlierManifest(NAME))).toMatchObject({ status: 0 });
  });
  afterAll(() => project.remove());

  it.each(["preview", "up"] as const)(
    "stops %s without the switch, which the error names; nothing is written",
    async (command) => {
      const before = await requirePolicy(NAME);
      const { status, output } = await world.stack[command]();
      expect(status).not.toBe(0);
      expect(output).toContain("error");
      expect(output).toContain("pulumi config set adopt true");
      expect(await requirePolicy(NAME)).toEqual(before);
      expect(await world.stack.state()).toEqual([]);
    },
  );

  it("is shown with the switch as an import and what it lets through until then", async () => {
    await world.stack.configure({ "runner-egress:adopt": true });
    const { status, output } = await world.stack.preview();
    expect(output).toMatch(/= 1 to import/);
    expect(output).not.toMatch(/to delete|to replace/);
    expect(output).toContain("takes it over in place");
    expect(output).toMatch(/this changes:.*it does not allow .* on every port/s);
    expect(status).toBe(0);
  });

  it("is taken over in place: the same object with the stack's rules, and nothing left of kubectl", async () => {
    const before = await requirePolicy(NAME);
    const up = await world.stack.up();
    expect(up.output).toMatch(/= 1 imported/);
    expect(up.status).toBe(0);
    const after = await requirePolicy(NAME);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.spec.egress).toHaveLength(5);
    expect(after.spec.egress[4]?.to[0]).toMatchObject({
      ipBlock: { cidr: "0.0.0.0/0", except: expect.arrayContaining(["10.0.0.0/8", "169.254.0.0/16"]) },
    });
    expect(after.metadata.managedFields.map(({ manager }) => manager).join()).not.toMatch(/kubectl/);
  });

  it("needs nothing more, with the switch or without it", async () => {
    const kept = await world.stack.preview("--expect-no-changes");
    expect(kept.output).toContain("5 unchanged");
    expect(kept.output).not.toMatch(/warning/);
    expect(kept.status).toBe(0);
    await world.stack.configure({ "runner-egress:adopt": undefined });
    const dropped = await world.stack.preview("--expect-no-changes", "--refresh");
    expect(dropped.output).toContain("5 unchanged");
    expect(dropped.status).toBe(0);
  });

  it("that the state has lost is told at preview, and adopted again", async () => {
    const before = await requirePolicy(NAME);
    await project.mustRun("pulumi", ["stack", "rm", NAME, "--yes", "--force", "--preserve-config"]);
    await world.stack.init();
    const told = await world.stack.preview();
    expect(told.output).toContain("the state was lost or made anew");
    expect(told.output).toContain("runner-egress:adopt: true");
    expect(told.status).not.toBe(0);
    await world.stack.configure({ "runner-egress:adopt": true });
    expect(await world.stack.up()).toMatchObject({ status: 0 });
    expect((await requirePolicy(NAME)).metadata.uid).toBe(before.metadata.uid);
  });

  it("is not taken from another stack by accident", async () => {
    const other = await project.stack("e2e-adoption-other", {
      "aws:region": world.network.region,
      "runner-egress:vpc": { name: NAME },
      "runner-egress:databaseSubnets": { subnetGroup: `${NAME}-db` },
      "runner-egress:cluster": { eks: NAME, context: process.env.E2E_CONTEXT },
      "runner-egress:runner": { namespace: NAME },
    });
    const { status, output } = await other.up();
    expect(status).not.toBe(0);
    expect(output).toContain(`it belongs to the stack runner-egress/${NAME}`);
    expect(await other.state()).toEqual([]);
  });
});

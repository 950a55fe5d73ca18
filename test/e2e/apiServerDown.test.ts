import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requirePolicy } from "./support/cluster.ts";
import { mustRun } from "./support/command.ts";
import { Project, type Stack } from "./support/stack.ts";
import { createWorld } from "./support/world.ts";

const NAME = "e2e-down";

describe("an API server that does not answer", () => {
  let project: Project;
  let stack: Stack;
  let away: Readonly<Record<string, string>>;
  beforeAll(async () => {
    project = await Project.copy();
    ({ stack } = await createWorld(project, { name: NAME, prefix: "10.70" }));
    expect(await stack.up()).toMatchObject({ status: 0 });
    const kubeconfig = await mustRun("kubectl", ["config", "view", "--minify", "--flatten"]);
    const path = join(project.directory, "kubeconfig");
    // Nothing listens on port 1.
    await writeFile(path, kubeconfig.replace(/server: \S+/, "server: https://127.0.0.1:1"));
    away = { KUBECONFIG: path };
    expect(await readFile(path, "utf8")).toContain("127.0.0.1:1");
  });
  afterAll(() => project.remove());

  it.each(["preview", "up"] as const)(
    "stops %s with an error that names it, and leaves everything as it is",
    async (command) => {
      const [policy, state] = [await requirePolicy(NAME), await stack.state()];
      const { status, output } = await stack.with(away)[command]();
      expect(output).toContain("the API server can't be reached");
      expect(output).toContain("ECONNREFUSED");
      expect(output).toContain("runner-egress:cluster");
      expect(status).not.toBe(0);
      expect(await requirePolicy(NAME)).toEqual(policy);
      expect(await stack.state()).toEqual(state);
    },
  );

  it("is nothing to repair once it answers again", async () => {
    const { status, output } = await stack.preview("--expect-no-changes", "--refresh");
    expect(output).toContain("5 unchanged");
    expect(status).toBe(0);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { egressProcess } from "../../support/cli.ts";
import { useFixtureStacks } from "../../support/fixtureProject.ts";

it("verify --stack takes the stack's targets wherever in the project it runs", async () => {
  const project = mkdtempSync(join(tmpdir(), "targets-"));
  onTestFinished(() => rmSync(project, { recursive: true }));
  await cp("Pulumi.yaml", join(project, "Pulumi.yaml"));
  await useFixtureStacks(project);
  writeFileSync(join(project, "verify.staging.yaml"), "hosts: none\n");
  mkdirSync(join(project, "below"));
  for (const [folder, file] of [
    [".", "verify.staging.yaml"],
    ["below", "../verify.staging.yaml"],
  ] as const) {
    const { code, stderr } = await egressProcess(["verify", "--stack", "staging", "--dry-run"], {
      cwd: join(project, folder),
      env: { KUBECONFIG: "/nowhere" },
    });
    // The file is wrong, so it was read.
    expect(stderr).toMatch(new RegExp(`targets from ${file}\n[^]*hosts`));
    expect(code).toBe(3);
  }
});

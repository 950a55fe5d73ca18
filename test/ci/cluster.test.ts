import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandAccessTo, plannedCluster } from "../../ci/steps/cluster.ts";
import type { StackPlan } from "../../tools/review/plan.ts";

const KUBECONFIG = JSON.stringify({ clusters: [], users: [], contexts: [] });

/** A plan with a Kubernetes provider for each of the given inputs. */
function plan(...providers: Record<string, unknown>[]): StackPlan {
  const type = "pulumi:providers:kubernetes";
  const resources = providers.map((inputs, index) => ({
    urn: `urn:pulumi:prod::runner-egress::${type}::kubernetes${index}`,
    type,
    operations: ["same"],
    before: undefined,
    after: { inputs, outputs: {} },
  }));
  const none = { isComplete: true, changes: {}, findings: [], packs: [], judged: new Map(), errors: [], warnings: [] };
  return { stack: "prod", resources, ...none };
}

it.each([
  ["a kubeconfig", [{ kubeconfig: KUBECONFIG }], { kubeconfig: KUBECONFIG }],
  ["a context of the user's own", [{ context: "prod" }], { context: "prod" }],
  ["nothing that is known yet", [{ kubeconfig: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }], undefined],
  ["a secret", [{ kubeconfig: { "4dabf18193072939515e22adb298388d": "x" } }], undefined],
  ["neither", [{}], undefined],
  ["no provider", [], undefined],
  ["two providers", [{ context: "prod" }, { context: "staging" }], undefined],
])("the cluster of a plan with %s", (_, providers, cluster) => {
  expect(plannedCluster(plan(...providers))).toEqual(cluster);
});

it("a context is handed to commands, a kubeconfig becomes a file that nobody else may read", () => {
  const folder = mkdtempSync(join(tmpdir(), "runner-egress-"));
  try {
    expect(commandAccessTo({ context: "prod" }, folder, "prod")).toEqual({ context: "prod", env: {} });
    const { context, env } = commandAccessTo({ kubeconfig: KUBECONFIG }, folder, "prod");
    expect(context).toBeUndefined();
    const path = env.KUBECONFIG as string;
    expect(readFileSync(path, "utf8")).toBe(KUBECONFIG);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

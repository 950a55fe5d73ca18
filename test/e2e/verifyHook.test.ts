import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeCluster, kubeconfigFor, startFakeCluster } from "../support/fakeCluster.ts";
import { goodLog, probes, withPods } from "../support/fakeProbes.ts";
import { healthyServices, snapshot, stackPolicyObject } from "../support/verifyCluster.ts";

/*
 * The hook on the real engine. The policy is applied to the suite's own API server; the hook verifies on a fake one, whose
 * probes say what the test wants, because nothing runs pods here.
 */

const ROOT = resolve(import.meta.dirname, "../..");
const NAMESPACE = "keeperhub-hook";

let folder: string;
let cluster: FakeCluster;
let isOpen = false;

const run = async (command: string, args: readonly string[]) => {
  const env = {
    ...process.env,
    PATH: [join(ROOT, "node_modules/.bin"), process.env.PATH].join(delimiter),
    HOOK_KUBECONFIG: join(folder, "kubeconfig"),
  };
  return promisify(execFile)(command, [...args], { cwd: folder, env }).then(
    ({ stdout }) => ({ isDone: true, output: stdout }),
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ isDone: false, output: `${stdout}${stderr}` }),
  );
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "egress-verify-hook-"));
  const log: typeof goodLog = (role, targets) =>
    goodLog(role, targets).replaceAll("timeout", isOpen ? "connected" : "timeout");
  const policy = stackPolicyObject();
  const live = { ...policy, metadata: { ...policy.metadata, namespace: NAMESPACE } };
  const elsewhere = { configMap: undefined, agent: undefined };
  cluster = await startFakeCluster(
    snapshot({ enforcer: elsewhere, networkPolicies: [live] as never }),
    healthyServices(),
    withPods(probes(log)),
  );

  // One file with both clusters, the suite's first.
  const suite = load(readFileSync(process.env.KUBECONFIG as string, "utf8")) as Record<string, unknown[]>;
  const fake = kubeconfigFor(cluster.server);
  const both = {
    ...suite,
    clusters: [...(suite.clusters ?? []), ...fake.clusters],
    users: [...(suite.users ?? []), ...fake.users],
    contexts: [...(suite.contexts ?? []), ...fake.contexts],
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(both));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "hook", type: "module", main: "index.ts" }));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: hook\nruntime: {name: nodejs, options: {typescript: false}}\n");
  writeFileSync(join(folder, "index.ts"), program());
  await run("kubectl", ["create", "namespace", NAMESPACE]);
  await run("pulumi", ["stack", "init", "hook"]);
});

afterAll(async () => {
  await run("pulumi", ["destroy", "--yes", "--skip-preview"]);
  await run("kubectl", ["delete", "namespace", NAMESPACE, "--wait=false"]);
  await cluster.close();
  rmSync(folder, { recursive: true });
});

function program(): string {
  const from = (path: string) => JSON.stringify(join(ROOT, path));
  return `
import { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { RunnerEgress } from ${from("components/runnerEgress.ts")};
import { KEEPERHUB_CONTRACT } from ${from("runner/contract.ts")};
import { verifyAfterwards } from ${from("tools/verify/resourceHook.ts")};

const provider = new Provider("cluster", {});
process.env.KUBECONFIG = process.env.HOOK_KUBECONFIG;
const targets = { targets: [{ name: "database", to: "10.1.100.10:5432" }, { name: "public", to: "1.1.1.1:443" }] };
new RunnerEgress(
  "runner-egress",
  {
    contract: { ...KEEPERHUB_CONTRACT, namespace: ${JSON.stringify(NAMESPACE)} },
    facts: {
      vpc: { id: "vpc-1", region: "us-east-1", ipv4Cidrs: ["10.1.0.0/16"], ipv6Cidrs: [] },
      databaseSubnets: [{ id: "subnet-1", cidrs: ["10.1.100.0/24"] }],
      cluster: { name: "staging", ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
      addOn: { networkPolicyEnabled: true, acknowledged: [] },
    },
    annotations: { turn: new pulumi.Config().get("turn") ?? "1" },
  },
  { provider, protect: false, transforms: [verifyAfterwards({ context: "fake", targets, timing: { converge: 1, hold: 1 } })] },
);
`;
}

describe("the resource hook", () => {
  it("verifies after the policy was created, and lets the update pass", async () => {
    const { isDone, output } = await run("pulumi", ["up", "--yes", "--skip-preview", "--color", "never"]);
    expect(isDone, output).toBe(true);
    expect(output).toContain(`${NAMESPACE}/workflow-runner-block-imds: verified`);
  });

  it("does not run where nothing changed", async () => {
    isOpen = true;
    const { isDone, output } = await run("pulumi", ["up", "--yes", "--skip-preview", "--color", "never"]);
    expect(isDone, output).toBe(true);
    expect(output).not.toContain("verified");
  });

  it("fails an update after which the cluster does not enforce the policy, with the report", async () => {
    isOpen = true;
    await run("pulumi", ["config", "set", "turn", "2"]);
    const { isDone, output } = await run("pulumi", ["up", "--yes", "--skip-preview", "--color", "never"]);
    expect(isDone).toBe(false);
    expect(output).toContain(`${NAMESPACE}/workflow-runner-block-imds: contradicted`);
    expect(output).toMatch(
      /after hook "egress-verify" failed: the policy is applied, but egress verify was contradicted/,
    );
  });
});

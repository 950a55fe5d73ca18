import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/fixtureProject.ts";
import { createNamespace, earlierManifest } from "./support/cluster.ts";
import { mustRun, run } from "./support/command.ts";

const NAME = "e2e-live";
const CONTEXT = process.env.E2E_CONTEXT ?? "";
const FILE = join(ROOT, "access", "kubernetes-analyse.yaml");

interface Role {
  readonly rules?: readonly { readonly resources: readonly string[] }[];
}

let folder: string;
let KUBECONFIG: string;

/** Applies the file of access/ without one resource. */
async function grant(without?: string): Promise<void> {
  const items = loadAll(readFileSync(FILE, "utf8")).map((document) => {
    const { rules, ...rest } = document as Role;
    const left = rules?.map((rule) => ({ ...rule, resources: rule.resources.filter((name) => name !== without) }));
    return { ...rest, ...(left && { rules: left.filter(({ resources }) => resources.length > 0) }) };
  });
  await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
}

/** A running pod, as far as anybody can tell from the API. */
async function createPod(name: string, labels: object, podIP: string): Promise<void> {
  const metadata = { name, namespace: NAME, labels };
  const spec = { containers: [{ name: "main", image: "none" }] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
  await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(pod) });
  const status = {
    phase: "Running",
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: "10.1.20.7",
    hostIPs: [{ ip: "10.1.20.7" }],
  };
  const patch = ["patch", "pod", name, "-n", NAME, "--subresource=status", "--type=merge", "-p"];
  await mustRun("kubectl", [...patch, JSON.stringify({ status })]);
}

const egress = (...args: string[]) =>
  run(process.execPath, [join(ROOT, "tools", "cli", "main.ts"), ...args, "--context", CONTEXT], {
    env: { KUBECONFIG },
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runner-egress-live-"));
  await createNamespace(NAME);
  await mustRun("kubectl", ["apply", "-f", "-"], { input: earlierManifest(NAME) });
  await createPod("runner-1", { app: "workflow-runner" }, "10.1.20.30");
  await createPod("web", { app: "web" }, "10.1.20.31");
  await grant();
  // Somebody who is in the group of the file and in no other.
  const config = JSON.parse(await mustRun("kubectl", ["config", "view", "--raw", "--minify", "-o", "json"]));
  for (const { user } of config.users) {
    Object.assign(user, { as: "somebody-who-asks", "as-groups": ["runner-egress-analyse", "system:authenticated"] });
  }
  KUBECONFIG = join(folder, "kubeconfig.json");
  await writeFile(KUBECONFIG, JSON.stringify(config), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

describe("--context on a real API server, with the rights of access/kubernetes-analyse.yaml", () => {
  const RUNNER = ["--pod", `${NAME}/runner-1`];

  it("explains for a live pod, with its node", async () => {
    const { status, stdout } = await egress("explain", "169.254.169.254:80", `pod/${NAME}/web:80`, ...RUNNER);
    expect(stdout).toContain(`From pod ${NAME}/runner-1 (app=workflow-runner) (1 policy applies)`);
    expect(stdout).toContain("DENY  169.254.169.254:80  kubernetes, vpc-cni");
    expect(stdout).toContain(`pod ${NAME}/web, 10.1.20.31:80/tcp`);
    expect(status).toBe(1);
  });

  it("finds that the live policy lacks what a file denies", async () => {
    const policy = JSON.parse(earlierManifest(NAME));
    policy.spec.egress[0].to[0].ipBlock.except.push("10.0.0.0/8");
    const file = join(folder, "policy.json");
    await writeFile(file, JSON.stringify(policy));
    const { status, stdout } = await egress("diff", `context:${CONTEXT}`, file, ...RUNNER, "--semantics", "kubernetes");
    expect(stdout).toMatch(/Lost: .*\n {2}- 10\.0\.0\.0\/8 TCP, UDP, SCTP all ports/);
    expect(status).toBe(1);
  });

  it("answers regions and check", async () => {
    expect(await egress("regions", ...RUNNER, "--family", "ipv4", "--verdict", "allow")).toMatchObject({ status: 0 });
    const { status, stdout } = await egress(
      "check",
      join(ROOT, "docs/examples/assertions.yaml"),
      ...RUNNER,
      "-o",
      "junit",
    );
    expect(stdout).toContain('<testsuite name="kubernetes"');
    expect(status).toBe(2);
  });

  it.each(["networkpolicies", "namespaces", "pods", "services"])("needs to list %s, and says so", async (resource) => {
    await grant(resource);
    try {
      const { status, stdout, output } = await egress("explain", "8.8.8.8:443", ...RUNNER);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(output).toMatch(new RegExp(`can't list ${resource}.*403.*forbidden`));
    } finally {
      await grant();
    }
  });

  it("needs to list a policy kind that the cluster serves", async () => {
    const names = { plural: "clusternetworkpolicies", singular: "clusternetworkpolicy", kind: "ClusterNetworkPolicy" };
    const group = "networking.k8s.aws";
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: {
        name: `${names.plural}.${group}`,
        annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
      },
      spec: { group, names, scope: "Cluster", versions: [{ name: "v1alpha1", served: true, storage: true, schema }] },
    };
    await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(crd) });
    await mustRun("kubectl", ["wait", "--for=condition=Established", `crd/${names.plural}.${group}`, "--timeout=30s"]);
    expect(await egress("explain", "8.8.8.8:443", ...RUNNER)).toMatchObject({ status: 0 });
    await grant(names.plural);
    const refused = await egress("explain", "8.8.8.8:443", ...RUNNER);
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.output).toContain(`can't list ${names.plural}.${group}`);
    await grant();
    const all = { apiVersion: `${group}/v1alpha1`, kind: names.kind, metadata: { name: "all" }, spec: {} };
    await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(all) });
    const next = await egress("explain", "8.8.8.8:443", ...RUNNER);
    expect(next).toMatchObject({ status: 2, stdout: "" });
    expect(next.output).toContain("restricts egress too and is not analysed");
    await mustRun("kubectl", ["delete", "crd", `${names.plural}.${group}`]);
  });
});

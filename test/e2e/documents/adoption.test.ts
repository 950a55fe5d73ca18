import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  clearNamespace,
  createNamespace,
  earlierManifest,
  kubectl,
  patchPolicy,
  requirePolicy,
} from "../support/cluster.ts";
import { mustRun } from "../support/command.ts";
import { Network } from "../support/network.ts";
import { configFor, Project, type Stack } from "../support/stack.ts";
import { Walkthrough } from "./walkthrough.ts";

const NAMESPACE = "keeperhub";
const NEW_NAMESPACE = "runners";
const FIXTURES = join(import.meta.dirname, "../../e2e-cluster/fixtures");

/** Live policies of a namespace by name. */
async function policies(namespace = NAMESPACE) {
  const text = await mustRun("kubectl", ["-n", namespace, "get", "networkpolicies", "-o", "json"]);
  const { items } = JSON.parse(text) as {
    items: { metadata: { name: string; uid: string; annotations?: Record<string, string> }; spec: unknown }[];
  };
  return Object.fromEntries(items.map((item) => [item.metadata.name, item]));
}

describe("docs/adoption.md, as its reader follows it", () => {
  let project: Project;
  let stack: Stack;
  let walk: Walkthrough;

  beforeAll(async () => {
    project = await Project.copy();
    const network = await Network.create({ name: "docs-takeover", prefix: "10.1" });
    await network.recordFacts(project, "staging");
    await Promise.all([NAMESPACE, NEW_NAMESPACE].map(createNamespace));
    stack = await project.stack("staging", configFor(network, NAMESPACE));
    // What the AWS controller would bring.
    await mustRun("kubectl", ["apply", "-f", join(FIXTURES, "aws-kinds.yaml")]);
    await mustRun("kubectl", ["apply", "-f", "-"], { input: earlierManifest(NAMESPACE) });
    const why = "the dependencies are the repository's; .ci/run installs them";
    walk = new Walkthrough("docs/adoption.md", project, { substitutions: [{ of: "npm ci", by: "true", why }] });
  });
  afterAll(async () => {
    await Promise.all([NAMESPACE, NEW_NAMESPACE].map(clearNamespace));
    await project.remove();
  });
  const isProtected = async () => {
    const { deployment } = JSON.parse(await project.mustRun("pulumi", ["stack", "export"])) as {
      deployment: { resources: { type: string; protect?: boolean }[] };
    };
    return deployment.resources.find(({ type }) => type.endsWith(":NetworkPolicy"))?.protect === true;
  };

  it("first adoption: the same object with the stack's rules, and nothing of kubectl's is left", async () => {
    const before = await requirePolicy(NAMESPACE);
    await walk.run("npm ci");
    const printed = await walk.run("pulumi stack select staging");
    expect(printed).toContain("takes it over in place");
    expect(printed).toMatch(/= 1 imported/);
    const after = await requirePolicy(NAMESPACE);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.spec.egress).toHaveLength(5);
    expect(await isProtected()).toBe(true);

    const checked = await walk.run("kubectl -n keeperhub get networkpolicy workflow-runner-block-imds -o yaml");
    expect(checked).not.toContain("last-applied-configuration");
    expect(checked).toContain("runner-egress.keeperhub.com/stack: runner-egress/staging");
    expect(await readFile(join(project.directory, "Pulumi.staging.yaml"), "utf8")).not.toContain(":adopt");
  });

  it("the manifest applied once more: the preview says what that changed and the update puts it right", async () => {
    const ours = await requirePolicy(NAMESPACE);
    await mustRun("kubectl", ["apply", "-f", "-"], { input: earlierManifest(NAMESPACE) });
    expect((await requirePolicy(NAMESPACE)).spec).not.toEqual(ours.spec);
    expect(await project.mustRun("pulumi", ["preview"])).toContain("somebody changed it since this stack applied it");
    await walk.runLine("pulumi up");
    expect(await requirePolicy(NAMESPACE)).toMatchObject({ metadata: { uid: ours.metadata.uid }, spec: ours.spec });
  });

  it("a change by hand: the program warns with what it lets through, and a plain update removes it", async () => {
    const before = await requirePolicy(NAMESPACE);
    const rule = { to: [{ ipBlock: { cidr: "10.1.7.7/32" } }] };
    await patchPolicy(NAMESPACE, [{ op: "add", path: "/spec/egress/-", value: rule }]);
    expect(await walk.runLine("pulumi up")).toMatch(/warning[\s\S]*it also allows 10\.1\.7\.7\/32 on every port/);
    expect((await requirePolicy(NAMESPACE)).spec).toEqual(before.spec);
  });

  it("a deleted policy: preview and update fail, and the command creates it again", async () => {
    const before = await requirePolicy(NAMESPACE);
    await mustRun("kubectl", ["-n", NAMESPACE, "delete", "networkpolicy", "workflow-runner-block-imds"]);
    expect((await project.run("pulumi", ["preview"])).output).toContain("somebody deleted it");
    expect((await project.run("pulumi", ["up", "--yes"])).status).not.toBe(0);
    await walk.run("pulumi up --refresh");
    expect((await requirePolicy(NAMESPACE)).spec).toEqual(before.spec);
    expect(await isProtected()).toBe(true);
  });

  const previewWithPack = () => stack.preview("--policy-pack", "policy-pack");

  const BRIDGE = "kubectl -n keeperhub get networkpolicy workflow-runner-block-imds -o json |";
  const REASON =
    'pulumi config set --path runner-egress:acknowledge.policy-identity-change "TECH-440: runners are renamed"';
  const CLEAN_UP = "pulumi config rm --path runner-egress:acknowledge.policy-identity-change";

  it.each([
    {
      what: "name",
      change: "pulumi config set --path runner-egress:runner.policyName workflow-runner-egress",
      now: { namespace: NAMESPACE, name: "workflow-runner-egress" },
    },
    {
      what: "namespace",
      change: "pulumi config set --path runner-egress:runner.namespace runners",
      now: { namespace: NEW_NAMESPACE, name: "workflow-runner-block-imds" },
    },
    {
      what: "selector",
      change: "pulumi config set --path runner-egress:runner.podLabels.app egress-runner",
      now: { namespace: NAMESPACE, name: "workflow-runner-block-imds" },
    },
  ])("a new $what: refused at first, then changed beside the bridge", async ({ what, change, now }) => {
    const before = await requirePolicy(NAMESPACE);
    await walk.run(BRIDGE);
    const bridge = (await policies())["workflow-runner-bridge"];
    expect(bridge?.spec).toEqual(before.spec);
    expect(Object.keys(bridge?.metadata.annotations ?? {}).join()).not.toContain("runner-egress");
    if (what === "selector") {
      await walk.run("kubectl -n keeperhub get networkpolicy workflow-runner-bridge -o json |");
      expect((await policies())["workflow-runner-bridge-new"]?.spec).toEqual({
        ...before.spec,
        podSelector: { matchLabels: { app: "egress-runner" } },
      });
    }
    await walk.run("kubectl -n keeperhub get policyendpoints");

    await walk.run(change);
    const refused = await project.run("pulumi", ["up", "--yes"]);
    expect(refused.status).not.toBe(0);
    expect(refused.output).toContain("docs/adoption.md");
    expect((await requirePolicy(NAMESPACE)).spec).toEqual(before.spec);

    const isSame = now.namespace === NAMESPACE && now.name === "workflow-runner-block-imds";
    await stack.configure({ "runner-egress:acknowledge": { "policy-identity-change": "for the pack's sake" } });
    const passed = await previewWithPack();
    expect(passed.status, passed.output).toBe(0);

    await walk.run(REASON);
    const changed = (await policies(now.namespace))[now.name];
    expect(changed?.metadata.uid === before.metadata.uid).toBe(isSame);
    expect("workflow-runner-block-imds" in (await policies())).toBe(isSame);
    expect("workflow-runner-bridge" in (await policies())).toBe(true);
    expect(await isProtected()).toBe(isSame);

    await walk.run(CLEAN_UP);
    expect(Object.keys(await policies(now.namespace))).toEqual([now.name]);
    expect(Object.keys(await policies())).toHaveLength(now.namespace === NAMESPACE ? 1 : 0);
    expect(await isProtected()).toBe(true);
    expect(await project.mustRun("pulumi", ["preview"])).not.toContain("warning");

    // Back to where the next case begins.
    const acknowledge = { "policy-identity-change": "back" };
    await stack.configure({
      "runner-egress:runner": { namespace: NAMESPACE },
      "runner-egress:acknowledge": acknowledge,
    });
    expect(await stack.up("--skip-preview")).toMatchObject({ status: 0 });
    await stack.configure({ "runner-egress:acknowledge": undefined });
    expect(Object.keys(await policies())).toEqual(["workflow-runner-block-imds"]);
  });

  it("destroy is refused", async () => {
    const before = await requirePolicy(NAMESPACE);
    expect(await walk.runLine("pulumi destroy", 1)).toContain("protected");
    expect((await requirePolicy(NAMESPACE)).metadata.uid).toBe(before.metadata.uid);
  });

  it("rollback to the manifest: the stack lets go, the object stays, and the first adoption leads back", async () => {
    const before = await requirePolicy(NAMESPACE);
    const manifest = earlierManifest(NAMESPACE);
    await writeFile(join(project.directory, "networkpolicy.yaml"), manifest);
    await walk.run("kubectl apply --server-side --force-conflicts -f networkpolicy.yaml");
    await walk.run("pulumi state unprotect --all --yes");
    const after = await requirePolicy(NAMESPACE);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.spec).toEqual((JSON.parse(manifest) as { spec: unknown }).spec);
    expect(
      (await kubectl(["-n", NAMESPACE, "get", "networkpolicies", "-o", "name"])).stdout.trim().split("\n"),
    ).toHaveLength(1);

    const refused = await project.run("pulumi", ["up", "--yes"]);
    expect(refused.status).not.toBe(0);
    expect((await requirePolicy(NAMESPACE)).spec).toEqual(after.spec);

    await walk.run("pulumi stack select staging");
    expect(await requirePolicy(NAMESPACE)).toMatchObject({ metadata: { uid: before.metadata.uid }, spec: before.spec });
    expect(await isProtected()).toBe(true);
  });

  it("docs/config.md: the command writes such values", async () => {
    const config = new Walkthrough("docs/config.md", project, { earlier: walk });
    await config.runLine("pulumi config set --path runner-egress:vpc.name techops-staging");
    const file = await readFile(join(project.directory, "Pulumi.staging.yaml"), "utf8");
    expect(file).toContain("runner-egress:vpc:\n    name: techops-staging\n");
  });

  it("leaves no command of the document unrun", () => {
    expect(walk.leftOver()).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { egress, files } from "../../support/cli.ts";
import { block, policy } from "../../support/policies.ts";

const OPEN = policy([block("8.8.8.0/24")]);
const TEXT = JSON.stringify(OPEN, null, 2);

/** Asks for one destination under Kubernetes semantics, with one file. */
const ask = (name: string, content: unknown, ...more: string[]) =>
  egress([
    "explain",
    "8.8.8.8:443",
    "--semantics",
    "kubernetes",
    "--policy",
    files({ [name]: content })(name),
    ...more,
  ]);

describe("a file is read as kubectl reads it", () => {
  const utf16 = (mark: number[], text: string) => {
    const bytes = Buffer.from(text, "utf16le");
    return Buffer.concat([Buffer.from(mark), mark[0] === 0xfe ? bytes.swap16() : bytes]);
  };
  it.each<[string, string, string | Buffer]>([
    ["JSON with a byte order mark", "p.json", `\ufeff${TEXT}`],
    ["YAML with a byte order mark", "p.yaml", "\ufeffkind: NetworkPolicy\nspec: {egress: [{}]}\n"],
    ["UTF-16 as PowerShell writes it", "p.json", utf16([0xff, 0xfe], TEXT)],
    ["UTF-16, big-endian", "p.json", utf16([0xfe, 0xff], TEXT)],
    ["JSON lines", "p.json", `${JSON.stringify(OPEN)}\n${JSON.stringify(policy([], { metadata: { name: "b" } }))}\n`],
    ["JSON documents after each other", "p.yaml", `${TEXT}${JSON.stringify(policy([], { metadata: { name: "b" } }))}`],
    ["YAML in a file that is called .json", "p.json", "kind: NetworkPolicy\nspec: {egress: [{}]}\n"],
    ["a rule that is null", "p.yaml", "kind: NetworkPolicy\nspec:\n  egress:\n    -\n"],
    [
      "a quoted string and a flow collection that go on without indentation",
      "p.yaml",
      "kind: NetworkPolicy\nmetadata:\n  annotations:\n    a: '{\n  b }'\nspec: {\negress: [{}]\n}\n",
    ],
  ])("%s", async (_, name, content) => {
    expect(await ask(name, content)).toMatchObject({ code: 0, stderr: "" });
  });

  it.each<[string, string, string]>([
    [
      "a key twice",
      '{"kind": "NetworkPolicy",\n"spec": {"egress": [{}], "egress": []}}',
      '2: not JSON that kubectl reads: the key "egress" is used twice',
    ],
    [
      "an escaped key twice",
      '{"a": 1, "\\u0061": 2}',
      '1: not JSON that kubectl reads: the key "\\u0061" is used twice',
    ],
  ])("and refused with %s", async (_, content, message) => {
    const { code, stderr } = await ask("p.json", content);
    expect(code).toBe(3);
    expect(stderr).toContain(`p.json:${message}`);
  });
});

it("notes a block that is read as another one, also in an ingress rule of another namespace", async () => {
  const office = policy(undefined, {
    metadata: { name: "office", namespace: "monitoring" },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ ipBlock: { cidr: "203.0.113.7/24" } }] }] },
  });
  const run = await ask("p.json", { kind: "List", items: [OPEN, office] }, "--namespace", "keeperhub");
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(
    /p\.json items\[1\]: spec\.ingress\[0\]\.from\[0\]\.ipBlock\.cidr is "203\.0\.113\.7\/24": has bits set after its prefix: it is read as 203\.0\.113\.0\/24\./,
  );
});

describe("a policy of another kind makes a result inconclusive where it may select the pod", () => {
  const anp = (namespace: string | undefined, podSelector: object) => ({
    apiVersion: "networking.k8s.aws/v1alpha1",
    kind: "ApplicationNetworkPolicy",
    metadata: { name: "x", namespace },
    spec: { podSelector },
  });
  const cilium = (endpointSelector: object) => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "x", namespace: "keeperhub" },
    spec: { endpointSelector },
  });
  const web = { matchLabels: { app: "web" } };
  it.each<[string, object, string[], number]>([
    ["in the namespace, all pods", anp("keeperhub", {}), [], 2],
    ["in the namespace, these pods", anp("keeperhub", { matchLabels: { app: "workflow-runner" } }), [], 2],
    ["in the namespace, perhaps these pods", anp("keeperhub", { matchLabels: { tier: "x" } }), [], 2],
    ["in the namespace, other pods", anp("keeperhub", web), [], 0],
    [
      "not a pod without the label",
      anp("keeperhub", { matchLabels: { tier: "x" } }),
      ["--pod-label", "app=workflow-runner"],
      0,
    ],
    ["in another namespace", anp("other", {}), [], 0],
    ["in the namespace that --namespace gives it", anp(undefined, {}), ["--namespace", "keeperhub"], 2],
    ["in a namespace that nothing tells", anp(undefined, {}), [], 2],
    ["Cilium, all pods", cilium({}), [], 2],
    ["Cilium, other pods", cilium({ matchLabels: { "k8s:app": "web" } }), [], 0],
    [
      "Cilium, by a label that pods do not have",
      cilium({ matchLabels: { "k8s:io.kubernetes.pod.namespace": "x" } }),
      [],
      2,
    ],
    [
      "Calico in the namespace, whose selectors are not read",
      { ...cilium({}), apiVersion: "projectcalico.org/v3", kind: "NetworkPolicy" },
      [],
      2,
    ],
    [
      "Calico in another namespace",
      {
        ...cilium({}),
        apiVersion: "crd.projectcalico.org/v1",
        kind: "NetworkPolicy",
        metadata: { namespace: "other" },
      },
      [],
      0,
    ],
    ["of the whole cluster", { ...anp(undefined, web), kind: "ClusterNetworkPolicy" }, [], 2],
    [
      "an admin policy",
      { apiVersion: "policy.networking.k8s.io/v1alpha1", kind: "AdminNetworkPolicy", spec: {} },
      [],
      2,
    ],
  ])("%s", async (_, foreign, more, code) => {
    const run = await ask("p.json", { kind: "List", items: [OPEN, foreign] }, ...more);
    expect(run.code).toBe(code);
    expect(run.stderr.includes("restricts egress too and is not analysed, so no verdict holds")).toBe(code === 2);
  });
});

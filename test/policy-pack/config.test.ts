import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatCidr } from "../../analysis/index.ts";
import { describeProblem, type Problem } from "../../analysis/problems.ts";
import { readDeclaration } from "../../policy-pack/readDeclaration.ts";
import { readEndpoint } from "../../program/config/endpoint.ts";
import {
  networkPolicy,
  type PackConfig,
  type Plain,
  packConfig,
  runnerPolicy,
  runPack,
  type TestResource,
} from "../support/policyPack.ts";

function problemsOf(edit: (declaration: Plain) => void): string[] {
  const { declaration } = packConfig("staging");
  edit(declaration);
  const problems: Problem[] = [];
  expect(readDeclaration(declaration, problems) === undefined).toBe(problems.length > 0);
  return problems.map(describeProblem);
}

describe("the declaration", () => {
  it.each(["staging", "prod"] as const)("of %s, as shipped, has no problems", (stack) => {
    const problems: Problem[] = [];
    const read = readDeclaration(packConfig(stack).declaration, problems);
    expect(problems).toEqual([]);
    expect(read?.declaration.vpcCidrs.map(formatCidr)).toEqual([stack === "staging" ? "10.1.0.0/16" : "10.0.0.0/16"]);
    expect(read?.declaration.destinations.map(({ name, required }) => [name, required])).toEqual([
      ["database", true],
      ["dns", true],
      ["executor", true],
      ["sandbox", true],
    ]);
  });

  it.each<[string, (declaration: Plain) => void, string]>([
    [
      "a misspelt key",
      (d) => (d.destination = {}),
      "declaration.destination is {}: unknown key; did you mean destinations?",
    ],
    [
      "a misspelt key inside",
      (d) => (d.runner.label = {}),
      "declaration.runner.label is {}: unknown key; did you mean labels?",
    ],
    ["no runner", (d) => delete d.runner, "declaration.runner: missing; give {namespaces"],
    ["no namespaces", (d) => delete d.runner.namespaces, "declaration.runner.namespaces: missing; give"],
    ["no labels", (d) => (d.runner.labels = {}), "declaration.runner.labels is {}: must be labels"],
    ["no cluster", (d) => delete d.cluster, "declaration.cluster: missing; give {ipFamily: ipv4}"],
    ["no family", (d) => delete d.cluster.ipFamily, "declaration.cluster.ipFamily: missing; give"],
    [
      "another family",
      (d) => (d.cluster.ipFamily = "ipv5"),
      'declaration.cluster.ipFamily is "ipv5": must be one of ipv4, ipv6',
    ],
    [
      "no agent version",
      (d) => (d.cluster.agentVersion = "newest"),
      'declaration.cluster.agentVersion is "newest": must be MAJOR',
    ],
    [
      "an open IPv4 path",
      (d) => (d.cluster.ipFamily = "ipv6"),
      "declaration.cluster.otherFamilyEgress: missing; give false if ENABLE_V4_EGRESS",
    ],
    ["no VPC blocks", (d) => delete d.vpcCidrs, "declaration.vpcCidrs: missing; give every block of the VPC"],
    ["host bits", (d) => (d.vpcCidrs = ["10.1.0.1/16"]), '"10.1.0.1/16" has host bits set; the block is 10.1.0.0/16'],
    [
      "a policy without namespace",
      (d) => (d.policies = ["runner"]),
      'declaration.policies is ["runner"]: each is NAMESPACE/NAME',
    ],
    [
      "a destination nowhere",
      (d) => delete d.destinations.database.cidrs,
      "declaration.destinations.database.cidrs: missing; give",
    ],
    [
      "a destination on no port",
      (d) => delete d.destinations.dns.ports,
      "declaration.destinations.dns.ports: missing; give",
    ],
    [
      "pods of no namespace",
      (d) => delete d.destinations.dns.pods.namespace,
      "declaration.destinations.dns.pods.namespace: missing; give",
    ],
    [
      "pods without labels",
      (d) => delete d.destinations.dns.pods.labels,
      "declaration.destinations.dns.pods.labels: missing; give",
    ],
    [
      "a port without protocol",
      (d) => (d.destinations.dns.ports = ["53"]),
      'declaration.destinations.dns.ports is ["53"]: each is PORT/PROTOCOL',
    ],
    [
      "a flag that is none",
      (d) => (d.destinations.dns.required = "no"),
      'declaration.destinations.dns.required is "no": must be true or false',
    ],
    ["some internet", (d) => (d.internet = "some"), 'declaration.internet is "some": must be one of every-port'],
    ["a private endpoint", (d) => (d.endpoints = ["10.1.2.3:80"]), "10.1.2.3:80 is in 10.0.0.0/8, which is not public"],
    [
      "an endpoint in the VPC",
      (d) => Object.assign(d, { vpcCidrs: ["44.0.0.0/16"], endpoints: ["44.0.1.1:80"] }),
      "44.0.1.1:80 is in 44.0.0.0/16",
    ],
    [
      "an endpoint of the other family",
      (d) => (d.endpoints = ["[2600::1]:80"]),
      "[2600::1]:80 is ipv6, but the cluster's pods have ipv4",
    ],
    [
      "an endpoint by a cluster name",
      (d) => (d.endpoints = ["api.shop.svc:80"]),
      '"api.shop.svc:80" names a host of the cluster or the VPC',
    ],
    ["a path that is none", (d) => (d.deployed = 1), "declaration.deployed is 1: must be the path"],
  ])("names %s", (_, edit, expected) => {
    const problems = problemsOf(edit);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it("names every problem at once", () => {
    expect(
      problemsOf((declaration) => {
        declaration.vpcCidrs = ["x"];
        declaration.runner = {};
        declaration.destinations.dns.port = ["53/UDP"];
      }),
    ).toHaveLength(4);
  });
});

describe("an endpoint", () => {
  it.each([
    ["https://rpc.example.com", undefined, 443, "TCP"],
    ["https://rpc.example.com:8545/v1?key=1", undefined, 8545, "TCP"],
    ["http://rpc.example.com", undefined, 80, "TCP"],
    ["wss://rpc.example.com", undefined, 443, "TCP"],
    ["rpc.example.com:8545", undefined, 8545, "TCP"],
    ["stun.example.com:3478/udp", undefined, 3478, "UDP"],
    ["1.1.1.1:53/udp", "1.1.1.1/32", 53, "UDP"],
    ["https://1.1.1.1", "1.1.1.1/32", 443, "TCP"],
    ["[2606:4700::1111]:853", "2606:4700::1111/128", 853, "TCP"],
    ["https://[2606:4700::1111]:8443", "2606:4700::1111/128", 8443, "TCP"],
  ])("%s", (text, cidr, port, protocol) => {
    const endpoint = readEndpoint(text);
    expect(endpoint.cidr && formatCidr(endpoint.cidr)).toBe(cidr);
    expect(endpoint.ports).toEqual({ protocol, port });
    expect(endpoint.name).toBe(text);
  });

  it.each([
    "rpc.example.com",
    "ftp://example.com",
    "1.1.1.1",
    "1.1.1:53",
    "999.1.1.1:53",
    "x:0",
    "x:65536",
    "1.1.1.1/icmp",
    "",
  ])("is not %j", (text) => {
    expect(() => readEndpoint(text)).toThrow(/is none of https:\/\/HOST\[:PORT\]/);
  });
});

describe("acknowledgements", () => {
  const ofPolicy = async (policy: string, acknowledgements: Plain) => {
    const config: PackConfig = { ...packConfig("staging"), [policy]: { acknowledgements } };
    return (await runPack([networkPolicy(runnerPolicy("staging"))], config)).messages;
  };

  it.each([
    ["a reason", { reason: undefined }, "widening.acknowledgements.word.reason: missing; give"],
    ["a date", { expires: undefined }, "widening.acknowledgements.word.expires: missing; give"],
    [
      "a day of the calendar",
      { expires: "2026-02-30" },
      'widening.acknowledgements.word.expires is "2026-02-30": must be a day',
    ],
    ["a day, not a time", { expires: "2026-02-03T00:00Z" }, "must be a day as YYYY-MM-DD"],
    ["ports", { ports: undefined }, "widening.acknowledgements.word.ports: missing; give"],
    ["a place", { cidrs: undefined }, "widening.acknowledgements.word.cidrs: missing; give"],
    ["known keys", { expiry: "2027-01-01" }, "unknown key; did you mean expires?"],
  ])("for a region need %s", async (_, change, expected) => {
    const word = { cidrs: ["10.1.103.0/24"], ports: ["5432/TCP"], reason: "TECH-1", expires: "2027-01-31" };
    expect(await ofPolicy("widening", { word: JSON.parse(JSON.stringify({ ...word, ...change })) })).toEqual({
      widening: [expect.stringContaining(expected)],
    });
  });

  it.each([
    ["a policy", { policy: undefined }, "protection.acknowledgements.word.policy: missing; give"],
    ["a change", { change: undefined }, "protection.acknowledgements.word.change: missing; give"],
    ["a known change", { change: "delete" }, "must be one of unprotect, remove, selector"],
  ])("for a change need %s", async (_, change, expected) => {
    const word = { policy: "keeperhub/x", change: "remove", reason: "TECH-1", expires: "2027-01-31" };
    expect(await ofPolicy("protection", { word: JSON.parse(JSON.stringify({ ...word, ...change })) })).toEqual({
      protection: [expect.stringContaining(expected)],
    });
  });

  it("are reported when they cover nothing, and when nothing is known of what is deployed", async () => {
    const common = { reason: "TECH-1", expires: "9999-12-31" };
    expect(await ofPolicy("protection", { word: { policy: "a/b", change: "remove", ...common } })).toEqual({
      protection: [expect.stringContaining('acknowledgement "word" (TECH-1) is not used')],
    });
    expect(await ofPolicy("widening", { word: { cidrs: ["10.0.0.0/8"], ports: ["1/TCP"], ...common } })).toEqual({
      widening: [expect.stringContaining('cannot conclude: acknowledgement "word"')],
    });
  });

  it("a policy without config refuses keys", async () => {
    const config = { ...packConfig("staging"), union: { acknowledgements: {} } };
    expect((await runPack([networkPolicy(runnerPolicy("staging"))], config)).messages).toEqual({
      union: [expect.stringContaining("union.acknowledgements is {}: unknown key; nothing is allowed here")],
    });
  });
});

const list = (...items: Plain[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items });

describe("the file with what is deployed", () => {
  const folder = mkdtempSync(join(tmpdir(), "deployed-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function withFile(
    content: string | undefined,
    edit: (policy: Plain) => void = () => {},
    ...others: TestResource[]
  ) {
    const path = join(folder, "deployed.json");
    rmSync(path, { force: true });
    if (content !== undefined) {
      writeFileSync(path, content);
    }
    const config = packConfig("staging");
    config.declaration.deployed = path;
    const policy = runnerPolicy("staging");
    edit(policy);
    return runPack([networkPolicy(policy), ...others], config);
  }

  it.each([
    ["is missing", undefined, "can't be read: ENOENT"],
    ["is no JSON", "items:\n- x", "can't be read: "],
    ["holds no objects", "{}", "holds no Kubernetes objects"],
    [
      "is an error of the API server",
      '{"kind":"Status","apiVersion":"v1"}',
      "holds what is no policy: v1 Status; write",
    ],
    ["holds only pods", list({ apiVersion: "v1", kind: "Pod" }), "holds what is no policy: v1 Pod; write"],
    ["holds items without a kind", list({ metadata: {} }, runnerPolicy("staging")), "something without a kind; write"],
  ])("is refused when it %s", async (_, content, expected) => {
    const { messages } = await withFile(content);
    expect(messages.declaration).toEqual([expect.stringContaining(`config: declaration.deployed is`)]);
    expect(messages.declaration?.[0]).toContain(expected);
    expect(messages["private-reach"]).toEqual([expect.stringContaining("cannot conclude")]);
  });

  it.each([
    ["a List of kubectl", (policy: Plain) => list(policy)],
    ["an array", (policy: Plain) => JSON.stringify([policy])],
    ["one object", (policy: Plain) => JSON.stringify(policy)],
    [
      "a list of the API server, whose items have no kind",
      ({ apiVersion, kind, ...policy }: Plain) => JSON.stringify({ apiVersion, kind: `${kind}List`, items: [policy] }),
    ],
  ])("may be %s", async (_, write) => {
    const { fired, notApplicable } = await withFile(write(runnerPolicy("staging")));
    expect(fired).toEqual([]);
    expect(notApplicable).toEqual({});
    const before = runnerPolicy("staging");
    before.spec.egress[3].to.pop();
    expect((await withFile(write(before))).fired).toEqual(["widening"]);
  });

  it("may have what the controller made of the policies", async () => {
    const endpoint = {
      apiVersion: "networking.k8s.aws/v1alpha1",
      kind: "PolicyEndpoint",
      metadata: { name: "workflow-runner-block-imds-x", namespace: "keeperhub" },
      spec: { podSelector: { matchLabels: { app: "workflow-runner" } } },
    };
    expect((await withFile(list(runnerPolicy("staging"), endpoint))).fired).toEqual([]);
  });

  it("is what widening and union compare with", async () => {
    const other = { ...runnerPolicy("staging"), metadata: { name: "legacy", namespace: "keeperhub" } };
    const cnp = {
      apiVersion: "networking.k8s.aws/v1alpha1",
      kind: "ClusterNetworkPolicy",
      metadata: { name: "c" },
      spec: {},
    };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
    const before = runnerPolicy("staging");
    before.spec.egress[3].to.pop();
    other.spec.egress = [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }];
    const { messages, urns } = await withFile(list(before, other, cnp, pod));
    expect(messages).toEqual({
      conclusive: [expect.stringContaining("cannot conclude: ClusterNetworkPolicy c may select runner pods")],
      union: [expect.stringContaining("allowed by rule 0 of keeperhub/legacy")],
    });
    expect([...urns.values()].every((urn) => urn === undefined)).toBe(true);
  });

  it("is what a patch of a policy beside the plan changes", async () => {
    const deployed = { ...runnerPolicy("staging"), metadata: { name: "other", namespace: "keeperhub" } };
    const patch = networkPolicy(
      { metadata: deployed.metadata, spec: { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] } },
      { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name: "patch" },
    );
    const { fired } = await withFile(list(runnerPolicy("staging"), deployed), () => {}, patch);
    expect(fired).toEqual(["private-reach", "union", "widening"]);
  });

  it("shows a new database subnet as widening, unless it is acknowledged", async () => {
    const before = runnerPolicy("staging");
    before.spec.egress[3].to.pop();
    expect((await withFile(list(before))).messages).toEqual({
      widening: [expect.stringContaining("Newly reachable: 10.1.102.0/24 TCP 5432")],
    });
  });
});

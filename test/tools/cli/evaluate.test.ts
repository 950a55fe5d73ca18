import { describe, expect, it } from "vitest";
import { egress } from "../../support/cli.ts";
import { block, policy } from "../../support/policies.ts";

/** Runs lines and reads the answers back. */
async function evaluate(lines: readonly unknown[], ...args: string[]) {
  const stdin = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
  const { code, stdout, stderr } = await egress(["evaluate", ...args], { stdin });
  return {
    code,
    stderr,
    answers: stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown),
  };
}

const point = (ip: string, port: number, protocol = "TCP") => ({ ip, protocol, port });

const INTERNET = policy([block("0.0.0.0/0", { except: ["10.0.0.0/8"], ports: [{ port: 443 }] })]);

it("refuses a key that an object has twice, however it is written, and reads the next line", async () => {
  const rest = '"points":[{"ip":"8.8.8.8","protocol":"TCP","port":443}]';
  const twice = `{"id":1,"policies":[{"spec":{"egress":[],"podSelector":{},"egr\\u0065ss":[{}]}}],${rest}}`;
  const same = `{"id":2,"note":"{\\"id\\": 3, \\"id\\": 4","policies":[{"spec":{}},{"spec":{}}],${rest}}`;
  const { code, answers } = await evaluate([twice, same]);
  expect(answers[0]).toEqual({
    id: 1,
    error: 'input: has the key "egr\\u0065ss" twice in one object, of which only one would count',
  });
  expect(answers[1]).toEqual({ id: 2, verdicts: ["allow"] });
  expect(code).toBe(0);
});

describe("a line with verdicts", () => {
  it("has exactly id and verdicts, in the order of the points", async () => {
    const line = {
      id: 7,
      policies: [INTERNET],
      points: [point("8.8.8.8", 443), point("10.1.2.3", 443), point("8.8.8.8", 443, "UDP"), point("2600::1", 443)],
    };
    expect(await evaluate([line])).toEqual({
      code: 0,
      stderr: "",
      answers: [{ id: 7, verdicts: ["allow", "deny", "deny", "deny"] }],
    });
  });

  it.each([
    ["no policy", []],
    ["no policy for egress", [policy([], { spec: { policyTypes: ["Ingress"] } })]],
  ])("allows everything with %s", async (_, policies) => {
    const { answers } = await evaluate([
      { id: "a", policies, points: [point("8.8.8.8", 0), point("::", 65535, "SCTP")] },
    ]);
    expect(answers).toEqual([{ id: "a", verdicts: ["allow", "allow"] }]);
  });

  it("joins the policies that it names", async () => {
    const other = policy([block("10.0.0.0/8", { ports: [{ port: 5432 }] })]);
    const points = [point("8.8.8.8", 443), point("10.1.2.3", 5432), point("10.1.2.3", 443)];
    expect((await evaluate([{ id: 1, policies: [INTERNET, other], points }])).answers).toEqual([
      { id: 1, verdicts: ["allow", "allow", "deny"] },
    ]);
  });

  it("gives pods by label the addresses of the inventory", async () => {
    const inventory = [
      { kind: "Namespace", metadata: { name: "keeperhub" } },
      {
        kind: "Pod",
        metadata: { name: "db-0", namespace: "keeperhub", labels: { app: "db" } },
        spec: {},
        status: { podIP: "10.1.2.3", podIPs: [{ ip: "10.1.2.3" }] },
      },
    ];
    const policies = [policy([{ to: [{ podSelector: { matchLabels: { app: "db" } } }] }])];
    const points = [point("10.1.2.3", 5432), point("10.1.2.4", 5432)];
    const { answers } = await evaluate([
      { id: 1, policies, points },
      { id: 2, policies, points, inventory },
      { id: 3, policies, points, inventory: inventory.slice(1) },
    ]);
    expect(answers).toEqual([
      { id: 1, verdicts: ["deny", "deny"] },
      { id: 2, verdicts: ["allow", "deny"] },
      { id: 3, error: expect.stringMatching(/namespace "keeperhub".*no Namespace/) },
    ]);
  });

  it("takes policies without apiVersion, kind and metadata", async () => {
    const { spec } = INTERNET as { spec: object };
    expect((await evaluate([{ id: 1, policies: [{ spec }], points: [point("10.0.0.1", 443)] }])).answers).toEqual([
      { id: 1, verdicts: ["deny"] },
    ]);
  });

  it("unwraps an IPv4-mapped address, which is sent as IPv4", async () => {
    expect((await evaluate([{ id: 1, policies: [INTERNET], points: [point("::ffff:8.8.8.8", 443)] }])).answers).toEqual(
      [{ id: 1, verdicts: ["allow"] }],
    );
  });
});

describe("pod", () => {
  const deny = (namespace: string | undefined, labels: object) =>
    policy([], { metadata: { namespace }, spec: { podSelector: { matchLabels: labels } } });
  const verdictFor = async (pod: object | undefined, ...policies: object[]) =>
    (await evaluate([{ id: 1, policies, points: [point("8.8.8.8", 443)], pod }])).answers[0];

  it.each([
    ["is selected by its labels", { namespace: "a", labels: { app: "x", tier: "y" } }, deny("a", { app: "x" }), "deny"],
    ["is not selected by other labels", { namespace: "a", labels: { app: "x" } }, deny("a", { app: "z" }), "allow"],
    [
      "is not selected from another namespace",
      { namespace: "b", labels: { app: "x" } },
      deny("a", { app: "x" }),
      "allow",
    ],
    [
      "is not selected by a policy of no namespace, which is in default",
      { namespace: "a", labels: { app: "x" } },
      deny(undefined, { app: "x" }),
      "allow",
    ],
    ["of no namespace is in default too", { labels: { app: "x" } }, deny(undefined, { app: "x" }), "deny"],
    ["without labels is selected by an empty selector", { namespace: "a" }, deny("a", {}), "deny"],
    ["that is missing is selected by every policy", undefined, deny("a", { app: "x" }), "deny"],
  ])("%s", async (_, pod, denial, verdict) => {
    expect(await verdictFor(pod, denial)).toEqual({ id: 1, verdicts: [verdict] });
  });
});

describe("vpc-cni", () => {
  const line = {
    id: 1,
    policies: [INTERNET],
    points: [point("10.1.0.10", 22), point("2600::1", 443), point("8.8.8.8", 0, "ICMP")],
  };

  it("takes an IPv4 cluster and no node, unless the line says more", async () => {
    const lines = [line, { ...line, nodeIp: "10.1.0.10" }, { ...line, ipFamily: "ipv6" }];
    expect((await evaluate(lines, "--semantics", "vpc-cni")).answers).toEqual([
      { id: 1, verdicts: ["deny", "allow", "deny"] },
      { id: 1, verdicts: ["allow", "allow", "deny"] },
      { id: 1, verdicts: ["allow", "deny", "allow"] },
    ]);
  });

  it("takes the family of the cluster and the version of the agent from the command line, the line first", async () => {
    const leaking = {
      id: 1,
      policies: [
        policy([block("0.0.0.0/0", { except: ["10.0.0.0/8"] }), block("10.1.0.0/16", { ports: [{ port: 5432 }] })]),
      ],
      points: [point("10.1.0.1", 22)],
    };
    expect((await evaluate([leaking], "--semantics", "vpc-cni", "--agent-version", "1.2.3")).answers).toEqual([
      { id: 1, verdicts: ["allow"] },
    ]);
    expect((await evaluate([leaking], "--semantics", "vpc-cni")).answers).toEqual([{ id: 1, verdicts: ["deny"] }]);
    const families = [line, { ...line, ipFamily: "ipv4" }];
    const { answers } = await evaluate(families, "--semantics", "vpc-cni", "--ip-family", "ipv6");
    expect(answers.map((answer) => (answer as { verdicts: string[] }).verdicts[1])).toEqual(["deny", "allow"]);
  });

  it("gives ICMP, ICMPv6 and GRE a verdict, with port 0 or none", async () => {
    const points = [point("8.8.8.8", 0, "ICMP"), { ip: "8.8.8.8", protocol: "GRE" }, point("2600::1", 0, "ICMPv6")];
    const policies = [policy([block("0.0.0.0/0")])];
    expect((await evaluate([{ id: 1, policies, points }], "--semantics", "vpc-cni")).answers).toEqual([
      { id: 1, verdicts: ["allow", "allow", "allow"] },
    ]);
  });

  it("says order-dependent where the agent is", async () => {
    const ports = Array.from({ length: 25 }, (_, index) => ({ port: 100 + index }));
    const policies = [policy([block("1.0.0.0/8", { ports })])];
    expect(
      (await evaluate([{ id: 1, policies, points: [point("1.1.1.1", 100)] }], "--semantics", "vpc-cni")).answers,
    ).toEqual([{ id: 1, verdicts: ["order-dependent"] }]);
  });

  it("says where the agent aborts, instead of verdicts", async () => {
    const policies = [policy([block("0.0.0.0/0"), block("::/0", { except: ["64:ff9b::/96"] })])];
    expect(
      (await evaluate([{ id: 1, policies, points: [point("8.8.8.8", 443)] }], "--semantics", "vpc-cni")).answers,
    ).toEqual([
      {
        id: 1,
        aborts: true,
        reasons: [
          "the kernel refuses rule 1 of keeperhub/runner (except 64:ff9b::/96, spec.egress[1].to[0].ipBlock.except[0]) as a map key: another address family, longer than /32",
        ],
      },
    ]);
  });

  it("is not asked about by default", async () => {
    expect((await evaluate([{ ...line, nodeIp: "10.1.0.10" }])).answers).toEqual([
      { id: 1, error: 'points[2].protocol is "ICMP": must be one of TCP, UDP, SCTP under these semantics' },
    ]);
  });
});

describe("a line that is wrong", () => {
  const rule = (to: unknown, ports?: unknown) => [{ spec: { podSelector: {}, egress: [{ to: [to], ports }] } }];
  it.each<[string, object, string]>([
    ["no policies", { points: [] }, "policies: is missing; it is a list of NetworkPolicies"],
    ["no points", { policies: [] }, "points: is missing; it is a list of {ip, protocol, port}"],
    ["policies that are no list", { policies: {}, points: [] }, "policies is {}: must be a list"],
    [
      "a policy without a spec, of two",
      { policies: [INTERNET, {}], points: [] },
      "policies[1].spec: must be an object",
    ],
    [
      "a prefix length out of range",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/33" } }), points: [] },
      'policies[0].spec.egress[0].to[0].ipBlock.cidr: "10.0.0.0/33" has prefix length 33; ipv4 allows 0 to 32',
    ],
    [
      "an except outside",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }), points: [] },
      'policies[0].spec.egress[0].to[0].ipBlock.except[0] is "11.0.0.0/16": must lie strictly inside 10.0.0.0/8',
    ],
    [
      "an except equal to its block",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] } }), points: [] },
      'policies[0].spec.egress[0].to[0].ipBlock.except[0] is "10.0.0.0/8": must lie strictly inside 10.0.0.0/8',
    ],
    [
      "mixed families",
      { policies: rule({ ipBlock: { cidr: "0.0.0.0/0", except: ["fd00::/8"] } }), points: [] },
      'policies[0].spec.egress[0].to[0].ipBlock.except[0] is "fd00::/8": is ipv6 inside the ipv4 block 0.0.0.0/0',
    ],
    [
      "a port too high",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/8" } }, [{ port: 70000 }]), points: [] },
      "policies[0].spec.egress[0].ports[0].port is 70000: must be a number from 1 to 65535",
    ],
    [
      "an unknown protocol",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/8" } }, [{ port: 1, protocol: "ICMP" }]), points: [] },
      'policies[0].spec.egress[0].ports[0].protocol is "ICMP": must be TCP, UDP or SCTP',
    ],
    [
      "endPort below port",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/8" } }, [{ port: 90, endPort: 80 }]), points: [] },
      "policies[0].spec.egress[0].ports[0].endPort is 80: must not be below port 90",
    ],
    [
      "a block with a selector",
      { policies: rule({ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }), points: [] },
      'policies[0].spec.egress[0].to[0] is {"ipBlock":{"cidr":"10.0.0.0/8"},"podSelector":{}}: ipBlock cannot be combined with podSelector or namespaceSelector',
    ],
    [
      "several things, all of them named",
      {
        policies: [],
        points: [
          point("10.0.0", 443),
          point("10.0.0.1", 65536),
          { ip: "::1", protocol: "tcp", port: 1 },
          { ip: "::1", protocol: "UDP" },
        ],
        pod: { namespace: 7 },
        ipFamily: "v4",
        nodeIp: "node-1",
      },
      [
        'ipFamily is "v4": must be ipv4 or ipv6',
        "pod.namespace is 7: must be a string",
        'nodeIp is "node-1": must be an address',
        'points[0].ip is "10.0.0": must be an IPv4 or IPv6 address',
        "points[1].port is 65536: must be a number from 0 to 65535",
        'points[2].protocol is "tcp": must be one of TCP, UDP, SCTP under these semantics',
        "points[3].port: must be a number from 0 to 65535",
      ].join("; "),
    ],
    [
      "a node of the other family",
      { policies: [], points: [], nodeIp: "fd00::1" },
      'nodeIp is "fd00::1": must be of the cluster\'s family, ipv4 (ipFamily; default ipv4)',
    ],
    [
      "a member that differs only in case",
      { policies: [], points: [], nodeIP: "10.0.0.1" },
      'nodeIP is "10.0.0.1": is not a field; nodeIp is',
    ],
  ])("with %s is answered with an error", async (_, line, error) => {
    const good = { id: "next", policies: [], points: [point("8.8.8.8", 1)] };
    expect(await evaluate([{ id: "bad", ...line }, good])).toEqual({
      code: 0,
      stderr: "",
      answers: [
        { id: "bad", error },
        { id: "next", verdicts: ["allow"] },
      ],
    });
  });

  it("is one only if it is wrong: members of the caller's own are no mistake", async () => {
    const line = { id: 1, policies: [], points: [], comment: "from the incident of May", expected: ["allow"] };
    expect((await evaluate([line])).answers).toEqual([{ id: 1, verdicts: [] }]);
  });
});

describe("input as a whole", () => {
  it("may have empty lines, Windows line ends and no final newline", async () => {
    const line = JSON.stringify({ id: 1, policies: [], points: [] });
    const { code, stdout } = await egress(["evaluate"], { stdin: `\n${line}\r\n\n${line}` });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"id":1,"verdicts":[]}\n{"id":1,"verdicts":[]}\n' });
  });

  it("may be cut anywhere, inside a character too", async () => {
    const text = [1, 2, 3].map((id) => `${JSON.stringify({ id: `é${id}`, policies: [], points: [] })}\n`).join("");
    const bytes = Buffer.from(text);
    const expected = [1, 2, 3].map((id) => `{"id":"é${id}","verdicts":[]}\n`).join("");
    for (const size of [1, 7, 40]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect((await egress(["evaluate"], { stdin: chunks as unknown as string[] })).stdout).toBe(expected);
    }
  });

  it("is answered for nothing with nothing", async () => {
    expect(await egress(["evaluate"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("is an input error where it is no JSON lines, and what is JSON is answered all the same", async () => {
    const { code, stderr, answers } = await evaluate([
      "kind: NetworkPolicy",
      "[1]",
      { id: 1, policies: [], points: [] },
    ]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: "2 lines are no JSON object\n" });
    expect(answers).toEqual([
      { id: null, error: expect.stringMatching(/^line 1: is no JSON: /) },
      { id: null, error: "line 2: is no JSON object" },
      { id: 1, verdicts: [] },
    ]);
  });

  it("is refused before it is read where an option is wrong", async () => {
    expect(await egress(["evaluate", "--semantics", "vpc-cni", "--agent-version", "new"])).toEqual({
      code: 3,
      stdout: "",
      stderr: '--agent-version: "new" is not an agent version, which is MAJOR.MINOR.PATCH such as 1.3.7\n',
    });
    expect(await egress(["evaluate", "--ip-family", "ipv6"])).toEqual({
      code: 3,
      stdout: "",
      stderr: "--ip-family says how the AWS agent enforces; it has no meaning with --semantics kubernetes\n",
    });
  });
});

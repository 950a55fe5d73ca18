import { describe, expect, it } from "vitest";
import { egress, files } from "../../support/cli.ts";
import { block, policy } from "../../support/policies.ts";
import { readXml } from "../../support/xml.ts";

const STAGING = ["--policy", "docs/examples/runner-staging.yaml"];

describe("regions", () => {
  it("lists disjoint boxes, pods by label and exact sizes", async () => {
    const at = files({
      "p.json": policy([
        block("10.0.0.0/8", { except: ["10.0.0.0/9"], ports: [{ port: 443 }] }),
        { to: [{ podSelector: {} }], ports: [{ port: "web" }] },
      ]),
    });
    const { code, stdout, stderr } = await egress(["regions", "--policy", at("p.json"), "--family", "ipv4"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`What any pod with app=workflow-runner in namespace keeperhub may reach, kubernetes

deny   0.0.0.0-9.255.255.255     TCP, UDP, SCTP  all ports  public internet; 0.0.0.0/8, this network (RFC 791); 0.0.0.0/32, this host on this network (RFC 1122)
deny   10.0.0.0/9                TCP, UDP, SCTP  all ports  10.0.0.0/8, private use (RFC 1918)
deny   10.128.0.0/9              TCP             0-442      10.0.0.0/8, private use (RFC 1918)
allow  10.128.0.0/9              TCP             443        10.0.0.0/8, private use (RFC 1918)
deny   10.128.0.0/9              TCP             444-65535  10.0.0.0/8, private use (RFC 1918)
deny   10.128.0.0/9              UDP, SCTP       all ports  10.0.0.0/8, private use (RFC 1918)
deny   11.0.0.0-255.255.255.255  TCP, UDP, SCTP  all ports  EC2 instance metadata (IMDS) 169.254.169.254; ECS task credentials 169.254.170.2; EKS Pod Identity credentials 169.254.170.23; public internet; 3 other AWS services; 19 special-purpose blocks

Pods by label:
  all pods in namespace keeperhub  TCP port "web"

(address, port) pairs:
  family  protocol  allow      deny                 order-dependent
  ipv4    TCP       8,388,608  281,474,968,322,048  0
  ipv4    UDP       0          281,474,976,710,656  0
  ipv4    SCTP      0          281,474,976,710,656  0
`);
  });

  it("can be limited to a verdict and be written as JSON, with why", async () => {
    const { stdout } = await egress(["regions", ...STAGING, "--verdict", "allow", "--family", "ipv4", "-o", "json"]);
    const { regions, sizes } = JSON.parse(stdout) as { regions: { verdict: string }[]; sizes: unknown[] };
    expect(new Set(regions.map(({ verdict }) => verdict))).toEqual(new Set(["allow"]));
    expect(regions).toContainEqual(
      expect.objectContaining({
        range: "10.1.100.0/24",
        protocol: "TCP",
        ports: { from: 5432, to: 5432 },
        pairs: "256",
        explanation: expect.objectContaining({ reason: "rule" }),
      }),
    );
    expect(sizes).toContainEqual({
      family: "ipv4",
      protocol: "UDP",
      sizes: { allow: "278923766136832", deny: "2551210573824", "order-dependent": "0" },
    });
  });

  it("says that everything is allowed where no policy isolates the pod", async () => {
    const { stdout } = await egress(["regions", ...STAGING, "--pod-label", "app=x", "-o", "markdown"]);
    expect(stdout).toContain("| allow | 0.0.0.0/0 | TCP, UDP, SCTP | all ports |");
    expect(stdout).toContain("| all pods in all namespaces | TCP all ports, UDP all ports, SCTP all ports |");
  });

  it("is inconclusive where the agent aborts", async () => {
    const at = files({ "p.json": policy([block("::/0", { except: ["64:ff9b::/96"] })]) });
    const { code, stdout } = await egress(["regions", "--policy", at("p.json"), "--semantics", "vpc-cni"]);
    expect(code).toBe(2);
    expect(stdout).toContain("The agent cannot load the policies: the kernel refuses rule 0 of keeperhub/runner");
    expect(stdout).toMatch(/order-dependent {2}0\.0\.0\.0\/0/);
  });
});

describe("divergences", () => {
  it("names the shape, with an example, what each says, and what holds in every such cluster", async () => {
    const { code, stdout } = await egress(["divergences", ...STAGING, "--node-ip", "10.1.20.7"]);
    expect(code).toBe(1);
    expect(stdout).toContain(
      "over-deny  other-family-except  252.0.0.0/7 TCP, UDP, SCTP all ports\n    for example 252.0.0.1:443/tcp\n    kubernetes: 252.0.0.1:443/tcp",
    );
    expect(stdout).toContain(
      "\ncontext  node-address  The agent always allows the pod's own node, 10.1.20.7/32, on every port.\n",
    );
    expect(stdout).toContain("\ncontext  other-family-not-enforced  The agent of an IPv4 cluster passes IPv6;");
    expect(stdout).toMatch(/\n2 divergences\.\n$/);
  });

  it("counts the other family in an IPv6 cluster, whose pods can send IPv4", async () => {
    const { code, stdout } = await egress(["divergences", ...STAGING, "--ip-family", "ipv6", "--limit", "0"]);
    expect(code).toBe(1);
    expect(stdout).toContain("over-allow  other-family-not-enforced  ");
  });

  it("does not count shapes that are accepted, but says how many", async () => {
    const args = [
      "divergences",
      ...STAGING,
      "--accept",
      "other-family-not-enforced",
      "--accept",
      "other-family-except",
    ];
    const { code, stdout } = await egress(args);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "\n2 regions accepted: other-family-not-enforced\n2 regions accepted: other-family-except\nNo divergence.\n",
    );
  });

  it("is inconclusive where the agent aborts, and cannot accept that", async () => {
    const at = files({ "p.json": policy([block("0.0.0.0/0"), block("::/0", { except: ["64:ff9b::/96"] })]) });
    const args = [
      "--policy",
      at("p.json"),
      "--accept",
      "other-family-except-aborts",
      "--accept",
      "other-family-not-enforced",
    ];
    expect((await egress(["divergences", ...args])).code).toBe(2);
  });

  it("is written as JSON and Markdown", async () => {
    const json = await egress(["divergences", ...STAGING, "-o", "json"]);
    expect((JSON.parse(json.stdout) as { divergences: unknown[] }).divergences).toContainEqual(
      expect.objectContaining({
        direction: "over-deny",
        shape: "other-family-except",
        range: "252.0.0.0/7",
        before: "allow",
        after: "deny",
      }),
    );
    const markdown = await egress(["divergences", ...STAGING, "-o", "markdown", "--limit", "1"]);
    expect(markdown.stdout).toContain("| over-deny | other-family-except | 252.0.0.0/7 TCP, UDP, SCTP all ports |");
    expect(markdown.stdout).toContain("... and 1 more (--limit 0 shows all)");
  });
});

describe("check", () => {
  const check = (assertions: unknown, ...args: string[]) => {
    const at = files({ "assertions.json": { assertions } });
    return egress(["check", at("assertions.json"), ...STAGING, ...args]);
  };
  const internet = {
    name: "TLS to the internet",
    expect: "allow",
    to: ["public-internet"],
    protocols: ["TCP"],
    ports: [443],
  };
  const named = { name: "no credentials", expect: "deny", to: ["aws-metadata"] };
  const metadata = { name: "no metadata", expect: "deny", to: ["169.254.169.254", "fd00:ec2::254"] };

  it("writes JUnit: a case for each assertion, in a suite for each semantics", async () => {
    const open = {
      name: "no pods",
      expect: "deny",
      to: [{ namespace: "keeperhub", labels: { app: "x" } }],
      ports: [8787],
    };
    const { code, stdout } = await check([internet, metadata, open], "--output", "junit");
    expect(code).toBe(2);
    const elements = readXml(stdout);
    expect(elements.filter(({ name }) => name === "testsuite").map(({ attributes }) => attributes)).toEqual([
      { name: "kubernetes", tests: "3", failures: "0", errors: "1", skipped: "0" },
      { name: expect.stringMatching(/^vpc-cni \(ipv4 cluster/), tests: "3", failures: "1", errors: "1", skipped: "0" },
    ]);
    const cases = elements.filter(({ name }) => name === "testcase").map(({ attributes }) => attributes.name);
    expect(cases).toEqual([internet.name, metadata.name, open.name, internet.name, metadata.name, open.name]);
    expect(elements.find(({ name }) => name === "failure")?.attributes.message).toContain("no metadata: ");
  });

  it.each<[string, unknown[], string[], number, string]>([
    ["holds under both", [internet], [], 0, "2 checks: 2 holds"],
    ["fails on EKS in the family that the agent does not look at", [metadata], [], 1, "2 checks: 1 holds, 1 fails"],
    ["by the name of a set means the cluster's family", [named], [], 0, "2 checks: 2 holds"],
    ["holds in the cluster's family", [metadata], ["--cluster-family-only"], 0, "2 checks: 2 holds"],
    [
      "is left out where it is about the other family only",
      [{ ...metadata, to: ["fd00:ec2::254"] }],
      ["--cluster-family-only"],
      0,
      "1 check: 1 holds",
    ],
    ["fails", [{ ...internet, expect: "deny" }], ["--semantics", "kubernetes"], 1, "1 check: 1 fails"],
    [
      "is vacuous",
      [{ name: "nothing", expect: "deny", to: [] }],
      ["--semantics", "vpc-cni", "--cluster-family-only"],
      1,
      "1 check: 1 vacuous",
    ],
    [
      "is inconclusive where a rule may name some of the pods",
      [{ name: "no pods", expect: "deny", to: [{ namespace: "keeperhub", labels: { app: "x" } }], ports: [8787] }],
      ["--semantics", "kubernetes"],
      2,
      "1 check: 1 inconclusive",
    ],
  ])("%s", async (_, assertions, args, code, summary) => {
    const result = await check(assertions, ...args);
    expect(result.stdout).toMatch(new RegExp(`\\n${summary}\\n$`));
    expect(result).toMatchObject({ code, stderr: "" });
  });

  it("says which destination contradicts, and why", async () => {
    const { stdout } = await check([{ ...metadata, to: ["0.0.0.0/0"], ports: [443] }], "--semantics", "kubernetes");
    expect(stdout).toContain(
      "  FAILS         no metadata: should deny 0.0.0.0-9.255.255.255, but 0.0.0.1:443/tcp (in 0.0.0.0/8,",
    );
  });

  it("is written as JSON and Markdown", async () => {
    const json = JSON.parse(
      (await check([{ ...internet, expect: "deny" }], "--semantics", "kubernetes", "-o", "json")).stdout,
    ) as object;
    expect(json).toMatchObject({
      checks: [
        {
          semantics: { name: "kubernetes" },
          assertions: [
            {
              name: "TLS to the internet",
              expect: "deny",
              outcome: "fails",
              contradictions: expect.arrayContaining([
                expect.objectContaining({ protocols: ["TCP"], ports: { from: 443, to: 443 }, verdict: "allow" }),
              ]),
            },
          ],
        },
      ],
    });
    const markdown = await check([internet], "-o", "markdown");
    expect(markdown.stdout).toContain(
      "| holds | TLS to the internet | kubernetes |  |\n| holds | TLS to the internet | vpc-cni |  |\n",
    );
  });

  it("refuses a file that is none, by its name", async () => {
    const at = files({
      "a.yaml": "assertions:\n  - {name: x, expect: maybe, to: [10.0.0.1/8]}\n",
      "b.yaml": "a: 1\n---\nb: 2\n",
    });
    expect(await egress(["check", at("a.yaml"), ...STAGING])).toEqual({
      code: 3,
      stdout: "",
      stderr: `${at("a.yaml")}: not an assertion file:
  - assertions[0].expect is "maybe": must be allow or deny
  - assertions[0].to[0]: "10.0.0.1/8" has host bits set; the block is 10.0.0.0/8
`,
    });
    expect((await egress(["check", at("b.yaml"), ...STAGING])).stderr).toBe(
      `${at("b.yaml")}: holds 2 documents; an assertion file is one\n`,
    );
  });
});

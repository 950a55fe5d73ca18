import { describe, expect, it } from "vitest";
import { egress, files } from "../../support/cli.ts";
import { block, policy } from "../../support/policies.ts";

const STAGING = "docs/examples/runner-staging.yaml";
const PROD = "docs/examples/runner-prod.yaml";

/** Two policies as files, compared. */
async function compare(before: object, after: object, ...args: string[]) {
  const at = files({ "before.json": before, "after.json": after });
  return egress(["diff", at("before.json"), at("after.json"), ...args]);
}

describe("exit codes", () => {
  it.each<[string, object, object, string[], number]>([
    ["the same", policy([block("10.0.0.0/8")]), policy([block("10.128.0.0/9"), block("10.0.0.0/9")]), [], 0],
    ["gained", policy([]), policy([block("10.0.0.0/8")]), [], 1],
    ["lost", policy([block("10.0.0.0/8")]), policy([]), [], 1],
    [
      "only the ports of pods by label",
      policy([{ to: [{ podSelector: {} }], ports: [{ port: 1 }] }]),
      policy([{ to: [{ podSelector: {} }], ports: [{ port: 2 }] }]),
      [],
      1,
    ],
    [
      "only what the agent makes of it",
      policy([block("0.0.0.0/0", { ports: [{ port: 443 }] })]),
      policy([
        block("0.0.0.0/0", { ports: [{ port: 443 }] }),
        block("0.0.0.0/0", { except: ["10.0.0.0/8"], ports: [{ port: 443 }] }),
      ]),
      [],
      1,
    ],
    [
      "the same, as far as Kubernetes is concerned",
      policy([block("0.0.0.0/0", { ports: [{ port: 443 }] })]),
      policy([
        block("0.0.0.0/0", { ports: [{ port: 443 }] }),
        block("0.0.0.0/0", { except: ["10.0.0.0/8"], ports: [{ port: 443 }] }),
      ]),
      ["--semantics", "kubernetes"],
      0,
    ],
    ["an agent that will abort", policy([]), policy([block("::/0", { except: ["64:ff9b::/96"] })]), [], 2],
    ["an agent that aborts now", policy([block("::/0", { except: ["64:ff9b::/96"] })]), policy([]), [], 2],
  ])("%s", async (_, before, after, args, code) => {
    expect((await compare(before, after, ...args)).code).toBe(code);
  });
});

it("shows each box with its size, its names, a witness, and the rules to blame", async () => {
  const { stdout, stderr } = await egress(["diff", STAGING, PROD, "--names", "10.1.0.0/16=staging-vpc"]);
  expect(stderr).toBe("");
  expect(stdout).toBe(
    `${STAGING} -> ${PROD}, from any pod with app=workflow-runner in namespace keeperhub

kubernetes and vpc-cni (ipv4 cluster, agent 1.4.2)
Gained: 1 box
  + 10.0.100.0-10.0.102.255 TCP 5432, 768 pairs
      10.0.0.0/8, private use (RFC 1918)
      for example 10.0.100.1:5432/tcp
      before: 10.0.100.1:5432/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied by rule 4 of keeperhub/workflow-runner-block-imds (except 10.0.0.0/8, spec.egress[4].to[0].ipBlock.except[0]).
      after: 10.0.100.1:5432/tcp (in 10.0.0.0/8, private use (RFC 1918)) is allowed by rule 3 of keeperhub/workflow-runner-block-imds (10.0.100.0/24, spec.egress[3].to[0]).
Lost: 1 box
  - 10.1.100.0-10.1.102.255 TCP 5432, 768 pairs
      staging-vpc; 10.0.0.0/8, private use (RFC 1918)
      for example 10.1.100.1:5432/tcp
      before: 10.1.100.1:5432/tcp (in 10.0.0.0/8, private use (RFC 1918)) is allowed by rule 3 of keeperhub/workflow-runner-block-imds (10.1.100.0/24, spec.egress[3].to[0]).
      after: 10.1.100.1:5432/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied by rule 4 of keeperhub/workflow-runner-block-imds (except 10.0.0.0/8, spec.egress[4].to[0].ipBlock.except[0]).
`,
  );
});

it("adds what only protocols without ports gain", async () => {
  const { stdout } = await compare(policy([]), policy([block("1.0.0.0/8")]));
  expect(stdout.match(/^(?:\w.*|[ ]{2}[+-].*)$/gm)).toEqual([
    "kubernetes and vpc-cni (ipv4 cluster, agent 1.4.2)",
    "Gained: 1 box",
    "  + 1.0.0.0/8 TCP, UDP, SCTP all ports, 1,099,511,627,776 pairs",
    "Lost: nothing",
    "vpc-cni only, without ports",
    "Gained: 1 box",
    "  + 1.0.0.0/8 ICMP, ICMPv6, GRE 0, 16,777,216 pairs",
    "Lost: nothing",
  ]);
});

it("shows both semantics where they differ", async () => {
  const dns = { ports: [{ port: 53, protocol: "UDP" }] };
  const { stdout } = await compare(
    policy([dns]),
    policy([dns, block("0.0.0.0/0", { except: ["10.0.0.0/8"], ports: [{ port: 443 }] })]),
  );
  const [specified, enforced] = stdout.split("\nvpc-cni (ipv4 cluster, agent 1.4.2)\n");
  expect(specified).toContain("Lost: nothing");
  expect(enforced).toContain("- 10.0.0.0/8 UDP 53, 16,777,216 pairs");
});

it("names pods by label", async () => {
  const { stdout } = await compare(
    policy([{ to: [{ podSelector: { matchLabels: { app: "a" } } }], ports: [{ port: 1 }] }]),
    policy([{ to: [{ podSelector: { matchLabels: { app: "a" } } }], ports: [{ port: "http" }] }]),
    "--semantics",
    "kubernetes",
  );
  expect(stdout).toContain('Gained: 1 set of pods\n  + pods app=a in namespace keeperhub: TCP port "http"\n');
  expect(stdout).toContain("Lost: 1 set of pods\n  - pods app=a in namespace keeperhub: TCP 1\n");
});

it("writes JSON with exact counts as decimal strings", async () => {
  const { stdout } = await compare(policy([]), policy([block("2000::/3")]), "-o", "json", "--semantics", "kubernetes");
  const pairs = String(2n ** 125n * 65536n);
  const zero = { TCP: "0", UDP: "0", SCTP: "0" };
  expect(JSON.parse(stdout)).toMatchObject({
    sender: "any pod with app=workflow-runner in namespace keeperhub",
    comparisons: [
      {
        semantics: { name: "kubernetes" },
        gained: {
          counts: { ipv4: zero, ipv6: { TCP: pairs, UDP: pairs, SCTP: pairs } },
          pods: [],
          boxes: [
            {
              range: "2000::/3",
              first: "2000::",
              last: "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
              protocols: ["TCP", "UDP", "SCTP"],
              ports: { from: 0, to: 65535 },
              before: "deny",
              after: "allow",
              pairs,
              witness: "[2000::1]:443/tcp",
              explanations: {
                before: { reason: "no-rule" },
                after: { reason: "rule", allowedBy: [{ rule: 0, peer: 0 }] },
              },
            },
          ],
        },
        lost: { counts: { ipv4: zero, ipv6: zero }, boxes: [], pods: [] },
        aborts: { before: [], after: [] },
      },
    ],
  });
});

it("writes Markdown, and says so where there is no difference", async () => {
  const changed = await egress(["diff", STAGING, PROD, "-o", "markdown"]);
  expect(changed.stdout).toContain(
    "### kubernetes and vpc-cni (ipv4 cluster, agent 1.4.2)\n\n|  | Destinations | Example | Why |\n",
  );
  expect(changed.stdout).toContain("| **gained** | 10.0.100.0-10.0.102.255 TCP 5432, 768 pairs<br>");
  expect((await egress(["diff", STAGING, STAGING, "-o", "markdown"])).stdout).toContain("\n\nNo difference.\n");
});

it("shows no more rows than --limit, and says how many are left", async () => {
  const excepts = Array.from({ length: 9 }, (_, index) => `10.${2 * index}.0.0/16`);
  const [before, after] = [policy([block("10.0.0.0/8", { except: excepts })]), policy([block("10.0.0.0/8")])];
  const rows = (stdout: string) => stdout.match(/^ {2}\+ /gm)?.length;
  const limited = await compare(before, after, "--semantics", "kubernetes", "--limit", "4");
  expect(rows(limited.stdout)).toBe(4);
  expect(limited.stdout).toContain("Gained: 9 boxes\n");
  expect(limited.stdout).toContain("  ... and 5 more (--limit 0 shows all)\n");
  expect(rows((await compare(before, after, "--semantics", "kubernetes", "--limit", "0")).stdout)).toBe(9);
});

describe("the two sides", () => {
  it("are asked about the same pod, even if the policies changed theirs", async () => {
    const other = policy([block("10.0.0.0/8")], { spec: { podSelector: { matchLabels: { app: "new" } } } });
    const at = files({ "before.json": policy([block("10.0.0.0/8")]), "after.json": other });
    const args = ["diff", at("before.json"), at("after.json")];
    expect((await egress(args)).stderr).toContain(
      "select different pods:\n  - app=new (runner)\n  - app=workflow-runner (runner)\n",
    );
    expect((await egress([...args, "--pod-label", "app=new"])).stdout).toContain("before: 0.0.0.1:443/tcp");
  });

  it("may have no policy, which allows everything, and that is said", async () => {
    const at = files({ "none.yaml": "", "some.json": policy([block("0.0.0.0/0"), block("::/0")]) });
    const { code, stderr } = await egress(["diff", at("none.yaml"), at("some.json"), "--semantics", "kubernetes"]);
    expect(stderr).toBe(`${at("none.yaml")}: no NetworkPolicy, so everything is allowed there\n`);
    // Pods by label are not addresses: nothing allows them any more.
    expect(code).toBe(1);
  });

  it("may be a folder, or stdin", async () => {
    const at = files({ "a.yaml": "kind: Namespace\nmetadata: { name: x }\n", "b.json": policy([block("10.0.0.0/8")]) });
    const { code, stdout, stderr } = await egress(["diff", at(), "-"], {
      stdin: JSON.stringify(policy([block("10.0.0.0/8")])),
    });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "left out, because only NetworkPolicies count: 1 Namespace\n",
    });
    expect(stdout).toContain("Gained: nothing\nLost: nothing\n");
  });

  it("resolve pods by an inventory, if there is one", async () => {
    const args = [
      "diff",
      STAGING,
      PROD,
      "--inventory",
      "docs/examples/cluster.yaml",
      "--semantics",
      "vpc-cni",
      "-o",
      "json",
    ];
    expect((await egress(args)).code).toBe(1);
  });
});

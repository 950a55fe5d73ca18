import { afterEach, describe, expect, it, vi } from "vitest";
import { egress, files } from "../../support/cli.ts";
import { namespaceObject, podObject, serviceObject } from "../../support/inventory.ts";
import { block, policy } from "../../support/policies.ts";

const STAGING = ["--policy", "docs/examples/runner-staging.yaml"];
const CLUSTER = ["--inventory", "docs/examples/cluster.yaml"];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("exit codes", () => {
  it.each<[string, string[], number]>([
    ["allowed", ["8.8.8.8:443"], 0],
    ["denied", ["10.1.7.7:443/tcp"], 1],
    ["denied under one of the semantics alone", ["[fd00:ec2::254]:80"], 2],
    ["allowed under the one that was asked for", ["[fd00:ec2::254]:80", "--semantics", "vpc-cni"], 0],
    ["a host name", ["api.example.com:443"], 2],
    ["a Service without an inventory", ["service/kube-system/kube-dns:53/udp"], 2],
    ["a Service with one", ["service/kube-system/kube-dns:53/udp", ...CLUSTER], 0],
    ["denied and inconclusive: the worst counts", ["10.1.7.7:443", "api.example.com"], 2],
  ])("%s", async (_, args, code) => {
    expect((await egress(["explain", ...args, ...STAGING])).code).toBe(code);
  });

  it("is 2 for a Service of which only some backends may be reached", async () => {
    const inventory = {
      kind: "List",
      items: [
        namespaceObject("keeperhub"),
        podObject("a", "10.1.0.1", { labels: { app: "x" } }),
        podObject("b", "10.2.0.1", { labels: { app: "x" } }),
        serviceObject("x", { clusterIP: "172.20.0.1", selector: { app: "x" }, ports: [{ port: 80 }] }),
      ],
    };
    const at = files({ "p.json": policy([block("10.1.0.0/16")]), "i.json": inventory });
    const args = ["--policy", at("p.json"), "--inventory", at("i.json"), "--semantics", "kubernetes"];
    const { code, stdout } = await egress(["explain", "service/keeperhub/x:80", ...args]);
    expect(code).toBe(2);
    expect(stdout).toContain("MIXED  service/keeperhub/x:80");
  });

  it("is 2 for an order-dependent verdict, and for a policy at which the agent aborts, whatever the verdict", async () => {
    const ports = Array.from({ length: 25 }, (_, index) => ({ port: 100 + index }));
    const at = files({
      "slots.json": policy([block("1.0.0.0/8", { ports })]),
      "aborts.json": policy([block("0.0.0.0/0"), block("::/0", { except: ["64:ff9b::/96"] })]),
    });
    const vpcCni = ["--semantics", "vpc-cni"];
    expect(await egress(["explain", "1.1.1.1:100", "--policy", at("slots.json"), ...vpcCni])).toMatchObject({
      code: 2,
    });
    const aborting = await egress(["explain", "[2600::1]:443", "--policy", at("aborts.json"), ...vpcCni]);
    expect(aborting.code).toBe(2);
    expect(aborting.stdout).toContain("ALLOW  [2600::1]:443");
    expect(aborting.stdout).toContain(
      "The agent cannot load the policies: the kernel refuses rule 1 of keeperhub/runner (except 64:ff9b::/96, spec.egress[1].to[0].ipBlock.except[0]) as a map key",
    );
  });
});

describe("text", () => {
  it("says the rule and the except once where the semantics agree", async () => {
    const { stdout, stderr } = await egress(["explain", "10.1.7.7:443/tcp", ...STAGING]);
    expect(stderr).toBe("");
    expect(stdout).toBe(
      [
        "From any pod with app=workflow-runner in namespace keeperhub (1 policy applies)",
        "",
        "DENY  10.1.7.7:443/tcp  kubernetes, vpc-cni",
        "  10.1.7.7:443/tcp (in 10.0.0.0/8, private use (RFC 1918)) is denied by rule 4 of keeperhub/workflow-runner-block-imds (except 10.0.0.0/8, spec.egress[4].to[0].ipBlock.except[0]).",
        "",
      ].join("\n"),
    );
  });

  it("says both where they do not", async () => {
    const { stdout } = await egress(["explain", "10.1.20.7:10250", ...STAGING, "--node-ip", "10.1.20.7"]);
    expect(stdout).toContain(
      "DISAGREE  10.1.20.7:10250  the semantics disagree\n  vpc-cni: 10.1.20.7:10250/tcp (in 10.0.0.0/8, private use (RFC 1918)) is allowed because",
    );
    expect(stdout).toContain("\n  kubernetes: 10.1.20.7:10250/tcp");
    const json = await egress(["explain", "10.1.20.7:10250", ...STAGING, "--node-ip", "10.1.20.7", "-o", "json"]);
    expect((JSON.parse(json.stdout) as { answers: object[] }).answers).toMatchObject([{ verdict: "disagree" }]);
  });

  it("shows what a Service leads to, or may lead to", async () => {
    const known = await egress(["explain", "sandbox.keeperhub.svc:80", ...STAGING, ...CLUSTER]);
    expect(known.stdout).toContain("\n    pod keeperhub/sandbox-0, 10.1.20.12:8787/tcp (in 10.0.0.0/8,");
    expect(known.stdout).toContain("\n    ClusterIP, 172.20.31.7:80/tcp (in 172.16.0.0/12,");
    const symbolic = await egress(["explain", "service/kube-system/kube-dns:53/udp", ...STAGING]);
    expect(symbolic.stdout).toContain("\n    pods k8s-app=kube-dns in namespace kube-system: TCP 53, UDP 53\n");
  });

  it("counts the verdicts of a list", async () => {
    const { stdout } = await egress(["explain", "8.8.8.8:1", "10.0.0.1:1", "9.9.9.9:1", ...STAGING]);
    expect(stdout).toMatch(/\n3 destinations: 2 allow, 1 deny\n$/);
  });

  it("is coloured on a terminal, unless NO_COLOR is set", async () => {
    vi.stubEnv("FORCE_COLOR", undefined);
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("TERM", "xterm-256color");
    // Node.js takes an unknown CI for a terminal without colours.
    vi.stubEnv("CI", undefined);
    const args = ["explain", "10.1.7.7:443", ...STAGING];
    expect((await egress(args)).stdout).not.toContain("\x1b[");
    const coloured = (await egress(args, { isTTY: true })).stdout;
    expect(coloured).toContain("\x1b[31m\x1b[1mDENY");
    vi.stubEnv("NO_COLOR", "1");
    expect((await egress(args, { isTTY: true })).stdout).not.toContain("\x1b[");
  });
});

it("reads a list from stdin, without its comments and empty lines", async () => {
  const stdin = "# hosts\n8.8.8.8:443\r\n\n  10.1.7.7:443/tcp\n";
  const { code, stdout } = await egress(["explain", "-", "9.9.9.9:1", ...STAGING, "--output", "json"], { stdin });
  expect(code).toBe(1);
  expect((JSON.parse(stdout) as { answers: { destination: string; verdict: string }[] }).answers).toMatchObject([
    { destination: "8.8.8.8:443", verdict: "allow" },
    { destination: "10.1.7.7:443/tcp", verdict: "deny" },
    { destination: "9.9.9.9:1", verdict: "allow" },
  ]);
});

it("writes JSON with the deciding rule, the except and the nearest rule under each semantics", async () => {
  const { stdout } = await egress(["explain", "10.1.7.7:443/tcp", ...STAGING, "--output", "json"]);
  const except = {
    policy: "keeperhub/workflow-runner-block-imds",
    rule: 4,
    peer: 0,
    except: 0,
    path: "spec.egress[4].to[0].ipBlock.except[0]",
    what: "except 10.0.0.0/8",
  };
  expect(JSON.parse(stdout)).toMatchObject({
    sender: "any pod with app=workflow-runner in namespace keeperhub",
    policies: 1,
    semantics: [
      { name: "kubernetes", ipBlockMatchesPods: true },
      { name: "vpc-cni", ipFamily: "ipv4" },
    ],
    answers: [
      {
        destination: "10.1.7.7:443/tcp",
        verdict: "deny",
        judgements: ["kubernetes", "vpc-cni"].map((semantics) => ({
          semantics,
          verdict: "deny",
          explanation: {
            reason: "except",
            allowedBy: [],
            exceptedBy: [except],
            nearest: except,
            block: { cidr: "10.0.0.0/8", name: "private use", reference: "RFC 1918", globallyReachable: "no" },
          },
        })),
      },
    ],
  });
});

it("writes Markdown with a row for each destination", async () => {
  const { stdout } = await egress(["explain", "8.8.8.8:443", ...STAGING, "-o", "markdown"]);
  expect(stdout.split("\n").slice(2, 5)).toEqual([
    "| Destination | kubernetes | vpc-cni (ipv4 cluster, agent 1.4.2) | Why |",
    "| --- | --- | --- | --- |",
    "| `8.8.8.8:443` | **allow** | **allow** | 8.8.8.8:443/tcp is allowed by rule 4 of keeperhub/workflow-runner-block-imds (0.0.0.0/0, spec.egress[4].to[0]). |",
  ]);
});

describe("the pod that sends", () => {
  const at = () =>
    files({
      "all.json": policy([], { metadata: { name: "deny" }, spec: { podSelector: {} } }),
      "web.json": policy([block("10.0.0.0/8")], { metadata: { name: "web" } }),
      "other.json": policy([block("0.0.0.0/0")], { metadata: { name: "other", namespace: "shop" } }),
    });

  it("is asked for where the policies select different ones", async () => {
    const { code, stdout, stderr } = await egress([
      "explain",
      "10.0.0.1:1",
      "--policy",
      at()("all.json"),
      "--policy",
      at()("web.json"),
    ]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toBe(
      "the policies of namespace keeperhub select different pods:\n" +
        "  - app=workflow-runner (web)\n" +
        "  - every pod (deny)\n" +
        "Say which pod is meant with --pod-label KEY=VALUE, once for each of its labels.\n",
    );
  });

  it("is judged by all policies that select it", async () => {
    const policies = ["--policy", at()("all.json"), "-f", at()("web.json")];
    const ask = (label: string) => egress(["explain", "10.0.0.1:1", ...policies, "--pod-label", label]);
    const [runner, other] = [await ask("app=workflow-runner"), await ask("app=x")];
    expect(runner).toMatchObject({ code: 0 });
    expect(runner.stdout).toContain("From a pod with app=workflow-runner in namespace keeperhub (2 policies apply)");
    expect(other).toMatchObject({ code: 1 });
    expect(other.stdout).toContain("From a pod with app=x in namespace keeperhub (1 policy applies)");
  });

  it("needs a namespace where the policies are in several, and is judged only by those of its own", async () => {
    const policies = ["--policy", at()("web.json"), "--policy", at()("other.json")];
    expect(await egress(["explain", "8.8.8.8:1", ...policies])).toEqual({
      code: 3,
      stdout: "",
      stderr: "the policies are in several namespaces: keeperhub, shop; say which with --namespace NAME\n",
    });
    expect(await egress(["explain", "8.8.8.8:1", ...policies, "--namespace", "keeperhub"])).toMatchObject({ code: 1 });
    expect(await egress(["explain", "8.8.8.8:1", ...policies, "--namespace", "shop"])).toMatchObject({ code: 0 });
    expect(await egress(["explain", "8.8.8.8:1", ...policies, "--namespace", "nowhere"])).toMatchObject({
      code: 3,
      stderr:
        "no policy is in namespace nowhere; say which pod is meant with --pod-label KEY=VALUE, or another namespace\n",
    });
  });

  it("that no policy isolates may reach everything, and that is said", async () => {
    const { code, stdout } = await egress([
      "explain",
      "10.0.0.1:1",
      "--policy",
      at()("web.json"),
      "--pod-label",
      "app=x",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("is allowed because no policy isolates the egress of this pod");
  });

  it("gives its namespace to policies that name none", async () => {
    const folder = files({ "p.json": policy([block("10.0.0.0/8")], { metadata: { namespace: undefined } }) });
    expect((await egress(["explain", "10.0.0.1:1", "--policy", folder("p.json")])).stdout).toContain(
      "in namespace default",
    );
    expect(
      (await egress(["explain", "10.0.0.1:1", "--policy", folder("p.json"), "--namespace", "shop"])).stdout,
    ).toContain("in namespace shop");
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { egress } from "../../support/cli.ts";
import { ROOT } from "../../support/fixtureProject.ts";
import { events, policy } from "../review/previews.ts";

const recorded = (name: string) => join(ROOT, "test/tools/review/recordings", name);
const WIDER = recorded("dropped-except.staging.jsonl");
const SAME = recorded("no-change.prod.jsonl");
const SECRET = recorded("other.secret.jsonl");
const VIOLATED = recorded("other.pack.jsonl");

const folder = mkdtempSync(join(tmpdir(), "egress-review-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("review", () => {
  it.each<readonly [string, readonly string[], number]>([
    ["a change, nothing asked", [WIDER], 0],
    ["a wider one that may not be", [WIDER, "--fail-on", "wider"], 1],
    ["a change that may not be", [WIDER, "--fail-on", "change"], 1],
    ["a violation that may not be", [VIOLATED, "--fail-on", "violation"], 1],
    ["a violation, but only wider counts", [VIOLATED, "--fail-on", "wider"], 0],
    ["no change", [SAME, "--fail-on", "wider", "--fail-on", "change"], 0],
    ["nothing to conclude", [SECRET], 2],
    ["the worst of several", [WIDER, SAME, SECRET, "--fail-on", "wider"], 2],
  ])("exits by what it finds: %s", async (_, args, code) => {
    const outcome = await egress(["review", ...args]);
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code, stderr: "" });
    expect(outcome.stdout).not.toBe("");
  });

  it.each([WIDER, join(folder, "violation-digest.json")])(
    "cannot say that nothing is violated where nobody looked: %s",
    async (path) => {
      writeFileSync(join(folder, "violation-digest.json"), JSON.stringify({ steps: [], changeSummary: { same: 3 } }));
      const { code, stderr } = await egress(["review", path, "--fail-on", "violation"]);
      expect(code).toBe(2);
      expect(stderr).toContain("the guardrails are not run; preview with --policy-pack");
    },
  );

  it.each<readonly [string, readonly string[], string]>([
    ["another stack's preview", ["review", `prod=${WIDER}`], "is a preview of stack staging, not of prod"],
    ["no file", ["review", "nowhere.json"], "nowhere.json: there is no such file"],
    [
      "no preview",
      ["review", "docs/examples/runner-staging.yaml"],
      "is not JSON; expected the output of pulumi preview",
    ],
    ["drift of nothing", ["review", WIDER, "--drift"], "give them with --live STACK=FILE"],
    ["another stack's live policies", ["review", WIDER, "--live", "qa=x.json"], "previewed are staging"],
    ["live policies of nobody", ["review", WIDER, SAME, "--live", "x.json"], "say for which stack"],
    [
      "drift of half the stacks",
      ["review", WIDER, SAME, "--drift", "--live", "staging=docs/examples/runner-staging.yaml"],
      "add --live for prod",
    ],
    ["half a pod", ["review", WIDER, "--pod-label", "app=x"], "--pod-label needs --namespace"],
    ["another half", ["review", WIDER, "--namespace", "x"], "add --pod-label"],
    ["no such condition", ["review", WIDER, "--fail-on", "everything"], "wider, change, violation"],
  ])("refuses %s and says what to do", async (_, args, message) => {
    const { code, stdout, stderr } = await egress(args);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("reads stdin, and a stack's name where the preview has none", async () => {
    const stdin = '{"sequence":0,"diagnosticEvent":{"severity":"error","message":"no credentials"}}';
    const { code, stdout } = await egress(["review", "blue=-"], { stdin });
    expect(code).toBe(2);
    expect(stdout).toContain("blue: cannot conclude\n  ! the preview failed: no credentials");
  });

  it("writes JSON whose rows a machine can use", async () => {
    const { stdout } = await egress(["review", WIDER, "-o", "json"]);
    const [review] = (
      JSON.parse(stdout) as { reviews: { stack: string; verdict: string; subjects: { rows: object[] }[] }[] }
    ).reviews;
    expect(review).toMatchObject({ stack: "staging", verdict: "wider" });
    expect(review?.subjects[0]?.rows).toEqual([
      expect.objectContaining({
        destination: "100.64.0.0/10",
        addresses: "4194304",
        pairs: `${4_194_304n * 65_536n}`,
        witness: "100.64.0.1:443/tcp",
        because: expect.stringContaining(
          "after: allowed by rule 4 of keeperhub/workflow-runner-block-imds (0.0.0.0/0, spec.egress[4].to[0])",
        ),
      }),
    ]);
  });

  it("says what a live policy allows beyond the program", async () => {
    const live = "docs/examples/runner-2026-05.yaml";
    const { code, stdout } = await egress(["review", recorded("no-change.staging.jsonl"), "--live", live, "--drift"]);
    expect(code).toBe(0);
    expect(stdout).toContain("staging: both wider and narrower than the program");
    expect(stdout).toContain("+ 10.0.0.0/8");
  });

  it("concludes nothing next to live policies of another kind", async () => {
    const live = write("live-cilium.yaml", "10.0.0.0/8", "CiliumNetworkPolicy");
    const { code, stderr } = await egress(["review", WIDER, "--live", live]);
    expect(code).toBe(2);
    expect(stderr).toContain("restricts egress too and is not analysed");
  });

  it("judges other pods when told", async () => {
    const { stdout } = await egress(["review", WIDER, "--namespace", "keeperhub", "--pod-label", "app=other"]);
    expect(stdout).toContain("staging: same reach\n  pods app=other in namespace keeperhub");
  });
});

/** A policy in a file, for the pods that are called like the file. */
function write(name: string, cidr: string, kind = "NetworkPolicy"): string {
  const path = join(folder, name);
  const [app] = name.split(".");
  const object = {
    apiVersion: "networking.k8s.io/v1",
    kind,
    metadata: { name: app, namespace: "shop" },
    spec: { podSelector: { matchLabels: { app } }, policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr } }] }] },
  };
  writeFileSync(path, name.endsWith(".jsonl") ? cidr : JSON.stringify(object));
  return path;
}

const TWO_KINDS = events(
  ["a", "b"].map((app) => ({
    op: "create",
    name: app,
    after: { ...policy([], { name: app }), spec: { podSelector: { matchLabels: { app } }, policyTypes: ["Egress"] } },
  })),
);

describe("report", () => {
  const out = join(folder, "report.html");

  it("writes one file from a preview, and says so on stderr", async () => {
    const { code, stdout, stderr } = await egress(["report", WIDER, "--out", out]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/report\.html: \d+ KiB/);
    const html = readFileSync(out, "utf8");
    expect(html).toContain("<title>Egress of workflow-runner, staging</title>");
    expect(html).not.toMatch(/<(script|link|img|iframe)[^>]*(src|href)=/);
    expect(html.length).toBeLessThan(300_000);
  });

  it("writes one from files, with names and a comparison", async () => {
    const args = ["--policy", "docs/examples/runner-staging.yaml", "--before", "docs/examples/runner-2026-05.yaml"];
    await egress(["report", ...args, "--names", "10.1.0.0/16=our VPC", "--title", "Before & after", "--out", out]);
    const data = JSON.parse(/id="data">(.*?)<\/script>/.exec(readFileSync(out, "utf8"))?.[1] ?? "") as Record<
      string,
      unknown
    >;
    expect(data).toMatchObject({ title: "Before & after", names: [{ cidr: "10.1.0.0/16", name: "our VPC" }] });
    expect([data.before, data.after].map((policies) => (policies as unknown[]).length)).toEqual([1, 1]);
  });

  it("says where it can't write", async () => {
    const { code, stderr } = await egress(["report", WIDER, "--out", join(folder, "no", "where.html")]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^--out .*where\.html can't be written: .*\n$/);
  });

  it.each<readonly [string, readonly string[], number, string]>([
    ["neither", [], 3, "needs a preview or --policy"],
    [
      "a preview with --before",
      [WIDER, "--before", "docs/examples/runner-staging.yaml"],
      3,
      "--before goes with --policy",
    ],
    [
      "an invalid policy",
      ["--policy", write("bad.yaml", "10.0.0.0/33")],
      3,
      "has prefix length 33; ipv4 allows 0 to 32",
    ],
    [
      "policies for different pods",
      ["--policy", write("a.yaml", "10.0.0.0/8"), "-f", write("b.yaml", "10.0.0.0/8")],
      3,
      "select different pods",
    ],
    [
      "policies of another kind",
      ["--policy", write("cilium.yaml", "10.0.0.0/8", "CiliumNetworkPolicy")],
      2,
      "is not analysed",
    ],
    ["a preview about different pods", [write("pods.jsonl", TWO_KINDS)], 2, "pods app=a in namespace shop; pods app=b"],
    ["both", [WIDER, "--policy", "docs/examples/runner-staging.yaml"], 3, "and not both"],
    ["a preview that hides the policy", [SECRET], 2, "spec.egress[0].to[0].ipBlock.cidr is secret"],
    ["a digest without the policy", [join(folder, "digest.json")], 2, "a digest lists only what changes"],
  ])("writes nothing for %s", async (_, args, code, message) => {
    writeFileSync(join(folder, "digest.json"), JSON.stringify({ steps: [], changeSummary: { same: 3 } }));
    const path = join(folder, "never.html");
    const outcome = await egress(["report", ...args, "--out", path]);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
    expect(existsSync(path)).toBe(false);
  });
});

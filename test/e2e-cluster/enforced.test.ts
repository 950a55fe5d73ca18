import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "js-yaml";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { FIXTURE_PROJECT, ROOT } from "../support/fixtureProject.ts";
import { fencedBlocks } from "../support/markdown.ts";
import {
  apply,
  FIXTURES,
  IMAGE,
  kubectl,
  labTargets,
  leftovers,
  NAMESPACE,
  runInLab,
  setUpLab,
  sh,
  stackPolicy,
  TARGETS_FILE,
} from "./lab.ts";

interface Report {
  readonly status: string;
  readonly summary: string;
  readonly run: string;
  readonly seconds: number;
  readonly openSeconds?: number;
  readonly targets: readonly {
    readonly address: string;
    readonly name: string;
    readonly expected: string;
    readonly verdict: string;
    readonly assessment: string;
    readonly control: string;
    readonly runner: string;
    readonly accepted?: string;
  }[];
  readonly findings: readonly {
    readonly check: string;
    readonly level: string;
    readonly text: string;
    readonly remedy?: string;
  }[];
  readonly uncovered: readonly { readonly what: string; readonly why: string; readonly isRequired: boolean }[];
}

const read = (output: string) => JSON.parse(output) as Report;

/** Takes back what a test did to the cluster. */
const undo: (() => void)[] = [];

beforeAll(setUpLab);

afterEach(() => {
  for (const step of undo.splice(0).reverse()) {
    step();
  }
});

function policy(name: string, spec: unknown) {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: NAMESPACE }, spec };
}

function withPolicy(name: string, spec: unknown): void {
  apply(policy(name, spec));
  undo.push(() => kubectl("-n", NAMESPACE, "delete", "networkpolicy", name));
}

describe("a cluster that enforces the stack's policy", () => {
  it("is verified within a minute and left as it was", async () => {
    const before = kubectl("get", "all,networkpolicies", "-A", "-o", "name");
    const { code, output, notes } = await runInLab({ ttl: 60 });
    const report = read(output);

    expect(report, notes.join("\n")).toMatchObject({ status: "verified" });
    expect(code).toBe(0);
    expect(report.seconds).toBeLessThanOrEqual(60);
    const proved = (verdict: string) =>
      report.targets
        .filter((target) => target.verdict === verdict)
        .map(({ name }) => name.replace(/-[a-z0-9]+-[a-z0-9]{5}(?=,|$)/, ""));
    expect(proved("allowed")).toEqual([
      "pod kube-system/kube-dns",
      "Service kube-system/kube-dns",
      "pod kube-system/kube-dns",
      "Service kube-system/kube-dns",
      "pod keeperhub/keeperhub-sandbox",
      "Service keeperhub/keeperhub-sandbox",
      "pod keeperhub/keeperhub-executor",
      "Service keeperhub/keeperhub-executor",
      "database",
      "public host",
    ]);
    expect(proved("denied")).toEqual([
      "EC2 instance metadata",
      "EKS Pod Identity credentials",
      "pod kube-system/kube-dns, on another port",
      "pod keeperhub/keeperhub-sandbox, on another port",
      "pod keeperhub/keeperhub-executor, on another port",
      "pod keeperhub/keeperhub-web, which no rule names",
      "database over ssh",
      "another host of the network",
    ]);
    // A denial is proved by the control, and the time for which the pod was open is measured.
    expect(
      report.targets.filter(
        ({ verdict, control }) => verdict === "denied" && !["connected", "refused"].includes(control),
      ),
    ).toEqual([]);
    expect(report.openSeconds).toBeGreaterThanOrEqual(0);
    expect(kubectl("get", "all,networkpolicies", "-A", "-o", "name")).toBe(before);
  });

  it("plans without creating anything, and the manifests are accepted as they are", async () => {
    const yaml = await runInLab({ plan: "yaml" });
    expect(yaml.code).toBe(0);
    const file = join(mkdtempSync(join(tmpdir(), "egress-verify-")), "jobs.yaml");
    writeFileSync(file, yaml.output);
    // Warnings would name each rule of PodSecurity "restricted" that a pod breaks.
    const answer = kubectl("apply", "--dry-run=server", "--warnings-as-errors", "-f", file);
    expect(answer).toMatch(
      /^job.batch\/egress-verify-runner-\w{8} created \(server dry run\)\njob.batch\/egress-verify-control-\w{8} created/,
    );
    expect(leftovers()).toBe("");
  });

  it("cannot tell a dead host from a denial", async () => {
    const targets = [...labTargets().targets, { name: "dead host", to: "10.1.9.9:443/tcp" }];
    const { code, output } = await runInLab({ targets: { targets } });
    const dead = read(output).targets.find(({ name }) => name === "dead host");
    expect(dead).toMatchObject({ expected: "deny", runner: "timeout", control: "timeout", verdict: "inconclusive" });
    expect(code).toBe(2);
  });

  it("is verified when somebody accepts that the dead host stays unproved", async () => {
    const targets = [...labTargets().targets, { name: "dead host", to: "10.1.9.9:443/tcp" }];
    const accepted = [{ to: "10.1.9.9:443/tcp", reason: "switched off on weekends" }];
    const { code, output } = await runInLab({ targets: { targets, accepted } });
    expect(read(output).targets.find(({ name }) => name === "dead host")).toMatchObject({
      verdict: "inconclusive",
      accepted: "switched off on weekends",
    });
    expect(code).toBe(0);
  });

  it("is not verified while nobody names a database and a public host", async () => {
    const { code, output } = await runInLab({ targets: {} });
    const report = read(output);
    expect(code).toBe(2);
    expect(report.uncovered.filter(({ isRequired }) => isRequired).map(({ what }) => what)).toEqual([
      expect.stringMatching(/^rule 3 .*10\.1\.100\.0\/24.*TCP 5432$/),
      expect.stringMatching(/^rule 4 .*0\.0\.0\.0\/0.*all ports of every protocol$/),
    ]);
  });
});

describe("what is wrong with a cluster", () => {
  it("a second policy that opens 10.0.0.0/8 is found before, and contradicted by the probes", async () => {
    withPolicy("debug-access", {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }],
    });
    const { code, output } = await runInLab();
    const report = read(output);
    expect(code).toBe(1);
    const contradictions = report.findings.filter(({ level }) => level === "contradiction");
    expect(contradictions).toContainEqual(
      expect.objectContaining({
        text: expect.stringMatching(/keeperhub\/debug-access selects runner pods too.*: it also allows 10\./),
        remedy: expect.stringMatching(/podSelector/),
      }),
    );
    expect(new Set(contradictions.map(({ check }) => check))).toEqual(new Set(["other policies"]));
    const wrong = report.targets.filter(({ assessment }) => assessment === "contradicted");
    expect(wrong.map(({ name }) => name)).toContain("another host of the network");
    expect(wrong.map(({ address }) => address)).not.toContain("169.254.169.254:80/tcp");
  });

  it("a policy that somebody edited is said, down to what it opens", async () => {
    const edited = stackPolicy();
    apply({ ...edited, spec: { ...edited.spec, egress: edited.spec.egress.slice(1) } });
    undo.push(() => apply(stackPolicy()));
    const { code, output } = await runInLab();
    expect(code).toBe(1);
    expect(read(output).findings).toContainEqual(
      expect.objectContaining({
        check: "live policy",
        level: "contradiction",
        text: expect.stringContaining(
          "it does not allow pods k8s-app=kube-dns in namespace kube-system on 53/TCP, 53/UDP",
        ),
      }),
    );
    expect(read(output).targets.find(({ name }) => name === "Service kube-system/kube-dns")).toMatchObject({
      expected: "allow",
      verdict: "denied",
    });
  });

  it("a missing sandbox is said before, and keeps the run from being verified", async () => {
    kubectl("-n", NAMESPACE, "scale", "deployment/keeperhub-sandbox", "--replicas=0");
    undo.push(() => {
      kubectl("-n", NAMESPACE, "scale", "deployment/keeperhub-sandbox", "--replicas=1");
      kubectl("-n", NAMESPACE, "rollout", "status", "deployment/keeperhub-sandbox", "--timeout=60s");
    });
    kubectl(
      "-n",
      NAMESPACE,
      "wait",
      "pod",
      "-l",
      "app.kubernetes.io/instance=keeperhub-sandbox",
      "--for=delete",
      "--timeout=30s",
    );
    const { code, output } = await runInLab();
    expect(code).toBe(2);
    expect(read(output).findings).toContainEqual(
      expect.objectContaining({
        check: "peers",
        level: "doubt",
        text: expect.stringMatching(/^rule 1 .*keeperhub-sandbox.*no running pod has these labels/),
      }),
    );
    expect(read(output).uncovered).toContainEqual(
      expect.objectContaining({ what: expect.stringMatching(/^rule 1 /), isRequired: true }),
    );
  });

  it("a namespace with default-deny spoils the control; in another namespace it works", async () => {
    withPolicy("default-deny", { podSelector: {}, policyTypes: ["Egress"] });
    kubectl("create", "namespace", "verify-control");
    undo.push(() => kubectl("delete", "namespace", "verify-control"));
    const spoiled = await runInLab();
    expect(spoiled.code).toBe(2);
    expect(read(spoiled.output).findings).toContainEqual(
      expect.objectContaining({
        check: "control",
        level: "doubt",
        text: expect.stringContaining("keeperhub/default-deny also isolates the control"),
        remedy: expect.stringContaining("--control-namespace"),
      }),
    );
    const { targets } = read(spoiled.output);
    expect(targets.filter(({ assessment }) => assessment === "contradicted")).toEqual([]);

    const elsewhere = await runInLab({ controlNamespace: "verify-control" });
    expect(read(elsewhere.output)).toMatchObject({ status: "verified" });
    expect(leftovers()).toBe("");
  });

  it("an image that can't be had is a run that could not be made", async () => {
    const { code, output } = await runInLab({ image: "localhost/missing:lab" });
    expect(code).toBe(2);
    expect(read(output).summary).toMatch(/can't start: ErrImageNeverPull/);
    expect(leftovers()).toBe("");
  });

  it("an image without the probe's programs proves nothing", async () => {
    const { code, output } = await runInLab({ image: "localhost/probe:lab" });
    expect(code).toBe(2);
    expect(read(output).summary).toMatch(/the pod of the (runner|control) (ended early|can't start)/);
  });
});

describe("several runs, and runs that end early", () => {
  it("two at once do not disturb each other", async () => {
    const [first, second] = await Promise.all([runInLab(), runInLab()]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(read(first.output).run).not.toBe(read(second.output).run);
    expect(leftovers()).toBe("");
  });

  const command = (...more: string[]) => {
    const policyFile = join(mkdtempSync(join(tmpdir(), "egress-verify-")), "policy.json");
    writeFileSync(policyFile, JSON.stringify(stackPolicy()));
    const options = [
      "--policy",
      policyFile,
      "--targets",
      TARGETS_FILE,
      "--image",
      IMAGE,
      "--image-pull-policy",
      "Never",
    ];
    const times = ["--converge", "5", "--hold", "60", "--attempt", "1", "--start", "10", "--ttl", "2"];
    return spawn(process.execPath, ["tools/cli/main.ts", "verify", ...options, ...times, ...more], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  };

  /** Waits until the probes of a command are at work. */
  async function untilWatching(child: ReturnType<typeof command>): Promise<void> {
    for await (const chunk of child.stderr) {
      if (String(chunk).includes("watching")) {
        return;
      }
    }
  }

  it("Ctrl-C deletes the Jobs and says so", async () => {
    const child = command();
    await untilWatching(child);
    expect(leftovers()).toMatch(/egress-verify-runner-/);
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    expect(code).toBe(2);
    expect(leftovers()).toBe("");
  });

  it("a client that is killed leaves nothing once the Jobs' own limits have passed", async () => {
    const child = command("--hold", "3");
    await untilWatching(child);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(leftovers()).toMatch(/egress-verify-runner-/);
    const deadline = Date.now() + 120_000;
    while (leftovers() !== "" && Date.now() < deadline) {
      await sleep(1000);
    }
    expect(leftovers()).toBe("");
  });
});

describe("docs/verify.md", () => {
  const commands = fencedBlocks("docs/verify.md", "sh").flatMap(({ text }) => text.trim().split("\n"));

  it("has commands that do what it says", () => {
    apply(load(readFileSync("docs/examples/runner-staging.yaml", "utf8")));
    undo.push(() => apply(stackPolicy()));
    undo.push(() => kubectl("delete", "-f", "access/kubernetes-verify.yaml"));
    const here = ` --image ${IMAGE} --image-pull-policy Never --hold 3 --attempt 1`;
    const ran = commands.map((line) => sh("sh", ["-c", line.includes(" verify ") ? line + here : line]));
    expect(ran).toEqual([
      expect.stringMatching(/^Targets, expectations under kubernetes\n/),
      expect.stringMatching(/^keeperhub\/workflow-runner-block-imds: verified\n/),
      expect.stringMatching(/^### ✅ Egress of keeperhub\/workflow-runner-block-imds: verified\n/),
      expect.stringMatching(/^role\.rbac\.authorization\.k8s\.io\/egress-verify created\n/),
    ]);
  });
});

describe("egress verify --help", () => {
  it("has examples that run, the stack's own among them", () => {
    const help = sh(process.execPath, ["tools/cli/main.ts", "verify", "--help"]);
    const examples = [...help.matchAll(/^ {2}\$ runner-egress (.*)$/gm)].map(([, line]) => line ?? "");
    // The lab's context, and the hosts that really listen here.
    const here = ` --targets ${TARGETS_FILE} --image ${IMAGE} --image-pull-policy Never --hold 3 --attempt 1`;
    const ran = examples.map((line) =>
      sh("sh", [
        "-c",
        `cd ${FIXTURE_PROJECT} && node ${ROOT}/tools/cli/main.ts ${line.replace("--context staging", "--context lab")}${line.includes("--dry-run") ? "" : here}`,
      ]),
    );
    expect(ran).toEqual([
      expect.stringMatching(/^keeperhub\/workflow-runner-block-imds: verified\n/),
      expect.stringMatching(/^Targets, expectations under kubernetes\n/),
      expect.stringMatching(/^---\napiVersion: batch\/v1\nkind: Job\n/),
    ]);
  });
});

describe("where the cluster looks like EKS", () => {
  it("compares the PolicyEndpoints with the policy, and judges as the AWS agent would", async () => {
    kubectl("apply", "-f", join(FIXTURES, "aws-kinds.yaml"));
    undo.push(() => kubectl("delete", "-f", join(FIXTURES, "aws-kinds.yaml"), "--wait=true"));
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s");
    apply({
      apiVersion: "networking.k8s.aws/v1alpha1",
      kind: "PolicyEndpoint",
      metadata: { name: "workflow-runner-block-imds-abcde", namespace: NAMESPACE },
      spec: {
        policyRef: { name: "workflow-runner-block-imds", namespace: NAMESPACE },
        podSelector: { matchLabels: { app: "old-runner" } },
        podIsolation: ["Egress"],
        egress: [{ cidr: "10.1.7.7", ports: [{ protocol: "TCP", port: 443 }] }],
      },
    });
    apply({
      apiVersion: "networking.k8s.aws/v1alpha1",
      kind: "ClusterNetworkPolicy",
      metadata: { name: "guard" },
      spec: {
        tier: "Admin",
        priority: 1,
        subject: { namespaces: { matchLabels: { "kubernetes.io/metadata.name": NAMESPACE } } },
      },
    });
    const { code, output } = await runInLab({ plan: "json" });
    const plan = JSON.parse(output) as Pick<Report, "findings"> & { semantics: string };
    expect(code).toBe(0);
    expect(plan.semantics).toBe("vpc-cni");
    const texts = (check: string) => plan.findings.filter((finding) => finding.check === check).map(({ text }) => text);
    expect(texts("enforcer")).toEqual([
      "the agent is off: aws-eks-nodeagent runs without --enable-network-policy=true",
    ]);
    expect(texts("newer policy kinds")).toEqual([
      expect.stringMatching(/^ClusterNetworkPolicy guard may select runner pods/),
    ]);
    expect(texts("policy endpoints")).toEqual(
      expect.arrayContaining([
        "PolicyEndpoint workflow-runner-block-imds-abcde selects app=old-runner, the policy app=workflow-runner",
        expect.stringMatching(/not in step: it also allows 10\.1\.7\.7\/32 on 443\/TCP/),
      ]),
    );
  });
});

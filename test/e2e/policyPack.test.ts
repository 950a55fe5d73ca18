import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubectl, livePolicy } from "./support/cluster.ts";
import type { Outcome } from "./support/command.ts";
import { type ConfigEntries, configFor, Project } from "./support/stack.ts";
import { createWorld, type World } from "./support/world.ts";

type Json = Record<string, unknown>;

/** Environments with the networks of the two stacks. */
const WORLDS = [
  { stack: "staging", name: "e2e-pack-staging", prefix: "10.1", region: "us-east-1" },
  { stack: "prod", name: "e2e-pack-prod", prefix: "10.0", region: "us-east-2" },
] as const;
const NAMESPACE = WORLDS[0].name;

/** What a policy reported, as the command line shows it: `[LEVEL] POLICY (RESOURCE): TEXT`. */
function reportsOf({ stdout }: Outcome): string[] {
  const heads = /- \[(mandatory|advisory)\] \[severity: \w+\] {2}([a-z-]+) {2}\((.*)\)\n/g;
  const found = [...stdout.matchAll(heads)];
  return found.map(({ 0: head, 1: level, 2: policy, 3: resource, index }, place) => {
    const text = stdout.slice(index + head.length, found[place + 1]?.index ?? stdout.indexOf("\n\n", index));
    return `[${level}] ${policy} (${resource?.replace(/^.*: /, "")}): ${text.replace(/\s+/g, " ").trim()}`;
  });
}

/** Adds code to the program before it ends; its imports may stand anywhere. */
const adding = (code: string) => (program: string) => {
  const imports = code.match(/^import .*$/gm) ?? [];
  const body = code.replace(/^import .*$/gm, "");
  return `${program.replace("  return { policyName", `${body}\n  return { policyName`)}\n${imports.join("\n")}\n`;
};

/** A program's second policy, for every pod of the namespace. */
function secondPolicy(name: string, cidr: string): string {
  return `
import { output, unknown } from "@pulumi/pulumi";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
new NetworkPolicy(
  "second",
  {
    metadata: { name: "${name}", namespace: "${NAMESPACE}" },
    spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr: ${cidr} } }] }] },
  },
  { provider: kubernetes },
);
`;
}

const SECOND_POLICY = secondPolicy("allow-vpc", '"10.0.0.0/8"');
/** The same with a block that nothing knows before `up`. */
const UNKNOWN_POLICY = secondPolicy("later", "output(unknown)");

const OTHER_CLUSTER = `
import { Provider } from "@pulumi/kubernetes/provider.js";
new Provider("other", { clusterIdentifier: "eks/us-east-1/other", kubeconfig: "" });
`;
const HOST_NETWORK_JOB = `
import { Job } from "@pulumi/kubernetes/batch/v1/job.js";
new Job(
  "job",
  {
    metadata: { name: "run", namespace: "${NAMESPACE}" },
    spec: {
      template: {
        metadata: { labels: { app: "workflow-runner" } },
        spec: { hostNetwork: true, restartPolicy: "Never", containers: [{ name: "run", image: "busybox" }] },
      },
    },
  },
  { provider: kubernetes },
);
`;

/** Another team's runners. */
const OTHER = { runner: { namespaces: ["default"], labels: { component: "job" } }, cluster: { ipFamily: "ipv4" } };

/** A project of another team: one policy, no component. */
const OTHER_TEAM = {
  "Pulumi.yaml": "name: jobs\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
  "package.json": '{ "name": "jobs", "version": "0.1.0", "type": "module", "main": "index.js" }',
  "index.js": `
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
new NetworkPolicy("jobs", {
  metadata: { name: "jobs", namespace: "default" },
  spec: {
    podSelector: { matchLabels: { component: "job" } },
    policyTypes: ["Egress"],
    egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }] }],
  },
});
`,
};

describe("the policy pack on the real engine", () => {
  let project: Project;
  const worlds = new Map<string, World>();
  let staging: World;

  beforeAll(async () => {
    project = await Project.copy();
    for (const { stack, ...options } of WORLDS) {
      worlds.set(stack, await createWorld(project, options));
    }
    staging = worlds.get("staging") as World;
  });

  afterAll(() => project.remove());

  /** The arguments that put the pack on; with a config of its own, if it is given one. */
  async function pack(config?: Json): Promise<string[]> {
    const path = join(project.directory, "pack.json");
    if (config === undefined) {
      return ["--policy-pack", "policy-pack"];
    }
    await writeFile(path, JSON.stringify(config));
    return ["--policy-pack", "policy-pack", "--policy-pack-config", path];
  }

  /** Runs `body` with a program, or a stack, that is changed, and changes it back. */
  async function changed(change: Change, body: () => Promise<void>): Promise<void> {
    const path = join(project.directory, "program/declareStack.ts");
    const program = await readFile(path, "utf8");
    const config = configFor(staging.network, NAMESPACE);
    try {
      await writeFile(path, change.program?.(program) ?? program);
      await staging.stack.configure(change.config ?? {});
      await body();
    } finally {
      await writeFile(path, program);
      const added = Object.keys(change.config ?? {}).map((key) => [key, undefined]);
      await staging.stack.configure({ ...Object.fromEntries(added), ...config });
    }
  }

  /** What `body` of a case changes: the program's text, or config of the stack. */
  interface Change {
    readonly program?: (text: string) => string;
    readonly config?: ConfigEntries;
  }

  const second = { program: adding(SECOND_POLICY) };
  const written = async () => (await staging.stack.state()).filter(({ urn }) => urn.includes("networking.k8s.io"));
  const names = async () => (await kubectl(["-n", NAMESPACE, "get", "networkpolicies", "--output", "name"])).stdout;

  it.each(WORLDS)("passes the plan of $stack", async ({ stack }) => {
    const outcome = (await worlds.get(stack)?.stack.preview(...(await pack()))) as Outcome;
    expect(outcome.stdout).toMatch(/✅ runner-egress@v\d/);
    expect(reportsOf(outcome)).toEqual([]);
    expect(outcome.status).toBe(0);
  });

  const BAD: readonly { readonly name: string; readonly change: Change; readonly reports: readonly RegExp[] }[] = [
    {
      name: "a second policy for the runners",
      change: second,
      reports: [
        /^\[mandatory\] private-reach \(second\): .* by rule 0 of e2e-pack-staging\/allow-vpc .*Not declared: 10\.0\.0\.0.*Fix: /,
        /^\[mandatory\] union \(second\): .* by rule 0 of e2e-pack-staging\/allow-vpc .*Not declared: 10\.0\.0\.0.*Fix: /,
      ],
    },
    {
      name: "a program that opens another port of the database",
      change: {
        program: adding(secondPolicy("database-port", '"10.1.100.0/24"')),
      },
      reports: [
        /^\[mandatory\] private-reach \(second\): .*Not declared: 10\.1\.100\.0\/24 .*runner-egress:destinations\.cidrs in Pulumi\.e2e-pack-staging\.yaml/,
        /^\[mandatory\] union \(second\): /,
      ],
    },
    {
      name: "no protection",
      change: { program: (text) => text.replace("protect: !takeover.replaces", "protect: false") },
      reports: [/^\[mandatory\] protection \(runner-egress-policy\): .*is not protected/],
    },
    {
      name: "a rule that is known only at up",
      change: { program: adding(UNKNOWN_POLICY) },
      reports: [
        /^\[mandatory\] conclusive \(second\): .*cannot conclude: NetworkPolicy e2e-pack-staging\/later .*spec.egress.0..to.0..ipBlock.cidr is unknown until up/,
      ],
    },
    {
      name: "a provider of another cluster",
      change: { program: adding(OTHER_CLUSTER) },
      reports: [
        /^\[mandatory\] conclusive \(.*\): .*cannot conclude: the plan reaches 2 Kubernetes clusters or kubeconfigs/,
      ],
    },
    {
      name: "a runner Job in the network of its node",
      change: { program: adding(HOST_NETWORK_JOB) },
      reports: [/^\[mandatory\] isolation \(job\): .*Job run starts runner pods in the network of their node/],
    },
  ];

  it.each(BAD)("fails a preview and an up with $name, and writes nothing", async ({ change, reports }) => {
    await changed(change, async () => {
      const flags = await pack();
      for (const outcome of [await staging.stack.preview(...flags), await staging.stack.up(...flags)]) {
        expect(reportsOf(outcome)).toEqual(reports.map((report) => expect.stringMatching(report)));
        expect(outcome.status).not.toBe(0);
      }
    });
    expect(await names()).toBe("");
    expect(await written()).toEqual([]);
  });

  it("lets up write nothing bad even without a preview of its own", async () => {
    await changed(second, async () => {
      const outcome = await staging.stack.up("--skip-preview", ...(await pack()));
      expect(reportsOf(outcome)).toEqual([expect.stringMatching(/^\[mandatory\] private-reach \(second\)/)]);
      expect(outcome.status).not.toBe(0);
    });
    expect(await names()).not.toContain("allow-vpc");
  });

  it("reports and passes in advisory mode", async () => {
    await changed(second, async () => {
      const outcome = await staging.stack.preview(...(await pack({ all: "advisory" })));
      expect(reportsOf(outcome)).toEqual([
        expect.stringMatching(
          /^\[advisory\] private-reach \(second\): .*allowed by rule 0 of e2e-pack-staging\/allow-vpc/,
        ),
        expect.stringMatching(/^\[advisory\] union \(second\): /),
      ]);
      expect(outcome.status).toBe(0);
    });
  });

  it("leaves out a policy that is disabled, and no other", async () => {
    await changed(second, async () => {
      const outcome = await staging.stack.preview(...(await pack({ "private-reach": "disabled" })));
      expect(reportsOf(outcome)).toEqual([expect.stringMatching(/^\[mandatory\] union/)]);
      expect(outcome.status).not.toBe(0);
    });
  });

  it.each<[string, Json, RegExp]>([
    ["a wrong type", { vpcCidrs: "x" }, /declaration: vpcCidrs: Invalid type/],
    [
      "a wrong key and a wrong value",
      { ...OTHER, vpcCidrs: ["10.1.0.1/16"], runners: {} },
      /declaration\.runners is [\s\S]*did you mean runner\?[\s\S]*"10\.1\.0\.1\/16" has host bits set/,
    ],
  ])("refuses a config with %s", async (_, change, message) => {
    const { status, output } = await staging.stack.preview(...(await pack({ declaration: change })));
    expect(output).toMatch(message);
    expect(status).not.toBe(0);
  });

  it("compares with what is deployed: a new destination needs a word, which runs out; a recorded subnet needs none", async () => {
    await staging.stack.configure({
      "runner-egress:destinations": { cidrs: { cache: { cidrs: ["10.1.50.0/24"], ports: ["6379/TCP"] } } },
    });
    expect(await staging.stack.up()).toMatchObject({ status: 0 });
    const { metadata, spec } = JSON.parse(JSON.stringify(await livePolicy(NAMESPACE)));
    // Without a database subnet, which the facts have, and without the cache.
    spec.egress[3].to.pop();
    spec.egress.splice(4, 1);
    const live = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
    await writeFile(
      join(project.directory, "policy-pack/deployed.json"),
      JSON.stringify({ apiVersion: "v1", kind: "List", items: [live] }),
    );
    const judge = async (expires?: string) => {
      const word = { cidrs: ["10.1.50.0/24"], ports: ["6379/TCP"], reason: "TECH-412", expires };
      await staging.stack.configure({
        "runner-egress:acknowledge": expires === undefined ? undefined : { widening: { cache: word } },
      });
      return staging.stack.preview(...(await pack({ declaration: { deployed: "deployed.json" } })));
    };
    const newly = expect.stringMatching(
      /^\[mandatory\] widening \(runner-egress-policy\): .*Newly reachable: 10\.1\.50\.0\/24 TCP 6379/,
    );
    const without = await judge();
    expect(reportsOf(without)).toEqual([newly]);
    expect(without.status).not.toBe(0);
    expect(await judge("9999-12-31")).toMatchObject({ status: 0 });
    const expired = await judge("2026-01-31");
    expect(reportsOf(expired)).toHaveLength(2);
    expect(reportsOf(expired)).toContainEqual(newly);
    expect(expired.stdout).toContain('acknowledgement "cache" (TECH-412) expired on 2026-01-31');
    expect(expired.status).not.toBe(0);
    await staging.stack.configure({ "runner-egress:acknowledge": undefined, "runner-egress:destinations": undefined });
  });

  it("judges another team's stack", async () => {
    const folder = join(project.directory, "jobs");
    await mkdir(folder);
    for (const [file, text] of Object.entries(OTHER_TEAM)) {
      await writeFile(join(folder, file), text);
    }
    const declaration = {
      ...OTHER,
      vpcCidrs: ["10.1.0.0/16"],
      internet: ["443/TCP"],
    };
    await writeFile(join(folder, "pack.json"), JSON.stringify({ declaration }));
    await project.mustRun("pulumi", ["stack", "init", "staging", "--cwd", folder]);
    const outcome = await project.run("pulumi", [
      ...["preview", "--non-interactive", "--color", "never", "--cwd", folder],
      ...["--policy-pack", join(project.directory, "policy-pack"), "--policy-pack-config", join(folder, "pack.json")],
    ]);
    expect(reportsOf(outcome)).toEqual([
      expect.stringMatching(/^\[mandatory\] metadata-endpoints \(jobs\): .*169\.254\.169\.254:80\/tcp/),
      expect.stringMatching(/^\[mandatory\] private-reach \(jobs\): .*100\.64\.0\.0\/10 all ports/),
    ]);
    expect(outcome.status).not.toBe(0);
  });
});

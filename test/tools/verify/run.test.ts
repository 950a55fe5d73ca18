import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterEach, describe, expect, it } from "vitest";
import { type Right, rightsFor } from "../../../tools/verify/preflight/access.ts";
import { runVerify, type VerifyOptions } from "../../../tools/verify/run.ts";
import type { Snapshot } from "../../../tools/verify/snapshot.ts";
import {
  type Asked,
  type FakeCluster,
  kubeconfigFor,
  type Respond,
  startFakeCluster,
} from "../../support/fakeCluster.ts";
import { goodLog, probes, withPods } from "../../support/fakeProbes.ts";
import { readDocument } from "../../support/markdown.ts";
import { healthyPods, healthyServices, pod, snapshot, stackPolicy } from "../../support/verifyCluster.ts";

const KUBECONFIG = process.env.KUBECONFIG;
let cluster: FakeCluster | undefined;

afterEach(async () => {
  process.env.KUBECONFIG = KUBECONFIG;
  if (KUBECONFIG === undefined) {
    delete process.env.KUBECONFIG;
  }
  await cluster?.close();
  cluster = undefined;
});

function useServer(server: string): void {
  const file = join(mkdtempSync(join(tmpdir(), "egress-verify-")), "config");
  writeFileSync(file, JSON.stringify(kubeconfigFor(server)));
  process.env.KUBECONFIG = file;
}

const TARGETS = {
  targets: [
    { name: "database", to: "10.1.100.10:5432" },
    { name: "public", to: "1.1.1.1:443" },
  ],
};

/** An enforced cluster without the VPC CNI, whose probes have finished by the time that their logs are read. */
const ELSEWHERE: Partial<Snapshot> = { enforcer: { configMap: undefined, agent: undefined } };

async function run(changes: Partial<VerifyOptions> = {}, signal = new AbortController().signal) {
  const written: string[] = [];
  const notes: string[] = [];
  const code = await runVerify(
    stackPolicy(),
    TARGETS,
    { report: "json", start: 20, converge: 1, hold: 1, ...changes },
    { write: (text) => written.push(text), note: (line) => notes.push(line), signal },
  );
  const text = written.join("");
  return {
    code,
    notes,
    text,
    json: text.startsWith("{")
      ? (JSON.parse(text) as { status: string; summary: string; findings: { level: string; text: string }[] })
      : undefined,
  };
}

async function start(snap: Snapshot, respond: Respond): Promise<FakeCluster> {
  cluster = await startFakeCluster(snap, healthyServices(), respond);
  useServer(cluster.server);
  return cluster;
}

const key = ({ verb, group, resource, subresource, namespace, name }: Asked) =>
  [verb, group, resource, subresource, namespace, name].map((part) => part ?? "").join(" ");

describe("runVerify", () => {
  it("uses every right that it asks for, and no other", async () => {
    const fake = await start(snapshot(ELSEWHERE), withPods(probes()));
    const { code, json } = await run();
    expect(json).toMatchObject({ status: "verified" });
    expect(code).toBe(0);
    const ours = (name: string | undefined) =>
      name?.startsWith("egress-verify-") ? {} : { ...(name !== undefined && { name }) };
    const used = new Set(fake.asked.map(({ name, ...right }) => key({ ...right, ...ours(name) })));
    expect([...used].sort()).toEqual(rightsFor(stackPolicy(), "keeperhub").map(key).sort());
  });

  it("is granted exactly these rights by access/kubernetes-verify.yaml", () => {
    interface Granted {
      readonly kind: string;
      readonly metadata: { readonly namespace?: string };
      readonly rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
    }
    const granted = (loadAll(readDocument("access/kubernetes-verify.yaml")) as Granted[]).flatMap(
      ({ metadata, rules = [] }) =>
        rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
          verbs.flatMap((verb) =>
            resources.flatMap((each) =>
              resourceNames.map((name) => {
                const [resource = "", subresource] = each.split("/");
                const right = { verb: verb as Right["verb"], group: apiGroups[0] ?? "", resource };
                return key({
                  ...right,
                  ...(subresource !== undefined && { subresource }),
                  ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
                  ...(name !== undefined && { name }),
                });
              }),
            ),
          ),
        ),
    );
    expect(granted.sort()).toEqual(rightsFor(stackPolicy(), "keeperhub").map(key).sort());
  });

  it("creates nothing without all rights, and says each that is missing", async () => {
    const fake = await start(snapshot(), ({ resource }, body) => {
      const attributes = (body as { spec?: { resourceAttributes?: { resource: string } } } | undefined)?.spec
        ?.resourceAttributes;
      return resource === "selfsubjectaccessreviews"
        ? { body: { status: { allowed: attributes?.resource !== "jobs" } } }
        : undefined;
    });
    const { code, json } = await run();
    expect(code).toBe(2);
    expect(json?.findings.map(({ level, text }) => `${level} ${text}`)).toEqual([
      expect.stringMatching(/^stop you may not create jobs\.batch in namespace keeperhub/),
      expect.stringMatching(/^stop you may not get jobs\.batch/),
      expect.stringMatching(/^stop you may not delete jobs\.batch/),
    ]);
    expect(fake.asked).toEqual([]);
  });

  it("says why a Job was refused, and deletes what there is", async () => {
    const fake = await start(snapshot(), ({ verb, resource }) =>
      resource === "jobs" && verb === "create" ? { status: 403, message: "exceeded quota: no-jobs" } : undefined,
    );
    const { code, json } = await run();
    expect(code).toBe(2);
    expect(json?.summary).toMatch(
      /^can't create Job egress-verify-control-\w{8}: the API server answered 403: exceeded quota: no-jobs$/,
    );
    expect(fake.asked.filter(({ verb }) => verb === "delete")).toHaveLength(2);
  });

  it.each<[string, object, RegExp]>([
    [
      "an image that can't be pulled",
      {
        phase: "Pending",
        containerStatuses: [
          { name: "probe", state: { waiting: { reason: "ImagePullBackOff", message: "no such host" } } },
        ],
      },
      /can't start: ImagePullBackOff, no such host/,
    ],
    [
      "a pod that is killed",
      {
        phase: "Failed",
        containerStatuses: [{ name: "probe", state: { terminated: { reason: "OOMKilled", exitCode: 137 } } }],
      },
      /ended early: OOMKilled, exit code 137, saying "sh: killed"/,
    ],
    ["a pod that is never scheduled", { phase: "Pending" }, /no probe of the runner has started within 1 s/],
  ])("ends with %s", async (_, status, summary) => {
    await start(
      snapshot(ELSEWHERE),
      withPods(
        probes(() => "sh: killed\n"),
        status,
      ),
    );
    const { code, json } = await run({ start: 1 });
    expect(code).toBe(2);
    expect(json?.summary).toMatch(summary);
  });

  it("is stopped by its caller, and deletes both Jobs all the same", async () => {
    const stop = new AbortController();
    const fake = await start(
      snapshot(ELSEWHERE),
      withPods(
        probes(() => {
          stop.abort();
          return "egress-probe start 1.0\n";
        }),
      ),
    );
    const { code, notes, text } = await run({}, stop.signal);
    expect(code).toBe(2);
    expect(text).toBe("");
    expect(notes.at(-1)).toMatch(/stopped before the end; nothing is proved/);
    expect(fake.asked.filter(({ verb }) => verb === "delete")).toHaveLength(2);
  });

  it("waits for the control to look once more after the runner has finished", async () => {
    let reads = 0;
    const slow: typeof goodLog = (role, targets) => {
      const log = goodLog(role, targets).replace(/egress-probe done.*\n/, "");
      return role === "runner"
        ? goodLog(role, targets)
        : reads++ === 0
          ? log.replace(/(round 1 .*\n)[\s\S]*/, "$1")
          : log;
    };
    await start(snapshot(ELSEWHERE), withPods(probes(slow)));
    expect((await run()).json).toMatchObject({ status: "verified" });
    expect(reads).toBe(2);
  });

  it("asks the controller for the probing pod while that is there", async () => {
    let runner = 0;
    const unfinished = (role: "runner" | "control", targets: readonly string[]) =>
      role === "runner" && runner++ === 0
        ? goodLog(role, targets).replace(/egress-probe round 2[\s\S]*/, "")
        : goodLog(role, targets);
    await start(snapshot({ policyEndpoints: [] }), withPods(probes(unfinished)));
    const { json } = await run({ semantics: "vpc-cni" });
    expect(json?.findings.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/PolicyEndpoints do not name the probing pod \(10\.1\.3\.99\)/),
    );
  });

  it("can't run without a server, a context or a kubeconfig, and says so", async () => {
    useServer("http://127.0.0.1:1");
    expect(await run()).toMatchObject({
      code: 2,
      text: "",
      notes: expect.arrayContaining([expect.stringMatching(/could not run: connect ECONNREFUSED/)]),
    });
    expect(await run({ context: "prod" })).toMatchObject({
      code: 3,
      notes: expect.arrayContaining([
        expect.stringMatching(/could not run: the kubeconfig has no context "prod"; it has fake/),
      ]),
    });
    process.env.KUBECONFIG = "/nowhere/config";
    expect(await run()).toMatchObject({
      code: 3,
      notes: expect.arrayContaining([expect.stringMatching(/could not run: .*\/nowhere\/config/)]),
    });
  });

  it("plans as a table, as JSON and as manifests, and writes nothing to the cluster", async () => {
    const pods = [
      ...healthyPods(),
      pod("keeperhub", "run-18-aaaaa", { app: "workflow-runner" }, "10.1.3.8", {
        owner: "run-18",
        spec: { nodeSelector: { pool: "runners" } },
      }),
    ];
    const fake = await start(snapshot({ ...ELSEWHERE, pods }), () => undefined);
    const table = await run({ plan: "table" });
    expect(table.code).toBe(0);
    expect(table.text).toMatch(/^Targets, expectations under kubernetes\n/);
    expect(table.text).toMatch(/ t\d+ +denied +169\.254\.169\.254:80\/tcp +EC2 instance metadata\n/);
    const json = JSON.parse((await run({ plan: "json" })).text) as {
      targets: unknown[];
      manifests: { kind: string }[];
    };
    expect(json.manifests.map(({ kind }) => kind)).toEqual(["Job", "Job"]);
    const jobs = loadAll((await run({ plan: "yaml" })).text) as { spec: { template: { spec: object } } }[];
    expect(jobs).toHaveLength(2);
    // Two live runners without a time of creation: either stands for the other's kind of node.
    expect(jobs[0]?.spec.template.spec).toHaveProperty("nodeSelector");
    expect(fake.asked.filter(({ verb }) => verb === "create" || verb === "delete")).toEqual([]);
  });
});

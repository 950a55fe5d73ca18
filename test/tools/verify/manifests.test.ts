import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelSelector, selects } from "../../../analysis/labelSelector.ts";
import { parsePoint } from "../../../analysis/point.ts";
import { jobManifests, jobName, labelsFor, type ManifestInput } from "../../../tools/verify/manifests.ts";
import { DEFAULT_TIMING, PROBE_IMAGE } from "../../../tools/verify/probe.ts";
import type { Target } from "../../../tools/verify/targets.ts";

const TARGET: Target = {
  id: "t1",
  name: "$(touch /tmp/owned)",
  point: parsePoint("10.1.7.7:443/tcp"),
  kind: "tcp",
  source: "named",
  expected: "deny",
  why: "",
};

function input(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    run: "abcd1234",
    namespace: "keeperhub",
    controlNamespace: "keeperhub",
    runnerLabels: { app: "workflow-runner" },
    targets: [TARGET],
    timing: DEFAULT_TIMING,
    image: PROBE_IMAGE,
    imagePullPolicy: "IfNotPresent",
    nodeClass: { nodeSelector: {}, tolerations: [] },
    ...changes,
  };
}

interface PodSpec {
  readonly containers: readonly { readonly command: readonly string[]; readonly securityContext: unknown }[];
  readonly [member: string]: unknown;
}

function podSpecOf(job: ReturnType<typeof jobManifests>[0]) {
  return (job.spec.template as { metadata: { labels: Record<string, string> }; spec: PodSpec }).spec;
}

const podLabelsOf = (job: ReturnType<typeof jobManifests>[0]) =>
  (job.spec.template as { metadata: { labels: Record<string, string> } }).metadata.labels;

describe("jobManifests", () => {
  const [runner, control] = jobManifests(input());

  it("makes two Jobs that end and go by themselves", () => {
    for (const job of [runner, control]) {
      expect(job).toMatchObject({ apiVersion: "batch/v1", kind: "Job" });
      expect(job.spec).toMatchObject({ backoffLimit: 0, ttlSecondsAfterFinished: 60 });
      expect(job.spec.activeDeadlineSeconds).toBeGreaterThan(0);
      expect(job.spec.activeDeadlineSeconds).toBeLessThan(600);
    }
  });

  it("gives only the runner the labels of runners", () => {
    expect(podLabelsOf(runner)).toMatchObject({ app: "workflow-runner" });
    expect(podLabelsOf(control)).not.toHaveProperty("app");
  });

  it("asks for nothing that PodSecurity restricted refuses, no token, and no traffic from Services", () => {
    for (const job of [runner, control]) {
      const spec = podSpecOf(job);
      expect(spec).toMatchObject({
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        readinessGates: [{ conditionType: "runner-egress/never-ready" }],
      });
      expect(spec.containers.map(({ securityContext }) => securityContext)).toEqual([
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
      ]);
      expect(Object.keys(spec)).not.toContain("hostNetwork");
      expect(Object.keys(spec)).not.toContain("volumes");
    }
  });

  it("runs on the runner's kind of node", () => {
    const nodeClass = { nodeSelector: { pool: "runners" }, tolerations: [{ key: "runners", operator: "Exists" }] };
    for (const job of jobManifests(input({ nodeClass }))) {
      expect(podSpecOf(job)).toMatchObject(nodeClass);
    }
  });

  it("passes addresses as arguments, and no name at all", () => {
    const command = podSpecOf(runner).containers[0]?.command ?? [];
    expect(command.slice(0, 2)).toEqual(["/bin/sh", "-c"]);
    expect(command.at(-1)).toBe("t1 tcp 10.1.7.7 443 gate");
    expect(JSON.stringify(runner)).not.toContain("touch");
  });

  it("lets the runner wait for a few denials, not for all of them at once", () => {
    const targets = Array.from({ length: 20 }, (_, index) => ({ ...TARGET, id: `t${index + 1}` }));
    const [many] = jobManifests(input({ targets }));
    const command = podSpecOf(many).containers[0]?.command ?? [];
    expect(command.filter((word) => word.endsWith(" gate"))).toHaveLength(8);
    expect(command.filter((word) => /^t\d+ tcp /.test(word))).toHaveLength(20);
  });

  it("puts the control into another namespace when asked", () => {
    const [here, there] = jobManifests(input({ controlNamespace: "elsewhere" }));
    expect([here.metadata.namespace, there.metadata.namespace]).toEqual(["keeperhub", "elsewhere"]);
  });
});

describe("jobName", () => {
  const run = fc.stringMatching(/^[a-z0-9]{8}$/);
  // The part of a pod's name by which the AWS agent knows it.
  const stem = (pod: string) => pod.slice(0, pod.lastIndexOf("-"));

  it("has a stem of its own for each role and run, short enough to stay whole", () => {
    fc.assert(
      fc.property(run, run, run, (first, second, suffix) => {
        const names = [...new Set([first, second])].flatMap((each) => [
          jobName("runner", each),
          jobName("control", each),
        ]);
        expect(new Set(names.map((name) => stem(`${name}-${suffix.slice(0, 5)}`))).size).toBe(names.length);
        for (const name of names) {
          expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
          expect(name.length).toBeLessThanOrEqual(57);
        }
      }),
    );
  });
});

describe("labelsFor", () => {
  it("gives labels that the selector matches", () => {
    const key = fc.constantFrom("app", "tier", "team");
    const value = fc.constantFrom("a", "b", "c");
    const requirement = fc.oneof(
      fc.record({ key, operator: fc.constant("In" as const), values: fc.array(value, { minLength: 1 }) }),
      fc.record({ key, operator: fc.constant("Exists" as const), values: fc.constant([]) }),
      fc.record({
        key: fc.constant("legacy"),
        operator: fc.constantFrom("NotIn" as const, "DoesNotExist" as const),
        values: fc.constant([]),
      }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(requirement, { selector: ({ key }) => key }), (requirements) => {
        const selector = labelSelector(requirements);
        expect(selects(selector, labelsFor(selector))).toBe(true);
      }),
    );
  });
});

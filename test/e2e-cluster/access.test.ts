import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apply, kubectl, leftovers, runInLab, setUpLab } from "./lab.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly subjects?: readonly unknown[];
}

const objects = loadAll(readFileSync("access/kubernetes-verify.yaml", "utf8")) as RbacObject[];

/** Every single verb on a single resource that the file grants. */
const grants = objects.flatMap((object, at) =>
  (object.rules ?? []).flatMap((rule) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.map((verb) => ({ at, resource, verb, namespace: object.metadata.namespace ?? "the cluster" })),
    ),
  ),
);

/** The file's objects for a service account of the lab, without one of the grants. */
function accessWithout(missing: (typeof grants)[number] | undefined): RbacObject[] {
  const subjects = [{ kind: "ServiceAccount", name: "verifier", namespace: "default" }];
  return objects.map((object, at) =>
    object.subjects !== undefined
      ? { ...object, subjects }
      : {
          ...object,
          rules: (object.rules ?? [])
            .flatMap((rule) => rule.resources.map((resource) => ({ ...rule, resources: [resource] })))
            .map((rule) => ({
              ...rule,
              verbs: rule.verbs.filter(
                (verb) => at !== missing?.at || rule.resources[0] !== missing.resource || verb !== missing.verb,
              ),
            }))
            // The API server refuses a rule without verbs.
            .filter(({ verbs }) => verbs.length > 0),
        },
  );
}

const administrator = process.env.KUBECONFIG as string;

beforeAll(() => {
  setUpLab();
  kubectl("-n", "default", "create", "serviceaccount", "verifier");
  const token = kubectl("-n", "default", "create", "token", "verifier").trim();
  const config = JSON.parse(kubectl("config", "view", "--raw", "-o", "json")) as { users: unknown };
  const restricted = join(process.env.TMPDIR ?? "/tmp", `verifier-${process.pid}.json`);
  writeFileSync(restricted, JSON.stringify({ ...config, users: [{ name: "admin", user: { token } }] }), {
    mode: 0o600,
  });
  process.env.VERIFIER_KUBECONFIG = restricted;
});

afterAll(() => {
  process.env.KUBECONFIG = administrator;
});

/** Runs as the restricted account; everything else in here is done as the administrator. */
async function asVerifier<T>(work: () => Promise<T>): Promise<T> {
  process.env.KUBECONFIG = process.env.VERIFIER_KUBECONFIG as string;
  try {
    return await work();
  } finally {
    process.env.KUBECONFIG = administrator;
  }
}

describe("access/kubernetes-verify.yaml", () => {
  it("is enough for a whole run", async () => {
    apply(...accessWithout(undefined));
    const { code, output, notes } = await asVerifier(() => runInLab());
    expect(code, `${output}\n${notes.join("\n")}`).toBe(0);
    expect(leftovers()).toBe("");
  });

  it.each(grants)("has nothing that is not needed: $verb $resource in $namespace", async (grant) => {
    apply(...accessWithout(grant));
    const { code, output } = await asVerifier(() => runInLab());
    const { findings, targets, status } = JSON.parse(output) as {
      status: string;
      targets: unknown[];
      findings: { check: string; level: string; text: string; remedy: string }[];
    };
    expect({ code, status, targets }).toEqual({ code: 2, status: "could not run", targets: [] });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      check: "access",
      level: "stop",
      remedy: expect.stringContaining("access/kubernetes-verify.yaml"),
    });
    expect(findings[0]?.text).toContain(`you may not ${grant.verb} ${grant.resource}`);
    expect(leftovers()).toBe("");
  });
});

import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPreview, reviewStack } from "../../tools/review/index.ts";
import { selfSigned } from "../support/selfSigned.ts";
import { kubectl, patchPolicy, requirePolicy } from "./support/cluster.ts";
import { mustRun } from "./support/command.ts";
import { Project, type Stack } from "./support/stack.ts";
import { createWorld } from "./support/world.ts";

const NAME = "e2e-webhook";

/** What a webhook of some policy engine appends to every policy of the namespace, at every write. */
const ADDED = { to: [{ ipBlock: { cidr: "10.99.0.0/16" } }] };

/** Starts the webhook and tells the API server of it. */
async function startWebhook(): Promise<Server> {
  const certificate = selfSigned("IP:127.0.0.1");
  if (certificate === undefined) {
    throw new Error("there is no openssl to make a certificate with");
  }
  const server = createServer({ ...certificate }, async (request, response) => {
    const { request: asked } = (await json(request)) as {
      request: { uid: string; object: { spec: { egress?: object[] } } };
    };
    const { egress = [] } = asked.object.spec;
    const isThere = egress.some((rule) => JSON.stringify(rule) === JSON.stringify(ADDED));
    const patch = isThere ? [] : [{ op: "add", path: "/spec/egress/-", value: ADDED }];
    const answer = { uid: asked.uid, allowed: true, patchType: "JSONPatch", patch: btoa(JSON.stringify(patch)) };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: [
      {
        name: "policies.example.com",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAME } },
        rules: [
          {
            apiGroups: ["networking.k8s.io"],
            apiVersions: ["v1"],
            operations: ["CREATE", "UPDATE"],
            resources: ["networkpolicies"],
          },
        ],
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          caBundle: btoa(certificate.cert),
        },
      },
    ],
  };
  await mustRun("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(configuration) });
  return server;
}

describe("an admission webhook that changes the policy on each write", () => {
  let project: Project;
  let stack: Stack;
  let webhook: Server;
  beforeAll(async () => {
    project = await Project.copy();
    ({ stack } = await createWorld(project, { name: NAME, prefix: "10.72" }));
    webhook = await startWebhook();
  });
  afterAll(async () => {
    await kubectl(["delete", "mutatingwebhookconfiguration", NAME]);
    webhook.closeAllConnections();
    webhook.close();
    await project.remove();
  });

  it("is seen in the dry run of the first preview, whose review then promises nothing", async () => {
    const { cautions, notes } = reviewStack(readPreview({ name: "preview", text: await stack.previewEvents() }));
    expect(cautions).toEqual([expect.stringContaining("as a mutating admission webhook makes it")]);
    expect(notes.filter((note) => note.includes("no dry run"))).toEqual([]);
  });

  it("is told as the cluster's doing after each update, and not as somebody's change", async () => {
    for (const _ of ["create", "update"]) {
      expect(await stack.up()).toMatchObject({ status: 0 });
      expect((await requirePolicy(NAME)).spec.egress).toContainEqual(ADDED);
      const { output } = await stack.preview();
      expect(output).toContain("look at its mutating admission webhooks");
      expect(output).toContain("10.99.0.0/16");
      expect(output).not.toContain("somebody changed it");
    }
  });

  it("stands in the drift issue as the reason", async () => {
    const drift = await project.run("npm", ["run", "--silent", "ci:drift", "--", NAME]);
    expect(drift.output).toMatch(/nobody has written it since: look at its mutating admission webhooks/);
    expect(drift.output).toContain("it also allows 10.99.0.0/16");
    expect(drift.status).toBe(1);
    const issue = await project.run("npm", ["run", "--silent", "ci:comment", "--", "drift", NAME, "--print"]);
    expect(issue.output).toContain("look at its mutating admission webhooks");
  });

  it("does not hide what a person changes besides", async () => {
    await patchPolicy(NAME, [
      { op: "add", path: "/spec/egress/-", value: { to: [{ ipBlock: { cidr: "10.72.7.7/32" } }] } },
    ]);
    const { output } = await stack.preview();
    expect(output).toContain("somebody changed it since this stack applied it");
    expect(output).toContain("10.72.7.7/32");
  });
});

import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { kubectl, livePolicy, POLICY_NAME, requirePolicy } from "./support/cluster.ts";
import { mustRun } from "./support/command.ts";
import { Project } from "./support/stack.ts";
import { createWorld, type World } from "./support/world.ts";

const NAME = "e2e-access";
const PREFIX = "10.65";

interface Rule {
  readonly verbs: readonly string[];
}

let folder: string;
let project: Project;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runner-egress-access-"));
  project = await Project.copy();
  world = await createWorld(project, { name: NAME, prefix: PREFIX });
});
afterAll(async () => {
  await project.remove();
  await rm(folder, { recursive: true });
});

/** Applies a file of access/ to the case's namespace, without one verb; what was there before is replaced. */
async function grant(role: "preview" | "deploy", without?: string): Promise<void> {
  const objects = loadAll(readFileSync(`access/kubernetes-${role}.yaml`, "utf8")).map((document) => {
    const { metadata, rules, ...rest } = document as { metadata: object; rules?: readonly Rule[] };
    const left = rules?.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== without) }));
    return { ...rest, metadata: { ...metadata, namespace: NAME }, ...(left && { rules: left }) };
  });
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  await mustRun("kubectl", ["apply", "-f", "-"], { input: list });
}

/**
 * A kubeconfig of somebody who is in the group of the file and in no other. All have one path, because the provider keeps
 * the path of a kubeconfig that is not the program's own, and another one would be a change.
 */
async function kubeconfigOf(role: "preview" | "deploy"): Promise<{ KUBECONFIG: string }> {
  const config = JSON.parse(await mustRun("kubectl", ["config", "view", "--raw", "--minify", "-o", "json"]));
  for (const { user } of config.users) {
    Object.assign(user, { as: `somebody-who-may-${role}`, "as-groups": [`runner-egress-${role}`] });
  }
  const KUBECONFIG = join(folder, "kubeconfig.json");
  await writeFile(KUBECONFIG, JSON.stringify(config), { mode: 0o600 });
  return { KUBECONFIG };
}

describe("access/kubernetes-deploy.yaml", () => {
  const up = async (...args: string[]) => world.stack.with(await kubeconfigOf("deploy")).up("--refresh", ...args);
  let nextSubnet = 110;

  /** A change of the network that the policy has to follow. */
  async function changeNetwork(): Promise<string> {
    const cidr = `${PREFIX}.${nextSubnet++}.0/24`;
    await world.network.addDatabaseSubnet(cidr);
    return cidr;
  }

  it.each(["get", "create"])("is needed for the first up: without %s nothing is written", async (verb) => {
    await grant("deploy", verb);
    const { status, output } = await up();
    expect(status).not.toBe(0);
    expect(output).toMatch(new RegExp(`verb ${verb}|cannot ${verb}`));
    expect(await livePolicy(NAME)).toBeUndefined();
  });

  it("lets the first up do without patch", async () => {
    await grant("deploy", "patch");
    const { status, output } = await up();
    expect(status, output).toBe(0);
    expect(await livePolicy(NAME)).toBeDefined();
  });

  it.each(["get", "patch"])("is needed for the next up: without %s the live policy stays as it was", async (verb) => {
    await changeNetwork();
    const before = await requirePolicy(NAME);
    await grant("deploy", verb);
    const { status, output } = await up();
    expect(status).not.toBe(0);
    expect(output).toMatch(new RegExp(`verb ${verb}|cannot ${verb}`));
    expect(await requirePolicy(NAME)).toEqual(before);
  });

  it("lets the next up do without create", async () => {
    const cidr = await changeNetwork();
    await grant("deploy", "create");
    const { status, output } = await up();
    expect(status, output).toBe(0);
    expect(JSON.stringify((await requirePolicy(NAME)).spec)).toContain(cidr);
  });

  it("is enough for every step", async () => {
    await grant("deploy");
    await kubectl(["-n", NAME, "delete", "networkpolicy", POLICY_NAME]);
    expect(await up()).toMatchObject({ status: 0 });
    const cidr = await changeNetwork();
    expect(await up()).toMatchObject({ status: 0 });
    expect(JSON.stringify((await requirePolicy(NAME)).spec)).toContain(cidr);
  });
});

describe("access/kubernetes-preview.yaml", () => {
  const preview = async () =>
    world.stack.with(await kubeconfigOf("preview")).preview("--refresh", "--expect-no-changes");
  const drift = async () =>
    project.run("npm", ["run", "--silent", "ci:drift", NAME], { env: await kubeconfigOf("preview") });

  beforeAll(async () => {
    await grant("deploy");
    const { status, output } = await world.stack.with(await kubeconfigOf("deploy")).up("--refresh");
    expect(status, output).toBe(0);
    // The network as the cases before have left it, as somebody would have it reviewed.
    await world.network.recordFacts(project, NAME);
  });

  it("is enough for a preview and the drift check", async () => {
    await grant("preview");
    const { status, output } = await preview();
    expect(status, output).toBe(0);
    const check = await drift();
    expect(check.status, check.output).toBe(0);
  });

  it("is needed for both: without get a preview fails and names the verb", async () => {
    await grant("preview", "get");
    const { status, output } = await preview();
    expect(status).not.toBe(0);
    expect(output).toMatch(/Grant the verb get on networkpolicies|cannot get resource "networkpolicies"/);
    expect(await drift()).toMatchObject({ status: 2 });
  });

  it("needs list for the drift check alone", async () => {
    await grant("preview", "list");
    expect(await preview()).toMatchObject({ status: 0 });
    const { status, output } = await drift();
    expect(output).toMatch(/cannot list resource "networkpolicies"/);
    expect(status).toBe(2);
  });

  it("changes nothing: up is refused", async () => {
    await world.network.addDatabaseSubnet(`${PREFIX}.150.0/24`);
    await grant("preview");
    const before = await requirePolicy(NAME);
    const { status } = await world.stack.with(await kubeconfigOf("preview")).up();
    expect(status).not.toBe(0);
    expect(await requirePolicy(NAME)).toEqual(before);
  });
});

describe("access/aws-preview.json and access/aws-deploy.json", () => {
  let server: Server;
  const seen = new Set<string>();

  /** Passes requests on to the AWS API of the suite and notes which actions they are. */
  beforeAll(async () => {
    const target = process.env.AWS_ENDPOINT_URL as string;
    server = createServer(async (request, response) => {
      const body = await readAll(request);
      const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? "")?.[1];
      seen.add(`${service}:${actionOf(request.method ?? "", request.url ?? "", body)}`);
      const { host: _, connection: __, "content-length": ___, "transfer-encoding": ____, ...headers } = request.headers;
      const answer = await fetch(new URL(request.url ?? "/", target), {
        method: request.method ?? "GET",
        headers: headers as Record<string, string>,
        ...(body === "" ? {} : { body }),
      });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/xml" });
      response.end(await answer.text());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => seen.clear());

  it.each(["preview", "up"] as const)("have the actions that %s calls, and no other for the network", async (step) => {
    const { port } = server.address() as AddressInfo;
    const stack = world.stack.with({ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
    const { status, output } = await (step === "up" ? stack.up() : stack.preview());
    expect(status, output).toBe(0);
    seen.delete("sts:GetCallerIdentity");
    const file = step === "up" ? "access/aws-deploy.json" : "access/aws-preview.json";
    const { Statement } = JSON.parse(readFileSync(file, "utf8")) as { Statement: { Action: string[] }[] };
    const granted = Statement.flatMap(({ Action }) => Action).filter((action) => !/^(s3|kms):/.test(action));
    expect([...seen].sort()).toEqual(granted.sort());
  });
});

/** The action of a request: in the body of a Query API, in the path of EKS. */
function actionOf(method: string, url: string, body: string): string {
  const action = new URLSearchParams(body).get("Action");
  if (action !== null) return action;
  if (method === "GET" && /^\/clusters\/[^/]+$/.test(url)) return "DescribeCluster";
  if (method === "GET" && /^\/clusters\/[^/]+\/addons\/[^/]+$/.test(url)) return "DescribeAddon";
  return `${method} ${url}`;
}

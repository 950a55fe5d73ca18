import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { loadAll } from "js-yaml";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startApiServer } from "../../support/apiServer.ts";
import { egress, egressProcess, files } from "../../support/cli.ts";
import { rightOf } from "../../support/fakeCluster.ts";
import { ROOT } from "../../support/fixtureProject.ts";
import { block, policy } from "../../support/policies.ts";

const MAIN = join(ROOT, "tools", "cli", "main.ts");

type Objects = Readonly<Record<string, readonly object[]>>;

const pod = (name: string, labels: object, podIP: string, more: object = {}) => ({
  metadata: { name, namespace: "keeperhub", labels },
  spec: {},
  status: { phase: "Running", podIP, hostIP: "10.1.20.7", hostIPs: [{ ip: "10.1.20.7" }] },
  ...more,
});
const listed = (object: object) => ({ ...object, apiVersion: undefined, kind: undefined });

/** A cluster as `keeperhub` has it. */
const CLUSTER: Objects = {
  networkpolicies: [listed(policy([block("0.0.0.0/0", { except: ["10.0.0.0/8"] })]))],
  namespaces: [{ metadata: { name: "default" } }, { metadata: { name: "keeperhub" } }],
  pods: [
    pod("runner-1", { app: "workflow-runner" }, "10.1.20.30"),
    pod("web", { app: "web" }, "10.1.20.31"),
    pod("agent", { app: "workflow-runner" }, "10.1.20.7", { spec: { hostNetwork: true } }),
  ],
  services: [
    {
      metadata: { name: "kubernetes", namespace: "default" },
      spec: { clusterIP: "172.20.0.1", clusterIPs: ["172.20.0.1"], ports: [{ port: 443 }] },
    },
  ],
};

interface Behaviour {
  /** Kinds of other groups, by group: `[plural, kind]`. */
  readonly others?: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  /** The collection that may not be listed. */
  readonly refused?: string;
  readonly discovery?: object;
}

const asked: string[] = [];
let before: string | undefined;
beforeEach(() => {
  before = process.env.KUBECONFIG;
  asked.length = 0;
});
afterEach(() => {
  process.env.KUBECONFIG = before;
  if (before === undefined) {
    delete process.env.KUBECONFIG;
  }
});

/** Starts the cluster and makes it the context `c` of the user's kubeconfig. */
async function cluster(objects: Objects = CLUSTER, { others = {}, refused, discovery }: Behaviour = {}): Promise<void> {
  const groups = Object.entries(others).map(([name, kinds]) => ({
    metadata: { name },
    versions: ["v1alpha2", "v1alpha1"].map((version) => ({
      version,
      resources: kinds.map(([resource, kind]) => ({ resource, responseKind: { kind } })),
    })),
  }));
  const server = await startApiServer(({ method = "", url = "", headers }) => {
    const path = url.replace(/^\/prefix/, "");
    if (path === "/apis") {
      expect(headers.accept).toContain("as=APIGroupDiscoveryList");
      return [200, discovery ?? { kind: "APIGroupDiscoveryList", items: groups }];
    }
    const { verb, group, resource } = rightOf(method, path);
    asked.push(`${verb} ${resource}${group === "" ? "" : `.${group}`}`);
    if (resource === refused) {
      return [403, { kind: "Status", message: `may not list ${resource}` }];
    }
    // One object a page.
    const query = new URL(path, "http://fake").searchParams;
    expect(query.get("limit")).toBe("500");
    const all = objects[resource] ?? [];
    const at = Number(query.get("continue") ?? 0);
    const more = at + 1 < all.length ? { continue: String(at + 1) } : {};
    return [200, { items: all.slice(at, at + 1), metadata: more }];
  });
  onTestFinished(() => server.close());
  const at = files({ config: server.kubeconfig });
  process.env.KUBECONFIG = at("config");
}

describe("--context", () => {
  it("asks the live policies, for the named pod and its node", async () => {
    await cluster();
    const { code, stdout, stderr } = await egress([
      ...["explain", "10.1.20.7:443", "8.8.8.8:443", "pod/keeperhub/web:80"],
      ...["--context", "c", "--pod", "keeperhub/runner-1"],
    ]);
    // The pod's own node: denied as specified, always allowed by the agent.
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(stdout).toContain("From pod keeperhub/runner-1 (app=workflow-runner) (1 policy applies)");
    expect(stdout).toMatch(/vpc-cni: 10\.1\.20\.7:443\/tcp .* is allowed .*node/);
    expect(stdout).toContain("ALLOW  8.8.8.8:443  kubernetes, vpc-cni");
    expect(stdout).toContain("pod keeperhub/web, 10.1.20.31:80/tcp");
  });

  it("reads the pod's other facts from an inventory, too", async () => {
    const items = [
      { kind: "Namespace", metadata: { name: "keeperhub" } },
      ...(CLUSTER.pods ?? []).map((object) => ({ kind: "Pod", ...object })),
    ];
    const at = files({ "cluster.json": { kind: "List", items }, "p.json": policy([]) });
    const args = ["--policy", at("p.json"), "--inventory", at("cluster.json")];
    const web = await egress(["explain", "10.0.0.1:1", ...args, "--pod", "keeperhub/web"]);
    expect(web).toMatchObject({ code: 0 });
    expect(web.stdout).toContain("From pod keeperhub/web (app=web) (0 policies apply)");
    expect(await egress(["explain", "10.0.0.1:1", ...args, "--pod", "keeperhub/agent"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "pod keeperhub/agent uses its node's network, to which no NetworkPolicy applies\n",
    });
    expect(await egress(["explain", "10.0.0.1:1", ...args, "--pod", "keeperhub/nobody"])).toMatchObject({
      code: 3,
      stderr: "--pod keeperhub/nobody: there is no such pod\n",
    });
  });

  it.each([
    [["regions", "--family", "ipv4", "--verdict", "allow"], 0, "11.0.0.0-255.255.255.255"],
    [["divergences", "--pod", "keeperhub/runner-1"], 0, "node 10.1.20.7"],
    [["check", "docs/examples/assertions.yaml"], 2, "FAILS"],
    [["diff", "context:c", "context:c"], 0, "context:c -> context:c"],
  ] as const)("is understood by %j", async ([command, ...args], code, text) => {
    await cluster();
    const outcome = await egress([command, ...args, "--context", "c"]);
    expect(outcome).toMatchObject({ code, stderr: "" });
    expect(outcome.stdout).toContain(text);
    // Each collection once, whatever needs it.
    expect(asked.filter((right) => right === "list networkpolicies.networking.k8s.io")).toHaveLength(1);
  });

  it("compares what is live with a file, for a live pod", async () => {
    await cluster();
    const at = files({ "p.json": policy([block("0.0.0.0/0")]) });
    const args = ["--context", "c", "--pod", "keeperhub/runner-1", "--semantics", "kubernetes"];
    const { code, stdout } = await egress(["diff", "context:c", at("p.json"), ...args]);
    expect(code).toBe(1);
    expect(stdout).toContain("+ 10.0.0.0/8 TCP, UDP, SCTP all ports");
  });

  it("takes the cluster's family from its Services", async () => {
    const services = [
      {
        metadata: { name: "kubernetes", namespace: "default" },
        spec: { clusterIP: "fd00::1", ports: [{ port: 443 }] },
      },
    ];
    await cluster({ ...CLUSTER, services });
    const { stdout } = await egress(["regions", "--context", "c", "--semantics", "vpc-cni"]);
    expect(stdout).toContain("vpc-cni (ipv6 cluster");
  });

  it("asks for exactly the rights of access/kubernetes-analyse.yaml", async () => {
    const awsKinds = [
      ["applicationnetworkpolicies", "ApplicationNetworkPolicy"],
      ["clusternetworkpolicies", "ClusterNetworkPolicy"],
      ["policyendpoints", "PolicyEndpoint"],
    ] as const;
    await cluster(CLUSTER, { others: { "networking.k8s.aws": awsKinds, apps: [["deployments", "Deployment"]] } });
    expect((await egress(["regions", "--context", "c"])).code).toBe(0);
    const [role, binding] = loadAll(readFileSync(join(ROOT, "access/kubernetes-analyse.yaml"), "utf8")) as [
      { rules: { apiGroups: [string]; resources: string[]; verbs: string[] }[]; metadata: { name: string } },
      { roleRef: { name: string } },
    ];
    const granted = role.rules.flatMap(({ apiGroups: [group], resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}${group === "" ? "" : `.${group}`}`)),
    );
    expect([...new Set(asked)].sort()).toEqual(granted.sort());
    expect(binding.roleRef.name).toBe(role.metadata.name);
  });

  it("concludes nothing next to a policy of another kind", async () => {
    const others = { "cilium.io": [["ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy"]] } as const;
    await cluster({ ...CLUSTER, ciliumclusterwidenetworkpolicies: [{ metadata: { name: "all" } }] }, { others });
    const { code, stdout, stderr } = await egress(["regions", "--context", "c"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(
      "c: CiliumClusterwideNetworkPolicy all: cilium.io/v1alpha2 CiliumClusterwideNetworkPolicy",
    );
  });

  it.each(["networkpolicies", "namespaces", "pods", "services", "clusternetworkpolicies"])(
    "concludes nothing without the right to list %s",
    async (refused) => {
      const others = { "networking.k8s.aws": [["clusternetworkpolicies", "ClusterNetworkPolicy"]] } as const;
      await cluster(CLUSTER, { others, refused });
      const { code, stdout, stderr } = await egress(["explain", "8.8.8.8:443", "--context", "c"]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(new RegExp(`^c: can't list ${refused}.*: the API server answered 403: may not list`));
      expect(stderr).toContain("access/kubernetes-analyse.yaml has the rights");
    },
  );

  it("concludes nothing from a server that does not tell its kinds", async () => {
    await cluster(CLUSTER, { discovery: { kind: "APIGroupList", groups: [] } });
    expect(await egress(["explain", "8.8.8.8:443", "--context", "c"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("the API server does not list its kinds in one answer"),
    });
  });

  it.each([
    [["explain", "8.8.8.8:443", "--context", "d"], 3, '--context d: the kubeconfig has no context "d"; it has c'],
    [["explain", "8.8.8.8:443", "--context", "c", "--pod", "web"], 3, "--pod web: a pod is NAMESPACE/NAME"],
    [["explain", "8.8.8.8:443", "--context", "c", "--policy", "p.yaml"], 3, "cannot be used with option"],
    [["diff", "context:d", "p.yaml"], 3, '--context d: the kubeconfig has no context "d"; it has c'],
    [["explain", "8.8.8.8:443", "--stack", "staging", "--pod", "a/b"], 3, "add --context NAME or --inventory FILE"],
  ] as const)("%j is refused", async (args, code, message) => {
    await cluster();
    const outcome = await egress(args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toContain(message);
  });

  it("says so where nobody answers, and ends when it is told to", async () => {
    const dead = files({ config: "" });
    const config = (server: string) => {
      writeFileSync(
        dead("config"),
        JSON.stringify({
          "current-context": "c",
          contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
          clusters: [{ name: "c", cluster: { server } }],
        }),
      );
      return { KUBECONFIG: dead("config") };
    };
    const args = ["explain", "8.8.8.8:443", "--context", "c"];
    expect(await egressProcess(args, { env: config("http://127.0.0.1:1") })).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^c: connect ECONNREFUSED 127\.0\.0\.1:1\n/),
    });

    const silent = createServer();
    onTestFinished(() => {
      silent.close();
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...config(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`) },
    });
    const [socket] = (await once(silent, "connection")) as [Socket];
    onTestFinished(() => {
      socket.destroy();
    });
    child.kill("SIGINT");
    const [stderr, [code]] = await Promise.all([readAll(child.stderr), once(child, "close")]);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "SIGINT: stopped before the end; there is no result\n" });
  });
});

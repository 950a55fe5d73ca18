import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A NetworkPolicy as the API server keeps it. */
export interface LiveObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
}

/** The offline cluster as a program finds it. */
export interface ClusterApi {
  /** What leads the program to this cluster and to no other. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Address of the API server, the same in every run so that what the program registers is too. The name never resolves
 * (RFC 6761): requests get here because the program's environment names this server as its proxy.
 */
export const OFFLINE_ENDPOINT = "http://kubernetes.invalid";

const POLICIES = /^\/apis\/networking\.k8s\.io\/v1\/namespaces\/([^/]+)\/networkpolicies\/([^/]+)$/;

/**
 * Serves the API of a cluster on loopback, as much of it as reads a NetworkPolicy. The program reads the live policy
 * from it in its usual way: with the credential command of its EKS kubeconfig, or through a context of a kubeconfig file.
 *
 * @param live the policies on the cluster; any other is answered as not found
 * @param context name of a kubeconfig context through which the cluster is reached as well
 */
export async function serveClusterApi(live: readonly LiveObject[], context?: string): Promise<ClusterApi> {
  const server = createServer(answerFrom(live));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const folder = await mkdtemp(join(tmpdir(), "runner-egress-offline-"));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(context)));
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    environment: {
      PATH: `${join(import.meta.dirname, "bin")}${delimiter}${process.env.PATH ?? ""}`,
      KUBECONFIG: kubeconfig,
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      // The engine itself.
      NO_PROXY: "127.0.0.1",
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}

function answerFrom(live: readonly LiveObject[]): RequestListener {
  return (request, response) => {
    // A request through a proxy names the whole address.
    const { pathname } = new URL(request.url ?? "/", OFFLINE_ENDPOINT);
    const [, namespace, name] = POLICIES.exec(pathname) ?? [];
    const found = live.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    const code = found === undefined ? 404 : 200;
    const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code };
    const policy = { kind: "NetworkPolicy", apiVersion: "networking.k8s.io/v1", ...found };
    response.writeHead(code, { "content-type": "application/json" });
    response.end(JSON.stringify(found === undefined ? status : policy));
  };
}

function kubeconfigOf(name: string | undefined) {
  const named = (entry: object) => (name === undefined ? [] : [{ name, ...entry }]);
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: named({ cluster: { server: OFFLINE_ENDPOINT } }),
    users: named({ user: { token: "offline" } }),
    contexts: named({ context: { cluster: name, user: name } }),
  };
}

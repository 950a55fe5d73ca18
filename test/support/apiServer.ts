import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Kubeconfig } from "../../kube/kubeconfig.ts";

/** An API server that answers as a test says; what it was asked is the test's to record. */
export interface TestApiServer {
  readonly kubeconfig: Kubeconfig;
  close(): void;
}

export async function startApiServer(
  answer: (request: IncomingMessage) => [status: number, body: unknown],
): Promise<TestApiServer> {
  const server: Server = createServer((request, response) => {
    const [status, body] = answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { kubeconfig: kubeconfigOf(`http://127.0.0.1:${port}/prefix`), close: () => server.close() };
}

/** A kubeconfig with one context, `c`, and a token. */
export function kubeconfigOf(address: string): Kubeconfig {
  return {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: address } }],
    users: [{ name: "u", user: { token: "secret" } }],
  };
}

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Right } from "../../tools/verify/preflight/access.ts";
import type { Snapshot } from "../../tools/verify/snapshot.ts";

/** One request to the fake API server, as the right that it takes. */
export type Asked = Pick<Right, "verb" | "group" | "resource" | "namespace" | "subresource" | "name">;

/** What the fake answers: a body, or a status with a message. */
export type Answer = { readonly body: unknown } | { readonly status: number; readonly message: string };

/** An API server for one test: answers from objects, remembers what it was asked. */
export interface FakeCluster {
  readonly server: string;
  readonly asked: readonly Asked[];
  readonly close: () => Promise<void>;
}

/** A collection or an object in a path of the Kubernetes API, as authorisation sees it. */
export function rightOf(method: string, path: string): Asked {
  const [place = ""] = path.split("?");
  const parts = place.split("/").filter((part) => part !== "");
  const group = parts[0] === "api" ? "" : (parts[1] ?? "");
  const rest = parts.slice(parts[0] === "api" ? 2 : 3);
  const namespaced = rest[0] === "namespaces" && rest.length > 2;
  const [resource = "", name, subresource] = namespaced ? rest.slice(2) : rest;
  const verb = method === "POST" ? "create" : method === "DELETE" ? "delete" : name === undefined ? "list" : "get";
  return {
    verb,
    group,
    resource,
    ...(namespaced && { namespace: rest[1] as string }),
    ...(subresource !== undefined && { subresource }),
    ...(name !== undefined && { name }),
  };
}

/** What a test answers itself; `undefined`: the objects of the snapshot are served. */
export type Respond = (asked: Asked, body: unknown, query: URLSearchParams) => Answer | undefined;

/** Starts a fake API server on loopback. */
export async function startFakeCluster(
  snapshot: Snapshot,
  services: readonly { readonly metadata: { readonly namespace?: string } }[],
  respond: Respond,
): Promise<FakeCluster> {
  const asked: Asked[] = [];
  const server: Server = createServer(async (request, response) => {
    const right = rightOf(request.method ?? "", request.url ?? "");
    const body = await readBody(request);
    if (right.resource !== "selfsubjectaccessreviews") {
      asked.push(right);
    }
    const query = new URL(request.url ?? "", "http://fake").searchParams;
    const answer = respond(right, body, query) ?? serve(right, snapshot, services);
    response.statusCode = "status" in answer ? answer.status : 200;
    const text = "status" in answer ? { kind: "Status", message: answer.message } : answer.body;
    response.end(typeof text === "string" ? text : JSON.stringify(text));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A kubeconfig whose only context, `fake`, is a fake API server. */
export function kubeconfigFor(server: string) {
  return {
    "current-context": "fake",
    clusters: [{ name: "fake", cluster: { server } }],
    users: [{ name: "fake", user: { token: "t" } }],
    contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
  }
  return text === "" ? undefined : JSON.parse(text);
}

const NOT_FOUND: Answer = { status: 404, message: "the server could not find the requested resource" };

function serve(
  { verb, resource, namespace, name }: Asked,
  snapshot: Snapshot,
  services: readonly { readonly metadata: { readonly namespace?: string } }[],
): Answer {
  const inNamespace = <T extends { readonly metadata: { readonly namespace?: string } }>(objects: readonly T[]) => ({
    body: { items: objects.filter(({ metadata }) => metadata.namespace === namespace) },
  });
  const found = (body: unknown): Answer => (body === undefined ? NOT_FOUND : { body });
  switch (`${verb} ${resource}`) {
    case "create selfsubjectaccessreviews":
      return { body: { status: { allowed: true } } };
    case "list pods":
      return inNamespace(snapshot.pods);
    case "list services":
      return inNamespace(services);
    case "list networkpolicies":
      return { body: { items: snapshot.networkPolicies } };
    case "list policyendpoints":
      return snapshot.policyEndpoints === undefined ? NOT_FOUND : { body: { items: snapshot.policyEndpoints } };
    case "get namespaces":
      return { body: { metadata: { name, labels: snapshot.namespaceLabels } } };
    case "get services":
      return found(snapshot.apiServer.service);
    case "get endpointslices":
      return found(snapshot.apiServer.endpoints);
    case "get configmaps":
      return found(snapshot.enforcer.configMap && { data: snapshot.enforcer.configMap });
    default:
      return NOT_FOUND;
  }
}

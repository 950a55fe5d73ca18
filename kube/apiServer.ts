import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { ClusterAccess } from "./kubeconfig.ts";
import { type Ended, retryAfter, retrying } from "./retry.ts";

/** What an API server answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const PATIENCE_SECONDS = 15;

/** What to ask of an API server. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: JSON. */
  readonly accept?: string;
}

/** Reads one path of a cluster's API; throws as {@link callApi}. */
export function getFromApi(access: ClusterAccess, path: string, accept?: string): Promise<ApiAnswer> {
  return callApi(access, { method: "GET", path, ...(accept !== undefined && { accept }) });
}

/**
 * Asks a cluster's API. A body that is not JSON, such as a log, is given as text. As other clients do, it asks again a few
 * times where the server is only busy or restarting.
 *
 * @throws {Error} when the server does not answer, not for any status that it answers.
 */
export async function callApi(access: ClusterAccess, request: ApiRequest): Promise<ApiAnswer> {
  const { status, body } = await retrying(
    () => callOnce(access, request),
    (ended) => passes(request, ended),
  );
  return { status, body };
}

type Answer = ApiAnswer & { readonly retryAfter: number | undefined };

/** 429 and 503 are answers of a server that did nothing; what else may be over soon is asked again where that does no harm. */
function passes({ method }: ApiRequest, ended: Ended<Answer>): number | boolean {
  if ("error" in ended) {
    return method === "GET" && /^(ECONNRESET|EPIPE)$/.test((ended.error as NodeJS.ErrnoException).code ?? "");
  }
  const { status, retryAfter = true } = ended.answer;
  return (status === 429 || status === 503 || (method !== "POST" && [500, 502, 504].includes(status))) && retryAfter;
}

async function callOnce(access: ClusterAccess, { method, path, body: input, accept }: ApiRequest): Promise<Answer> {
  const url = new URL(path.replace(/^\//, ""), access.server.endsWith("/") ? access.server : `${access.server}/`);
  const response = await send(url, access, method, input, accept);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
  }
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page or an empty answer; the status says enough.
  }
  return { status: response.statusCode ?? 0, body, retryAfter: retryAfter(response.headers["retry-after"]) };
}

function send(
  url: URL,
  access: ClusterAccess,
  method: string,
  body: unknown,
  accept = "application/json",
): Promise<IncomingMessage> {
  const { token, basic, certificateAuthority, clientCertificate, clientKey, serverName, impersonated } = access;
  const authorization = token
    ? `Bearer ${token}`
    : basic && `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`;
  const isTls = url.protocol === "https:";
  // As in kubectl: the kubeconfig's own proxy, else HTTPS_PROXY and NO_PROXY.
  const proxyEnv = access.proxy ? { HTTPS_PROXY: access.proxy, HTTP_PROXY: access.proxy } : process.env;
  const options: RequestOptions = {
    method,
    timeout: PATIENCE_SECONDS * 1000,
    headers: {
      accept,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(authorization && { authorization }),
      ...(impersonated && { "impersonate-user": impersonated.user, "impersonate-group": [...impersonated.groups] }),
    },
    agent: isTls
      ? new HttpsAgent({
          proxyEnv,
          rejectUnauthorized: !access.skipVerify,
          ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
          ...(clientCertificate !== undefined && { cert: clientCertificate }),
          ...(clientKey !== undefined && { key: clientKey }),
          ...(serverName !== undefined && { servername: serverName }),
        })
      : new HttpAgent({ proxyEnv }),
  };
  return new Promise((resolve, reject) => {
    const request = (isTls ? requestHttps : requestHttp)(url, options, resolve);
    request.on("timeout", () => request.destroy(new Error(`no answer within ${PATIENCE_SECONDS} s`)));
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

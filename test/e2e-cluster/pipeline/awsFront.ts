import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type AwsRequest, iamRequests, type Signature, signatureOf } from "./awsRequests.ts";
import { allows, type IamPolicy } from "./iamPolicy.ts";

/** A role of the account. */
export interface Role {
  readonly name: string;
  readonly trust: IamPolicy;
  readonly policy: IamPolicy;
}

/** What an answer about a cluster has instead of the endpoint that the AWS API made up. */
export interface Endpoint {
  readonly url: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

/**
 * Stands before the AWS API and adds what it lacks: IAM, which lets a session do what its role's policy allows and nothing
 * else, and clusters that are there. Whoever does not come with the session of a role is the administrator.
 */
export class AwsFront {
  /** What each role was seen to do. */
  readonly used = new Map<string, Set<string>>();
  /** What each role was refused, one sentence each. */
  readonly refused: string[] = [];
  /** The roles that were made through here, by their names. */
  readonly roles = new Map<string, Role>();
  /** Kubernetes groups by cluster and principal, which the AWS API here doesn't know. */
  readonly accessEntries = new Map<string, readonly string[]>();
  readonly #target: URL;
  readonly #sessions = new Map<string, Role>();
  readonly #server: Server;
  /** ARN of the only key, once it was made. */
  #kmsKey = "";
  endpoint: Endpoint | undefined;

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, response) => {
      this.#serve(incoming, response).catch((error: Error) => refuse(response, "s3", 500, error.message));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The role of the session that an access key belongs to. */
  roleOf(accessKeyId: string): Role | undefined {
    return this.#sessions.get(accessKeyId);
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const url = new URL(incoming.url ?? "/", this.#target);
    const asked: AwsRequest = { method: incoming.method ?? "", url, headers: incoming.headers, body: body.toString() };
    const assumed = this.#assumedRole(asked);
    if (assumed === "refused") {
      return refuse(response, "sts", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    }
    const signature = signatureOf(asked.headers, url);
    const role = signature && this.roleOf(signature.accessKeyId);
    if (signature !== undefined && role !== undefined) {
      const denied = this.#judge(role, signature, asked);
      if (denied !== undefined) {
        return refuse(response, signature.service, 403, denied);
      }
    }
    const entry = signature?.service === "eks" && this.#accessEntry(asked);
    if (entry) {
      return reply(response, ...entry);
    }
    const answer = await this.#forward(incoming, body);
    const text = answer.body.toString();
    if (answer.status === 200) {
      this.#remember(asked, text);
    }
    if (assumed !== undefined) {
      this.#sessions.set(/<AccessKeyId>([^<]+)</.exec(text)?.[1] ?? "", assumed);
    }
    const isCluster = signature?.service === "eks" && /^\/clusters\/[^/]+$/.test(url.pathname) && answer.status === 200;
    const changed =
      isCluster && this.endpoint !== undefined ? Buffer.from(atEndpoint(text, this.endpoint)) : answer.body;
    const { "content-length": length, "transfer-encoding": _, ...headers } = answer.headers;
    // The length that a HEAD tells is not that of its body.
    const own = asked.method === "HEAD" ? length : changed.length;
    response.writeHead(answer.status, { ...headers, ...(own !== undefined && { "content-length": own }) });
    response.end(changed);
  }

  /** The role that a web identity token gets by this request; `undefined` for any other request. */
  #assumedRole({ body, url }: AwsRequest): Role | "refused" | undefined {
    const parameters = new URLSearchParams(body || url.search);
    if (parameters.get("Action") !== "AssumeRoleWithWebIdentity") {
      return undefined;
    }
    const role = this.roles.get(parameters.get("RoleArn")?.split("/").at(-1) ?? "");
    const claims = claimsOf(parameters.get("WebIdentityToken") ?? "");
    const keys = Object.fromEntries(
      Object.entries(claims).map(([claim, value]) => [`token.actions.githubusercontent.com:${claim}`, value]),
    );
    const question = { action: "sts:AssumeRoleWithWebIdentity", resource: "*", keys };
    return role !== undefined && allows(role.trust, question) ? role : "refused";
  }

  /** What an administrator makes: IAM is played here, and the AWS API has one key. */
  #remember({ body, headers }: AwsRequest, answer: string): void {
    const parameters = new URLSearchParams(body);
    const [action, name = ""] = ["Action", "RoleName"].map((key) => parameters.get(key) ?? undefined);
    const document = (key: string) => JSON.parse(parameters.get(key) ?? "{}") as IamPolicy;
    const role = this.roles.get(name) ?? { name, trust: { Statement: [] }, policy: { Statement: [] } };
    if (action === "CreateRole") {
      this.roles.set(name, { ...role, trust: document("AssumeRolePolicyDocument") });
    } else if (action === "PutRolePolicy") {
      this.roles.set(name, { ...role, policy: document("PolicyDocument") });
    } else if (String(headers["x-amz-target"]).endsWith(".CreateKey")) {
      this.#kmsKey = (JSON.parse(answer) as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn;
    }
  }

  /** An answer about an access entry; `undefined`: it is asked about something else. */
  #accessEntry({ method, url, body }: AwsRequest): readonly [number, object] | undefined {
    const [, cluster, encoded] = /^\/clusters\/([^/]+)\/access-entries(?:\/(.+))?$/.exec(url.pathname) ?? [];
    if (cluster === undefined) {
      return undefined;
    }
    const asked = JSON.parse(body || "{}") as { principalArn?: string; kubernetesGroups?: string[] };
    const principal = asked.principalArn ?? decodeURIComponent(encoded ?? "");
    const key = `${cluster} ${principal}`;
    if (method === "POST" && asked.kubernetesGroups !== undefined) {
      this.accessEntries.set(key, asked.kubernetesGroups);
    }
    const groups = this.accessEntries.get(key);
    return groups === undefined
      ? [404, { __type: "ResourceNotFoundException", message: `no access entry of ${principal}` }]
      : [200, { accessEntry: { clusterName: cluster, principalArn: principal, kubernetesGroups: groups } }];
  }

  #judge(role: Role, signature: Signature, asked: AwsRequest): string | undefined {
    const used = this.used.get(role.name) ?? new Set();
    this.used.set(role.name, used);
    for (const question of iamRequests(signature, asked, this.#kmsKey)) {
      // Everybody may ask who they are.
      if (question.action === "sts:GetCallerIdentity") {
        continue;
      }
      if (!allows(role.policy, question)) {
        const denied = `${role.name} is not authorized to perform ${question.action} on ${question.resource}`;
        this.refused.push(denied);
        return denied;
      }
      used.add(question.action);
    }
    return undefined;
  }

  #forward(incoming: IncomingMessage, body: Buffer) {
    return new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }>((resolve, reject) => {
      const { hostname, port } = this.#target;
      const { method, url: path, headers } = incoming;
      const outgoing = request({ hostname, port, method, path, headers }, async (answer) => {
        resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) });
      });
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }
}

function claimsOf(token: string): Record<string, string> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString() || "{}");
}

function atEndpoint(text: string, { url, certificateAuthority }: Endpoint): string {
  const answer = JSON.parse(text);
  answer.cluster.endpoint = url;
  answer.cluster.certificateAuthority = { data: Buffer.from(certificateAuthority).toString("base64") };
  return JSON.stringify(answer);
}

function reply(response: ServerResponse, status: number, content: object): void {
  const type = (content as { __type?: string }).__type;
  const headers = { "content-type": "application/json", ...(type && { "x-amzn-errortype": type }) };
  response.writeHead(status, headers).end(JSON.stringify(content));
}

/** An error in the form that a service's clients understand. */
function refuse(response: ServerResponse, service: string, status: number, message: string): void {
  const error = `<Code>AccessDenied</Code><Message>${message}</Message>`;
  if (service === "eks" || service === "kms") {
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ __type: "AccessDeniedException", message }));
  } else {
    response.writeHead(status, { "content-type": "application/xml" });
    response.end(
      service === "s3"
        ? `<Error>${error}</Error>`
        : service === "ec2"
          ? `<Response><Errors><Error>${error}</Error></Errors></Response>`
          : `<ErrorResponse><Error>${error}</Error></ErrorResponse>`,
    );
  }
}
